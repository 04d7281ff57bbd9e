"""Rows split into train, validation and test, so that what is measured can be believed."""

from promptkit.data.parting.part import Parted, PartOptions, part
from promptkit.data.parting.sizes import PARTS

__all__ = ["PARTS", "PartOptions", "Parted", "part"]
