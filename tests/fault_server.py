"""A server in the manner of OpenAI's, on loopback, whose faults are drawn by a seed.

What it says is computed: by a causal model that the tests made (`ModelBrain`), or by a hash where
only faults matter (`HashBrain`). What it can do is switched on by name, see `EVERYTHING`;
besides, a server ``penalizes`` repeated tokens unless told not to, or is ``strict`` on entries.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EVERYTHING = frozenset(
    {"ids", "steps", "prompt_logprobs", "echo", "top_logprobs", "structured_outputs",
     "response_format", "chat", "models", "several"}
)  # fmt: skip
#: What a fault looks like; drawn with equal chances.
FAULTS = ("late", "busy", "broken", "dropped", "truncated")
LATE = 1.2


class HashBrain:
    """Log-probabilities from hashes: each token is a word."""

    words = ("positive", "negative", "neutral", "good", "bad")

    def encode(self, text):
        return [int(hashlib.sha256(w.encode()).hexdigest()[:6], 16) for w in text.split()]

    def next_log_p(self, ids):
        """Log-probabilities of each word as the next token."""
        digest = hashlib.sha256(str(ids).encode()).digest()
        raw = [byte / 64 for byte in digest[: len(self.words)]]
        total = math.log(sum(map(math.exp, raw)))
        return {word: value - total for word, value in zip(self.words, raw, strict=True)}

    def top(self, ids, k):
        return dict(sorted(self.next_log_p(ids).items(), key=lambda one: -one[1])[:k])

    def choose(self, ids, words):
        known = self.next_log_p(ids)
        return max(words, key=lambda word: known.get(word.strip(), -math.inf))

    def write(self, ids, room, seed=None):
        return next(iter(self.top([*ids, *([seed] if seed is not None else [])], 1)))


class ModelBrain:
    """A causal model of transformers."""

    def __init__(self, folder):
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder).eval()
        self.lock = threading.Lock()

    def encode(self, text):
        return self.tokenizer(text)["input_ids"]

    def piece(self, token):
        """How a token is spelled, its leading blank kept."""
        word = self.tokenizer.convert_ids_to_tokens(token)
        if "▁" in word:
            return word.replace("▁", " ")
        return self.tokenizer.decode([token])

    def log_p(self, ids):
        """(t, v) log-probabilities of what comes behind each token."""
        with self.lock, self.torch.inference_mode():
            logits = self.model(input_ids=self.torch.tensor([ids])).logits[0]
            return self.torch.log_softmax(logits.float(), -1)

    def of_tokens(self, ids):
        table = self.log_p(ids)
        return [None, *(float(table[i, token]) for i, token in enumerate(ids[1:]))]

    def top(self, ids, k):
        values, places = self.log_p(ids)[-1].topk(k)
        return {
            self.piece(int(p)).strip() or self.piece(int(p)): float(v)
            for v, p in zip(reversed(values), reversed(places), strict=True)
        }

    def choose(self, ids, words):
        def of(word):
            own = self.tokenizer(word, add_special_tokens=False)["input_ids"]
            return sum(v for v in self.of_tokens([*ids, *own])[len(ids) :])

        return max(words, key=of)

    def write(self, ids, room, seed=None):
        """Greedily, or by draws of a seed."""
        own = self.torch.Generator().manual_seed(seed or 0)
        written = []
        while len(written) < room:
            row = self.log_p([*ids, *written])[-1]
            token = int(row.argmax() if seed is None else row.exp().multinomial(1, generator=own))
            if token == self.tokenizer.eos_token_id:
                break
            written.append(token)
        return self.tokenizer.decode(written)


class FaultServer:
    """One server.

    Args:
        brain: What answers.
        can: What it can do.
        rate: Share of requests that go wrong, once ``faulty`` is set.
        seed: Which ones.
        lies: ``ignores echo``, ``counts wrong``, or what llama-cpp-python does: ``drops the first``
            token of an echo (BOS), ``shifts`` each number to the token before its own (no BOS).
        key: The key that it wants; None wants none.
    """

    def __init__(self, brain, can=EVERYTHING, rate=0.0, seed=0, lies="", key=None):
        self.brain, self.can, self.rate, self.seed = brain, set(can), rate, seed
        self.lies, self.key, self.model, self.root = lies, key, "tiny", "org/tiny"
        self.refusal = 400
        self.faulty, self.dead, self.refuses, self.always = rate > 0, False, "", ""
        self.retry_after = "0.01"
        #: Requests by their content: how often they were asked, and answered in full.
        self.asked, self.answered = Counter(), Counter()
        self.faults, self.headers = Counter(), []
        self.lock = threading.Lock()

    def body_for(self, path, asked):
        if path == "/v1/models":
            entry = {
                "id": self.model,
                "root": self.root,
                "owned_by": "tests",
                "created": time.time(),
            }
            return {"data": [{**entry, "max_model_len": 512}]}
        if "strict" in self.can and "repeat_penalty" in asked:
            raise Refused("unknown entry")
        if path == "/v1/completions":
            return self.completion(asked)
        return self.chat(asked)

    def completion(self, asked):
        prompt, brain = asked["prompt"], self.brain
        if isinstance(prompt, list) and "ids" not in self.can:
            raise Refused("prompt must be text")
        if not self.can & {"steps", "prompt_logprobs", "echo"}:
            raise Refused("no such path", 404)
        ids = prompt if isinstance(prompt, list) else brain.encode(prompt)
        choice = {"index": 0, "text": "x", "logprobs": None, "finish_reason": "length"}
        read = len(ids) + (2 if self.lies == "counts wrong" else 0)
        if "logprob_token_ids" in asked and "steps" in self.can:
            row = brain.log_p(ids)[-1]
            top = {f"token_id:{t}": float(row[t]) for t in asked["logprob_token_ids"]}
            choice["logprobs"] = {"top_logprobs": [top], "tokens": ["x"], "token_logprobs": [-1.0]}
        elif "prompt_logprobs" in asked and "prompt_logprobs" in self.can:
            values = brain.of_tokens(ids)
            choice["prompt_logprobs"] = [None] + [
                {str(t): {"logprob": v, "rank": 1}}
                for t, v in zip(ids[1:], values[1:], strict=True)
            ]
        elif asked.get("echo") and "echo" in self.can and self.lies != "ignores echo":
            tokens = [brain.piece(t) for t in ids]
            tokens, values = [*tokens, "x"], [*brain.of_tokens(ids), -1.0]
            if self.lies == "drops the first":
                tokens, values = tokens[1:], [None, *values[2:]]
            if self.lies == "shifts":
                tokens, values = tokens[:-1], [None, *values[2:]]
            choice["logprobs"] = {"tokens": tokens, "token_logprobs": values}
        elif asked.get("logprobs"):
            choice["logprobs"] = {"tokens": ["x"], "token_logprobs": [-1.0], "top_logprobs": [{}]}
        else:
            held = (asked.get("structured_outputs") or {}).get("choice")
            held = held if "structured_outputs" in self.can else None
            texts = [brain.choose(ids, held)] if held else self.texts(ids, asked)
            choices = [{**choice, "index": i, "text": text} for i, text in enumerate(texts)]
            return {"choices": choices, "usage": {"prompt_tokens": read, "completion_tokens": 9}}
        return {"choices": [choice], "usage": {"prompt_tokens": read, "completion_tokens": 1}}

    def texts(self, ids, asked):
        """What is written: as many samples as are asked for, if it can."""
        n = asked.get("n", 1) if "several" in self.can else 1
        seeds = [asked.get("seed", 0) + i if asked.get("temperature") else None for i in range(n)]
        texts = [self.brain.write(ids, asked.get("max_tokens", 1), seed) for seed in seeds]
        if "penalizes" in self.can and asked.get("repeat_penalty") != 1:
            texts = ["something else"] * n
        for stop in asked.get("stop") or ():
            texts = [text.split(stop)[0] for text in texts]
        return texts

    def chat(self, asked):
        if "chat" not in self.can:
            raise Refused("no such path", 404)
        ids = self.brain.encode("\n".join(m["content"] for m in asked["messages"]))
        said, choice = None, {"index": 0}
        choices = (asked.get("structured_outputs") or {}).get("choice")
        if choices and "structured_outputs" in self.can:
            said = self.brain.choose(ids, choices)
        if "response_format" in asked and "response_format" in self.can:
            schema = asked["response_format"]["json_schema"]["schema"]
            words = schema["properties"]["answer"]["enum"]
            said = json.dumps({"answer": self.brain.choose(ids, words)})
        if asked.get("logprobs") and "top_logprobs" in self.can:
            top = self.brain.top(ids, asked["top_logprobs"])
            listed = [{"token": t, "logprob": v} for t, v in top.items()]
            choice["logprobs"] = {"content": [{"token": "x", "top_logprobs": listed}]}
        texts = self.texts(ids, asked) if said is None else [said]
        choices = [{**choice, "index": i, "message": self.message(t)} for i, t in enumerate(texts)]
        return {"choices": choices, "usage": {"prompt_tokens": len(ids), "completion_tokens": 1}}

    def message(self, text):
        """A reply; some servers tell its thoughts apart."""
        if "thoughts apart" in self.can:
            return {"role": "assistant", "content": None, "reasoning_content": text}
        return {"role": "assistant", "content": text}

    def fault_for(self, content):
        """The fault of this try: the same for the same seed, request and number of tries."""
        with self.lock:
            self.asked[content] += 1
            tried = self.asked[content]
        if self.always:
            return self.always
        draw = random.Random(f"{self.seed} {content} {tried}")
        fault = draw.choice(FAULTS) if self.faulty and draw.random() < self.rate else ""
        with self.lock:
            self.faults[fault] += bool(fault)
        return fault


class Refused(Exception):
    def __init__(self, message, status=None):
        super().__init__(message)
        self.message, self.status = message, status


def handler_of(server):  # noqa: C901
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args):
            pass

        def do_GET(self):
            self.respond(self.path, {}, "")

        def do_POST(self):
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            self.respond(self.path, json.loads(text), f"{self.path} {text}")

        def respond(self, path, asked, content):
            server.headers.append({k.lower(): v for k, v in self.headers.items()})
            if server.dead:
                self.close_connection = True
                self.connection.close()
                return
            if server.key and self.headers["authorization"] != f"Bearer {server.key}":
                told = f"wrong key {self.headers['authorization']}"
                self.send(401, {"error": {"message": told}})
                return
            fault = server.fault_for(content) if content else ""
            try:
                if server.refuses and server.refuses in content:
                    raise Refused("this text is too long")
                found = server.body_for(path, asked)
            except Refused as error:
                self.send(error.status or server.refusal, {"error": {"message": error.message}})
                return
            getattr(self, fault or "whole")(found, content)

        def whole(self, found, content):
            with server.lock:
                server.answered[content] += 1
            self.send(200, found)

        def late(self, found, content):
            time.sleep(LATE)
            self.send(200, found)

        def busy(self, found, content):
            self.send(429, {"error": {"message": "slow down"}}, server.retry_after)

        def broken(self, found, content):
            self.send(500, {"error": {"message": "out of order"}})

        def dropped(self, found, content):
            self.close_connection = True
            self.connection.close()

        def truncated(self, found, content):
            self.send(200, found, cut=True)

        def send(self, status, found, retry_after=None, cut=False):
            text = json.dumps(found).encode()
            text = text[: len(text) // 2] if cut else text
            head = [f"HTTP/1.1 {status} x", "Content-Type: application/json"]
            head += [f"Content-Length: {len(text)}"]
            head += [f"Retry-After: {retry_after}"] if retry_after else []
            try:
                self.wfile.write("\r\n".join([*head, "", ""]).encode() + text)
            except OSError:
                self.close_connection = True

    return Handler


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that went away is what these tests are about."""


@contextmanager
def serving(server):
    """Run a server; gives its address."""
    http = Quiet(("127.0.0.1", 0), handler_of(server))
    thread = threading.Thread(
        target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/v1"
    finally:
        http.shutdown()
        http.server_close()
