"""C simulation as the hardware runs: all processes at once, FIFOs as deep as planned."""

from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from flow.emit.vitis import write_vitis_project
from flow.emit.vitis.command import FIRMWARE_FLAGS
from flow.graph import IntGraph, run
from flow.graph.types import IntArray
from flow.plan import HwPlan
from tests.emit.vitis.batch import HEADERS

STREAM = re.compile(r'    (shift::stream<.*>) (\w+)\("\w+"\);\n#pragma HLS STREAM .* depth=(\d+)\n')
CALL = re.compile(r"^    (shift::(?!tap|stream).*;)$", re.MULTILINE)
FIFO_CLASS = re.compile(r"// FIFO without a limit.*?^};\n", re.DOTALL | re.MULTILINE)

Runner = Callable[[IntGraph, IntArray, int], bool]


def compile_dataflow(networks: Sequence[tuple[IntGraph, HwPlan]], folder: Path) -> Runner:
    """Compile all networks; the result runs one: (graph, codes, hold) -> it came to an end.

    `hold`: reads of a process that its own writes wait for, as in a pipeline that stalls whole. A
    network that comes to an end has given exactly the reference's codes.
    """
    for graph, hw_plan in networks:
        write_vitis_project(graph, hw_plan, folder / graph.name)
    first = folder / networks[0][0].name / "firmware"
    types = first / "shift" / "shift_types.h"
    bounded = f'}}\n#include "{Path(__file__).with_name("bounded_stream.h")}"\nnamespace shift {{\n'
    text, count = FIFO_CLASS.subn(bounded, types.read_text())
    assert count == 1
    types.write_text(text)
    parts = [f"#include <{name}>" for name in HEADERS]
    parts += ['#include "ap_int.h"', '#include "hls_stream.h"', f'#include "{first}/parameters.h"']
    parts += [_network(folder / graph.name, graph.name) for graph, _ in networks]
    source, output = folder / "dataflow.cpp", folder / "dataflow.so"
    source.write_text("\n".join(parts) + "\n")
    flags = [flag for flag in FIRMWARE_FLAGS if flag not in ("-isystem", "firmware/ap_types")]
    done = subprocess.run(
        ["g++", *flags, "-O0", "-shared", "-isystem", str(first / "ap_types"),
         str(source), "-o", str(output)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[:3000]
    library = ctypes.CDLL(str(output))

    def runner(graph: IntGraph, codes: IntArray, hold: int) -> bool:
        return _run(library, graph, codes, hold)

    return runner


def _run(library: ctypes.CDLL, graph: IntGraph, codes: IntArray, hold: int) -> bool:
    source = np.ascontiguousarray(codes, np.int64)
    result = np.empty((len(codes), *graph.output.out_shape), np.int64)
    places = (array.ctypes.data_as(ctypes.c_void_p) for array in (source, result))
    ended = getattr(library, f"{graph.name}_dataflow")(
        *places, ctypes.c_long(len(codes)), ctypes.c_long(hold)
    )
    if ended:
        np.testing.assert_array_equal(result, run(graph, codes))
    return bool(ended)


def _network(root: Path, name: str) -> str:
    """The top function's streams and calls, as a function that starts all processes."""
    firmware = root / "firmware"
    top = (firmware / f"{name}.cpp").read_text()
    body = top[top.index("#pragma HLS DATAFLOW") :]
    streams = STREAM.findall(body)
    assert len(streams) == body.count("shift::stream<")
    calls = CALL.findall(body)
    declared = "\n".join(f'    {kind} {name}("{name}", {depth});' for kind, name, depth in streams)
    processes = ",\n".join(f"        [&] {{ {call} }}" for call in calls)
    return f"""
namespace of_{name} {{
#include "{firmware}/{name}.h"
#include "{firmware}/parameters.h"
extern "C" __attribute__((visibility("default")))
int {name}_dataflow(const long long *in, long long *out, long frames, long hold) {{
    hls::stream<input_t> codes("codes");
    hls::stream<output_t> result("result");
    for (long i = 0; i < frames; ++i) shift::send<input_tensor>(in + i * input_tensor::size, codes);
{declared}
    shift::region region(hold);
    const std::vector<std::function<void()>> processes = {{
{processes}}};
    if (!region.run(processes, frames)) {{
        while (!codes.empty()) codes.read();
        while (!result.empty()) result.read();
        return 0;
    }}
    for (long i = 0; i < frames; ++i) {{
        shift::receive<output_tensor>(result, out + i * output_tensor::size);
    }}
    return codes.empty() && result.empty();
}}
}}
"""
