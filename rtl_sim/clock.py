"""The clock and the reset that every bench runs under; no package is needed to know them."""

PERIOD_NS = 10
RESET_CYCLES = 4


def start_ns(cycle: int) -> int:
    """When the probes' cycle `cycle` of a first run starts; the edge that ends it takes its words.

    Probes count from the end of reset; the first rising edge is at 0 ns.
    """
    return (RESET_CYCLES - 1 + cycle) * PERIOD_NS
