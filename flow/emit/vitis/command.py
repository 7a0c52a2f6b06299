"""The g++ command of C simulation; build_lib.sh holds the same one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from flow.gxx import COMPILER

# vectorised for this machine; symbols of two projects in one process must not be merged
FIRMWARE_FLAGS = (
    "-std=c++14", "-O3", "-march=native", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique",
    "-Wno-unknown-pragmas", "-isystem", "firmware/ap_types",
)  # fmt: skip


class Mode(str, Enum):
    """Arithmetic of C simulation; see hls_templates/vitis/shift_types.h."""

    NATIVE = "native"
    BIT_TRUE = "bit_true"


# ap_int is slow whatever is optimised, and optimising it takes the compiler long
MODE_FLAGS: dict[Mode, tuple[str, ...]] = {
    Mode.NATIVE: (),
    Mode.BIT_TRUE: ("-DSHIFT_BIT_TRUE", "-O1"),
}


def library_command(name: str, output: str, flags: Sequence[str]) -> list[str]:
    """Compile and link the firmware and its bridge, in the project's folder."""
    return [
        COMPILER, *flags, "-shared", f"firmware/{name}.cpp", f"{name}_bridge.cpp", "-o", output,
    ]  # fmt: skip


def testbench_command(name: str, output: str, flags: Sequence[str]) -> list[str]:
    """Compile and link the firmware and its testbench, in the project's folder."""
    return [COMPILER, *flags, f"firmware/{name}.cpp", f"{name}_test.cpp", "-o", output]
