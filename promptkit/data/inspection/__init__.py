"""What is the matter with a data set: copies, leaks, labels, characters, lengths, languages."""

from promptkit.data.inspection.looking import Asked, inspect
from promptkit.data.inspection.nouns import (
    SEVERITIES,
    Finding,
    Inspection,
    OnStep,
    Row,
    Settings,
    Severity,
    Spot,
)

__all__ = [
    "SEVERITIES",
    "Asked",
    "Finding",
    "Inspection",
    "OnStep",
    "Row",
    "Settings",
    "Severity",
    "Spot",
    "inspect",
]
