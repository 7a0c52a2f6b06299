"""Simulation of the hardware: bench components, the harness that runs them, and the units' benches."""
