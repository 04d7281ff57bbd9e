"""Ways of mending what a model favours anyway. To add one: a file here, a line in CALIBRATORS."""

from promptkit.protocols import Calibrator
from promptkit.registry import Registry

CALIBRATORS: Registry[Calibrator] = Registry(
    "calibration",
    {
        "none": "promptkit.calibration.none:NoCalibration",
        "batch": "promptkit.calibration.batch:BatchCalibration",
    },
)

__all__ = ["CALIBRATORS"]
