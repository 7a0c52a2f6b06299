"""Fast integer inference, bit for bit the reference's; see docs/engine.md."""

from flow.graph.engine._check import check_engine, check_observed
from flow.graph.engine._engine import Engine

__all__ = ["Engine", "check_engine", "check_observed"]
