"""Benchmark networks: quantizers, bit-widths, data, training and trained weights."""

from typing import Any

__all__ = ["untrained"]


def untrained(model_name: str, quant: str = "mpq", seed: int = 0) -> Any:
    """Return a quantized Keras model with random weights; see `models.networks.untrained`."""
    from models import networks  # TensorFlow is imported only when a model is really made

    return networks.untrained(model_name, quant, seed)
