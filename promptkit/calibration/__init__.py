"""Ways of mending the probabilities of labels. To add one: a file here, a line in CALIBRATORS."""

from promptkit.protocols import Calibrator
from promptkit.registry import Registry

CALIBRATORS: Registry[Calibrator] = Registry(
    "calibration",
    {
        "none": "promptkit.calibration.none:NoCalibration",
        "batch": "promptkit.calibration.batch:BatchCalibration",
        "contextual": "promptkit.calibration.contextual:ContextualCalibration",
        "domain": "promptkit.calibration.domain:DomainCalibration",
        "pmi": "promptkit.calibration.pmi:PMICalibration",
        "prior_matching": "promptkit.calibration.prior_matching:PriorMatching",
        "temperature": "promptkit.calibration.temperature:TemperatureScaling",
        "platt": "promptkit.calibration.platt:PlattScaling",
        "isotonic": "promptkit.calibration.isotonic:IsotonicCalibration",
        "channel": "promptkit.calibration.channel:ChannelScoring",
        "prototypical": "promptkit.calibration.prototypical:PrototypicalCalibration",
    },
    seam=Calibrator,
)

__all__ = ["CALIBRATORS"]
