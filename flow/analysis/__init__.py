"""Where a quantized network loses accuracy: its weights, its activations, how errors propagate."""

from flow.analysis.analyse import Analysis, analyse
from flow.analysis.export import csv_text, document
from flow.analysis.sqnr import Sqnr

__all__ = ["Analysis", "Sqnr", "analyse", "csv_text", "document"]
