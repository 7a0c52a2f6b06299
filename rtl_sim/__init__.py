"""Simulation of the hardware: bench components, their harness, and the units' benches."""
