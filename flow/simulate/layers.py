"""Every layer's unit by itself, fed as fast as it takes: its own cycles must equal the plan's."""

from __future__ import annotations

from collections.abc import Mapping

from flow.errors import FlowError
from flow.plan.hwplan import HwPlan
from flow.simulate.bench import WARM_UP_FRAMES, Bench, steady_cycles
from flow.simulate.stimuli import INPUT
from rtl_sim.harness import Profile, Tap

LAYER_FRAMES = 5  # enough for a steady state of one unit
TIMEOUT_FACTOR = 4


def simulate_layers(bench: Bench) -> dict[str, int]:
    """Steady-state cycles between frames of each unit alone, by layer name.

    Raises:
        Mismatch: a unit computes other codes.
        FlowError: a unit needs other cycles than planned.
    """
    graph, plan, streams = bench.graph, bench.plan, bench.streams
    units = [
        {
            "module": f"unit_{unit.name}",
            "input": streams[INPUT if node.sources[0] == graph.input_name else node.sources[0]],
            "output": streams[unit.name],
        }
        for node, unit in zip(graph.nodes, plan.units, strict=True)
    ]
    model = bench.build("layers_bench", "layers_bench.sv.j2", units=units)
    probes = [
        Tap(f"{stream.instance}.u_tap", stream.beats * LAYER_FRAMES, unit.name, LAYER_FRAMES)
        for unit in plan.units
        for stream in [streams[unit.name]]
    ]
    (result,) = bench.play(
        model,
        probes,
        [Profile("none")],
        frames=LAYER_FRAMES,
        timeout_cycles=TIMEOUT_FACTOR * plan.est_ii_cycles * (LAYER_FRAMES + WARM_UP_FRAMES),
    )
    cycles = {tap.label: steady_cycles(tap) for tap in result.taps}
    _check_estimates(plan, cycles)
    return cycles


def _check_estimates(plan: HwPlan, cycles: Mapping[str, int]) -> None:
    wrong = [
        f"layer {unit.name!r}: {cycles[unit.name]} cycles per frame simulated, "
        f"{unit.cycles.bound} planned"
        for unit in plan.units
        if cycles[unit.name] != unit.cycles.bound
    ]
    if wrong:
        raise FlowError(
            f"the cycle model of {plan.graph_name!r} is wrong:\n"
            + "\n".join(f"  - {line}" for line in wrong)
            + "\n  This is a defect of the flow (a bubble, or a kernel with II > 1); report it."
        )
