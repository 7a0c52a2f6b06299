"""Compile kernels with XLS and play them, all of one kind in one simulation model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flow.emit.kernels import STREAMS, KernelSpec, kernel_port
from flow.emit.xls import CompiledKernel, compile_kernels
from rtl_sim.harness import PROFILES, Profile, ProfileResult, pack
from rtl_sim.units.bench import BUILD_ROOT, Instance, Stream, bench_folder, play_in

COMPILE_JOBS = 2
COMPILE_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Beats:
    """All words of one stream in one run."""

    width: int
    words: Sequence[int]


@dataclass(frozen=True, slots=True)
class Case:
    """One kernel, what it is fed, and what must come out (the last stream of its kind)."""

    spec: KernelSpec
    streams: Mapping[str, Beats]
    use_dsp: bool = True

    @property
    def outputs(self) -> int:
        """Beats that must come out."""
        return len(self.streams[STREAMS[type(self.spec)][-1]].words)


@dataclass(frozen=True, slots=True)
class Played:
    """Results of all profiles; kernels and the probes of each profile are in the cases' order."""

    kernels: tuple[CompiledKernel, ...]
    profiles: list[ProfileResult]


def play_kernels(
    name: str, cases: Sequence[Case], profiles: Sequence[Profile] = PROFILES
) -> Played:
    """Compile and simulate all cases."""
    with bench_folder(name) as folder:
        kernels = compile_kernels(
            [case.spec for case in cases],
            folder / "rtl",
            jobs=COMPILE_JOBS,
            timeout_s=COMPILE_TIMEOUT_S,
            cache_dir=BUILD_ROOT / "xls_cache",
            use_dsp={case.spec.name: case.use_dsp for case in cases},
        )
        instances = [_instance(case) for case in cases]
        results = play_in(folder, instances, profiles=profiles, includes=[folder / "rtl"])
    return Played(kernels, results)


def assert_one_beat_per_cycle(case: Case, kernel: CompiledKernel, played: ProfileResult) -> None:
    """In a run without stalls: N beats in and out in N + pipeline cycles, no bubble anywhere."""
    (tap,) = (tap for tap in played.taps if tap.label.split()[0] == case.spec.name)
    steps = getattr(case.spec, "steps", 1)
    first = steps - 1 + kernel.pipeline_stages
    assert (tap.first_cycle, tap.last_cycle) == (first, first + steps * (case.outputs - 1)), (
        f"{case.spec.name}: outputs in cycles {tap.first_cycle} to {tap.last_cycle}, "
        f"expected {first} to {first + steps * (case.outputs - 1)}"
    )


def beats(elements: NDArray[np.int64], bits: int) -> Beats:
    """Pack [beats, elements] into words."""
    return Beats(bits * elements.shape[1], [pack(row.tolist(), bits) for row in elements])


def _instance(case: Case) -> Instance:
    streams = {
        name: Stream(kernel_port(case.spec, name), data.width, data.words)
        for name, data in case.streams.items()
    }
    *inputs, output = STREAMS[type(case.spec)]
    return Instance(case.spec.name, {}, [streams[name] for name in inputs], [streams[output]])
