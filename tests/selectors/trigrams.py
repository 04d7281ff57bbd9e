"""An encoder without a model: counts of hashed character trigrams."""

import zlib

import numpy as np


class Trigrams:
    """Embeds a text by its trigrams; counts the calls and remembers the texts."""

    def __init__(self, width=64):
        self.width = width
        self.calls = []

    def encode(self, texts):
        self.calls.append(list(texts))
        return np.array([self._one(text) for text in texts], np.float32).reshape(-1, self.width)

    def _one(self, text):
        counts = np.zeros(self.width)
        padded = f"^^{text}$"
        for start in range(len(padded) - 2):
            counts[zlib.crc32(padded[start : start + 3].encode()) % self.width] += 1
        return counts / np.linalg.norm(counts)
