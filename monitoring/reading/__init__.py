"""Rows out of files, whatever their format, as record batches in bounded memory."""

from monitoring.reading.capture import Capture
from monitoring.reading.files import batches, schema
from monitoring.reading.masked import Masks
from monitoring.reading.problems import Problems

__all__ = ["Capture", "Masks", "Problems", "batches", "schema"]
