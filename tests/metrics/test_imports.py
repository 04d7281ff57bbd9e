import subprocess
import sys


def test_importing_the_metrics_loads_neither_scikit_learn_nor_torch() -> None:
    code = (
        "import sys, promptkit.metrics\n"
        "print(sorted({'sklearn', 'torch', 'scipy', 'pandas', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
