"""Batches fit into free memory, and memory that runs out all the same halves them."""

import subprocess
import sys

import pytest
import torch
import transformers as tf

from promptkit.backends import hf_passes, memory
from promptkit.backends.hf_causal import CausalScorer
from promptkit.backends.hf_passes import Passes
from promptkit.backends.memory import free_bytes, is_out_of_memory, token_bytes
from promptkit.backends.meter import Meter
from promptkit.errors import BackendError
from tests.causal_families import asked, built, gap, plainly

CPU = torch.device("cpu")


def test_what_a_token_needs_is_the_widest_layer():
    config = tf.LlamaConfig(
        vocab_size=1000, hidden_size=32, intermediate_size=64, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2)  # fmt: skip
    attention = (32 + 32) + 2 * (32 + 16) + (32 + 32)
    mlp = 3 * (32 + 64)
    assert token_bytes(tf.LlamaForCausalLM(config)) == 4 * (attention + mlp)
    assert token_bytes(tf.LlamaForCausalLM(config).to(torch.bfloat16)) == 2 * (attention + mlp)


def test_of_many_experts_one_counts():
    def mixtral(experts):
        config = tf.MixtralConfig(
            vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
            num_attention_heads=4, num_key_value_heads=2, num_local_experts=experts)  # fmt: skip
        return token_bytes(tf.MixtralForCausalLM(config))

    router = 4 * (32 + 8), 4 * (32 + 2)
    assert mixtral(8) - router[0] == mixtral(2) - router[1]


def test_free_memory_is_what_the_system_or_the_container_leaves(tmp_path, monkeypatch):
    meminfo, limit, used = (tmp_path / name for name in ("meminfo", "max", "current"))
    meminfo.write_text("MemTotal: 9000 kB\nMemAvailable: 4000 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    monkeypatch.setattr(memory, "_CGROUPS", ((limit, used),))
    assert free_bytes(CPU) == 4000 * 1024
    limit.write_text("max\n")
    used.write_text("1000\n")
    assert free_bytes(CPU) == 4000 * 1024
    limit.write_text("51000\n")
    assert free_bytes(CPU) == 50000
    meminfo.unlink()
    limit.unlink()
    assert free_bytes(CPU) is None


def test_little_free_memory_makes_small_batches_with_the_same_scores(monkeypatch):
    requests = asked(8, 20)
    for family in ("llama", "bloom", "mamba"):
        model = built(family)
        needed = token_bytes(model)
        passes = Passes(CPU, "auto", Meter(), needed)
        scorer = CausalScorer(model, None, passes)
        monkeypatch.setattr(hf_passes, "free_bytes", lambda _, n=needed: 2 * 50 * n)
        assert passes.budget == (50, None)
        assert gap(scorer.run(requests), plainly(model, requests)) < 5e-5
        monkeypatch.setattr(hf_passes, "free_bytes", lambda _: 0)
        assert passes.budget == (1, None)
        assert gap(scorer.run(requests), plainly(model, requests)) < 5e-5


def test_a_batch_size_that_the_user_gives_is_taken_as_it_is(monkeypatch):
    monkeypatch.setattr(hf_passes, "free_bytes", lambda _: 0)
    assert Passes(CPU, 7, Meter(), 1000).budget[1] == 7


def test_where_nothing_tells_what_is_free_the_device_decides(monkeypatch):
    monkeypatch.setattr(hf_passes, "free_bytes", lambda _: None)
    assert Passes(CPU, "auto", Meter(), 1000).budget == (hf_passes.BATCH_TOKENS["cpu"], None)


HALVES = """
import resource, torch
from promptkit.backends.hf_passes import Passes
from promptkit.backends.meter import Meter

torch.empty(2**20)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
now = int(status["VmSize"].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (now + 2**29, now + 2**29))  # 512 MiB more
sizes = []
def forward(batch):
    sizes.append(len(batch))
    torch.zeros(len(batch), 2**25)  # 128 MiB each
    return [one * 10 for one in batch]
passes = Passes(torch.device("cpu"), 8, Meter())
assert passes.each(list(range(8)), lambda one: 1, forward) == [i * 10 for i in range(8)]
print(sizes[0], sizes[-1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_memory_that_runs_out_on_the_cpu_halves_a_batch():
    done = subprocess.run([sys.executable, "-c", HALVES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, last = map(int, done.stdout.split())
    assert first == 8
    assert last < 8


def test_other_errors_are_not_taken_for_memory():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))

    def forward(batch):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        Passes(CPU, 8, Meter()).each([1, 2], lambda one: 1, forward)


def test_one_sequence_too_long_for_memory_says_so():
    def forward(batch):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(BackendError, match="out of memory on one sequence of 9 tokens"):
        Passes(CPU, 8, Meter()).each([1, 2], lambda one: 9, forward)
