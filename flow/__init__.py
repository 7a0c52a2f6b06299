"""shiftflow: quantised networks with power-of-two scales to exactly checked FPGA hardware."""

__version__ = "0.1.0"
