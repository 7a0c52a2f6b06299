"""Registers at the ports of a netlist, so that every path of a unit lies between two registers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

CLOCK = "clk"
_PARAMETERS = {
    "CEMUX": "1 ",  # Yosys writes a text that looks like bits with a space behind it
    "CLKMUX": "CLK",
    "GSR": "DISABLED",
    "LSRMUX": "LSR",
    "REGSET": "RESET",
    "SRMODE": "LSR_OVER_CE",
}


def register_ports(netlist: dict[str, Any], module: str) -> int:
    """Put an ECP5 flip-flop at every port bit of `module` except its clock; return their number.

    What a static timing analysis says of the module alone leaves out paths from and to ports. Here
    the ports stand for the neighbours' registers.

    Args:
        netlist: of Yosys' `write_json`; changed in place.

    Raises:
        KeyError: there is no such module, or it has no clock.
    """
    body = netlist["modules"][module]
    ports, cells = body["ports"], body["cells"]
    (clock,) = ports[CLOCK]["bits"]
    fresh = _unused_bits(netlist["modules"][module])
    added = 0
    for name, port in sorted(ports.items()):
        if name == CLOCK:
            continue
        inner, outer = port["bits"], [next(fresh) for _ in port["bits"]]
        port["bits"] = outer
        for index, (inside, outside) in enumerate(zip(inner, outer, strict=True)):
            ends = (outside, inside) if port["direction"] == "input" else (inside, outside)
            cells[f"$port${name}${index}"] = _flip_flop(clock, *ends)
            added += 1
    return added


def _unused_bits(body: dict[str, Any]) -> Iterator[int]:
    used = [bit for port in body["ports"].values() for bit in port["bits"]]
    for cell in body["cells"].values():
        used += [bit for bits in cell["connections"].values() for bit in bits]
    bit = max((bit for bit in used if isinstance(bit, int)), default=1)  # constants are strings
    while True:
        bit += 1
        yield bit


def _flip_flop(clock: int, data_in: int | str, data_out: int | str) -> dict[str, Any]:
    return {
        "hide_name": 1,
        "type": "TRELLIS_FF",
        "parameters": dict(_PARAMETERS),
        "attributes": {},
        "port_directions": {"CLK": "input", "DI": "input", "Q": "output"},
        "connections": {"CLK": [clock], "DI": [data_in], "Q": [data_out]},
    }
