"""Frontend: trained QKeras models to integer graphs."""

from flow.frontend.extract import extract, from_keras

__all__ = ["extract", "from_keras"]
