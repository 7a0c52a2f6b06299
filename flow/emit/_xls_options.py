"""What XLS is told about a kernel besides its text."""

from __future__ import annotations

from typing import Any

from flow.emit.kernels import KernelSpec
from flow.plan.hwplan import MacSpec, RequantSpec

# `worst_case_throughput`, `gate_recvs` and `multi_proc` guard against silent faults: a relaxed II,
# garbage from a receive that was not taken, an empty module. `sky130` and its period are numbers of
# the pipeliner, not of an FPGA; a kernel that cannot keep to it (a 16x16 product takes about
# 2200 ps) gets the shortest period that it can, never a longer II.
OPTIONS: dict[str, Any] = {
    "generator": "pipeline",
    "use_system_verilog": False,
    "reset": "rst",
    "reset_data_path": False,
    "streaming_channel_data_suffix": "_tdata",
    "streaming_channel_valid_suffix": "_tvalid",
    "streaming_channel_ready_suffix": "_tready",
    "flop_inputs": False,
    "flop_inputs_kind": "flop",
    "flop_outputs": True,
    "flop_outputs_kind": "flop",
    "with_delay_model": True,
    "delay_model": "sky130",
    "clock_period_ps": 1000,
    "minimize_clock_on_failure": True,
    "recover_after_minimizing_clock": True,
    "worst_case_throughput": 1,
    "gate_recvs": True,
    "array_index_bounds_checking": True,
    "multi_proc": True,
}

# Fitted to nextpnr-ecp5 at speed grade 6 and 120 MHz. A requantiser's addition, shift and clip get
# a stage each. Products in DSPs get their operands from registers of their own, which placement
# can put beside the DSP; others get them from the neighbour's.
REQUANT_OPTIONS: dict[str, Any] = {"clock_period_ps": 700}
DSP_MAC_OPTIONS: dict[str, Any] = {"flop_inputs": True}


def kernel_options(spec: KernelSpec, use_dsp: bool) -> dict[str, Any]:
    """Options of `schedule_and_codegen`; `use_dsp`: the products of the kernel go to DSPs."""
    if isinstance(spec, RequantSpec):
        return OPTIONS | REQUANT_OPTIONS
    if isinstance(spec, MacSpec) and use_dsp:
        return OPTIONS | DSP_MAC_OPTIONS
    return dict(OPTIONS)
