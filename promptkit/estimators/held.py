"""A fitted strategy that travels by pickle as what it learned, and never as the model below it.

Pickles, copies to other processes, and joblib's files hold the estimator's arguments and the files
that ``strategy.save`` writes (safetensors and JSON). The model itself is found again by its name or
folder, when something is predicted for the first time. What was fine-tuned is among the files, for
it can be found nowhere else.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from promptkit.errors import StoreError
from promptkit.protocols import Strategy


class Held:
    """A strategy, and what it takes to make it again elsewhere.

    Args:
        make: Makes the strategy without what it learned; can be pickled.
        strategy: It, fitted.
        weights: Tells the hash of the model's weights, where the strategy itself does not see to it
            that it is restored upon the same model; can be pickled.
    """

    def __init__(
        self,
        make: Callable[[], Strategy],
        strategy: Strategy,
        weights: Callable[[], str | None] | None = None,
    ) -> None:
        self._make, self._weights = make, weights
        self._fitted_on: str | None = None
        self._strategy: Strategy | None = strategy
        self._files: dict[str, bytes] = {}
        self._lock = Lock()

    @property
    def strategy(self) -> Strategy:
        """The fitted strategy; the first call after a journey loads the model.

        Raises:
            BackendError: The model is not where it was, or is another one.
            StoreError: What was learned does not fit to it.
        """
        with self._lock:  # threads of joblib may ask at the same time
            if self._strategy is None:
                self._strategy = self._restored()
                self._files = {}
            return self._strategy

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            files = self._files if self._strategy is None else _saved(self._strategy)
            fitted_on = self._fitted_on
            if fitted_on is None and self._weights is not None:
                fitted_on = self._weights()
        return {
            "make": self._make,
            "weights": self._weights,
            "fitted_on": fitted_on,
            "files": files,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._make, self._weights = state["make"], state["weights"]
        self._fitted_on, self._files = state["fitted_on"], state["files"]
        self._strategy = None
        self._lock = Lock()

    def _restored(self) -> Strategy:
        found = None if self._weights is None else self._weights()
        if found != self._fitted_on:
            raise StoreError(
                f"the pickled estimator was fitted on a model with the hash {self._fitted_on}, and "
                f"the one of that name here has {found}; give it the same model, or fit again"
            )
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            folder = Path(place)
            for name, content in self._files.items():
                file = folder / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            return self._make().restore(folder)


def _saved(strategy: Strategy) -> dict[str, bytes]:
    """The files of a saved strategy, by their path below its folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        strategy.save(folder)
        return {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
