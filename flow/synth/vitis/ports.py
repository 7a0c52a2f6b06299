"""The ports of Vitis HLS' top module, and what the bench connects to them.

Which ones there are follows from the interface pragmas (hls_templates/vitis/top.cpp.j2) by the
rules of AMD UG1399: an `axis` argument has TDATA, TVALID and TREADY, its data filled up to whole
bytes ('AXI4-Stream Interfaces'); with such a port the reset is active low, `ap_rst_n`, whatever
config_rtl says, without it `ap_rst` ('Clock and Reset Ports'); a function has the ports of
ap_ctrl_hs or ap_ctrl_chain unless ap_ctrl_none is asked for ('Block-Level Control Protocols').
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flow.emit.top import axis_width
from flow.errors import DataError
from flow.plan import HwPlan

SOURCE, RESULT = "codes", "result"  # arguments of the top function
PORT = re.compile(
    r"^\s*(input|output)\s+(?:(?:reg|wire)\s+)?(?:\[\s*(\d+)\s*:\s*0\s*\]\s*)?(\w+)\s*[;,)]",
    re.MULTILINE,
)
# control ports: what an input is tied to; outputs stay open
CONTROL = {"ap_start": "1'b1", "ap_continue": "1'b1"}
OPEN = ("ap_done", "ap_idle", "ap_ready")


@dataclass(frozen=True, slots=True)
class VerilogPort:
    """A port as the top module declares it."""

    direction: str  # 'input' or 'output'
    width: int


def read_ports(source: Path, module: str) -> dict[str, VerilogPort]:
    """The ports of `module`, which is declared in `source`.

    Raises:
        DataError: there is no such file, module or port.
    """
    try:
        text = source.read_text(errors="replace")
    except OSError as error:
        raise DataError(
            f"{source}, the Verilog of the top module, cannot be read: {error}.\n"
            "  Run C synthesis again."
        ) from error
    body = re.search(rf"^\s*module\s+{re.escape(module)}\b(.*?)\bendmodule\b", text, re.M | re.S)
    if body is None:
        raise DataError(f"{source} holds no complete module {module!r}.\n  Run C synthesis again.")
    return {
        name: VerilogPort(direction, int(high or 0) + 1)
        for direction, high, name in PORT.findall(body[1])
    }


def connect(
    ports: Mapping[str, VerilogPort], plan: HwPlan, last: str, source: Path
) -> list[tuple[str, str]]:
    """Pairs of a port and the signal of the adapter (rtl_sim/network/vitis_top.sv.j2) at it.

    Args:
        last: the network's last layer, which names the adapter's output stream.
        source: for messages.

    Raises:
        DataError: a port is missing, has another width, or an input is not known.
    """
    expected = _streams(plan, last) | {"ap_clk": ("input", 1, "clk")}
    expected |= _reset(ports)
    expected |= {name: ("input", 1, tied) for name, tied in CONTROL.items() if name in ports}
    wrong = [
        f"{name}: expected {_text(direction, width)}, found {_found(ports, name)}"
        for name, (direction, width, _) in expected.items()
        if name not in ports or (ports[name].direction, ports[name].width) != (direction, width)
    ]
    wrong += [
        f"{name}: an input that the bench does not know"
        for name, port in ports.items()
        if port.direction == "input" and name not in expected
    ]
    if wrong:
        raise DataError(
            f"the ports of {source} are not those of the project's interface pragmas:\n"
            + "\n".join(f"  - {line}" for line in wrong)
        )
    open_outputs = [(name, "") for name in OPEN if name in ports]
    return [*((name, signal) for name, (_, _, signal) in expected.items()), *open_outputs]


def _streams(plan: HwPlan, last: str) -> dict[str, tuple[str, int, str]]:
    """Direction, width and signal of each stream port."""
    x_bits = plan.input_bits * plan.input_elems
    x_width, y_width = axis_width(x_bits), axis_width(plan.output_bits * plan.output_elems)
    x_data = f"{x_width}'(ingress_tdata)" if x_width > x_bits else "ingress_tdata"
    return {
        f"{SOURCE}_TDATA": ("input", x_width, x_data),
        f"{SOURCE}_TVALID": ("input", 1, "ingress_tvalid"),
        f"{SOURCE}_TREADY": ("output", 1, "ingress_tready"),
        f"{RESULT}_TDATA": ("output", y_width, "padded_tdata"),
        f"{RESULT}_TVALID": ("output", 1, f"{last}_tvalid"),
        f"{RESULT}_TREADY": ("input", 1, f"{last}_tready"),
    }


def _reset(ports: Mapping[str, VerilogPort]) -> dict[str, tuple[str, int, str]]:
    if "ap_rst" in ports and "ap_rst_n" not in ports:
        return {"ap_rst": ("input", 1, "rst")}
    return {"ap_rst_n": ("input", 1, "!rst")}


def _found(ports: Mapping[str, VerilogPort], name: str) -> str:
    return _text(ports[name].direction, ports[name].width) if name in ports else "nothing"


def _text(direction: str, width: int) -> str:
    return f"{direction} of {width} bit{'' if width == 1 else 's'}"
