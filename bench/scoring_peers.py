"""Another tool in a process of its own: asked on standard input, a line of JSON for each case.

    PYTHON bench/scoring_peers.py harness FOLDER --threads 2 --device cpu --dtype float32

`harness` is lm-evaluation-harness with its HF backend and batch size 16. `vllm` scores prompts with
prompt_logprobs, or, where every label is one token, with logprob_token_ids; `harness-vllm` is
lm-evaluation-harness with its vLLM backend. A question is
{"contexts": [...], "labels": [...]}; an answer {"seconds": s, "log_p": [[...], ...]}. What it takes
to load the model is not counted; tokenization is.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import sys
import time
from typing import Any


def main() -> None:
    """Answer until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=sorted(TOOLS))
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the tool prints is no answer, nor what its processes print
    score = TOOLS[options.tool](options)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        begun = time.perf_counter()
        found = score(asked["contexts"], asked["labels"])
        seconds = time.perf_counter() - begun
        print(json.dumps({"seconds": seconds, "log_p": found}), file=answers, flush=True)


def harness(options: Any) -> Any:
    """lm-evaluation-harness."""
    import torch
    from lm_eval.models.huggingface import HFLM

    torch.set_num_threads(options.threads)
    model = HFLM(
        pretrained=options.folder, batch_size=16, device=options.device, dtype=options.dtype
    )

    return _by_harness(model)


def harness_vllm(options: Any) -> Any:
    """lm-evaluation-harness on vLLM, whose build for CPUs has a name that it does not know."""
    usual = importlib.metadata.version
    importlib.metadata.version = lambda name: "0.32.0+cpu" if name == "vllm" else usual(name)
    from lm_eval.models.vllm_causallms import VLLM

    eager = options.device == "cpu"
    return _by_harness(VLLM(
        pretrained=options.folder, dtype=options.dtype, batch_size="auto", max_model_len=2048,
        enforce_eager=eager, disable_log_stats=True,
    ))  # fmt: skip


def _by_harness(model: Any) -> Any:
    from lm_eval.api.instance import Instance

    def score(contexts: list[str], labels: list[str]) -> list[list[float]]:
        asked = [
            Instance("loglikelihood", {}, (context, label), index)
            for index, (context, label) in enumerate((c, la) for c in contexts for la in labels)
        ]
        found = [value for value, _ in model.loglikelihood(asked, disable_tqdm=True)]
        width = len(labels)
        return [found[start : start + width] for start in range(0, len(found), width)]

    return score


def vllm(options: Any) -> Any:
    """vLLM, offline."""
    from vllm import LLM, SamplingParams
    from vllm.inputs import TokensPrompt

    engine = LLM(
        model=options.folder, dtype=options.dtype, enforce_eager=options.device == "cpu",
        max_model_len=2048, seed=0, disable_log_stats=True,
    )  # fmt: skip
    tokenizer = engine.get_tokenizer()

    def ids(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    def score(contexts: list[str], labels: list[str]) -> list[list[float]]:
        before = [ids(context) for context in contexts]
        wholes = [[ids(context + label) for label in labels] for context in contexts]
        if all(len(w) == len(b) + 1 for b, own in zip(before, wholes, strict=True) for w in own):
            return _by_next_token(before, wholes)
        asked = [TokensPrompt(prompt_token_ids=w) for own in wholes for w in own]
        found = engine.generate(asked, SamplingParams(max_tokens=1, prompt_logprobs=0),
                                use_tqdm=False)  # fmt: skip
        values = iter(found)
        return [[_summed(next(values), len(b)) for _ in own]
                for b, own in zip(before, wholes, strict=True)]  # fmt: skip

    def _by_next_token(before: Any, wholes: Any) -> list[list[float]]:
        last = [[whole[-1] for whole in own] for own in wholes]
        found = engine.generate(
            [TokensPrompt(prompt_token_ids=b) for b in before],
            [SamplingParams(max_tokens=1, logprob_token_ids=own) for own in last],
            use_tqdm=False,
        )
        return [
            [one.outputs[0].logprobs[0][token].logprob for token in own]
            for one, own in zip(found, last, strict=True)
        ]

    def _summed(one: Any, start: int) -> float:
        pairs = list(zip(one.prompt_token_ids, one.prompt_logprobs, strict=True))[start:]
        return sum(float(known[token].logprob) for token, known in pairs)

    return score


TOOLS = {"harness": harness, "harness-vllm": harness_vllm, "vllm": vllm}


if __name__ == "__main__":
    main()
