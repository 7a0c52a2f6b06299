"""Options of the hls4ml back end `Shift`, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from numbers import Integral
from typing import Any

from flow.emit.hls4ml_backend import NAME
from flow.emit.vitis.layers import IO_TYPES
from flow.emit.vitis.tool import Steps
from flow.errors import ConfigError
from flow.plan import Override

ENGINES = ("xls", "vitis")
BUILD_OPTIONS = {
    "xls": ("simulate", "synth"),
    "vitis": tuple(field.name for field in fields(Steps)),
}
DEFAULT_II_CYCLES = 8000


def initial_config(
    target: str = "xc7z020",
    engine: str = "xls",
    io_type: str = "io_stream",
    ii_cycles: int | None = DEFAULT_II_CYCLES,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    plan_file: str | None = None,
    jobs: int = 2,
    xls_timeout_s: float = 600,
    cache_dir: str | None = None,
    progress: Callable[[str, float], None] | None = None,
    **unknown: Any,
) -> dict[str, Any]:
    """Options of the back end.

    Args:
        target: a device of config.yaml; it also says the clock and AMD's part.
        engine: 'xls' (RTL without vendor tools) or 'vitis' (C++ for Vitis HLS).
        io_type: 'io_stream', or, with engine 'vitis', 'io_parallel'.
        ii_cycles: cycles between two frames that the planner aims at; None: as few as it can.
        layers: overrides by layer name: {'conv2d': {'pe': 8, 'simd': 10}}.
        plan_file: a saved HwPlan that replaces planning.
        jobs: kernels that XLS compiles at the same time.
        cache_dir: where compiled kernels and libraries are kept.

    Raises:
        ConfigError: an option that does not exist, or a value that is not available.
    """
    _check_choice("engine", engine, ENGINES)
    _check_choice("io_type", io_type, IO_TYPES if engine == "vitis" else IO_TYPES[:1], engine)
    _check_cycles(ii_cycles)
    _check_overrides(layers or {})
    _check_unknown(unknown)
    return {
        "Engine": engine,
        "Target": target,
        "TargetCycles": ii_cycles,
        "Layers": dict(layers or {}),
        "PlanFile": plan_file,
        "Jobs": jobs,
        "XlsTimeout": xls_timeout_s,
        "CacheDir": cache_dir,
        "Progress": progress,
        "IOType": io_type,
        "HLSConfig": {},
    }


def check_build_options(engine: str, options: Mapping[str, Any]) -> None:
    """Raise ConfigError for an option of `build()` that the engine does not have."""
    allowed = BUILD_OPTIONS[engine]
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ConfigError(
            f"build() has no option {unknown} with engine {engine!r}.\n"
            f"  Its options: x, frames, {', '.join(allowed)}."
        )


def _check_choice(label: str, value: str, allowed: Sequence[str], engine: str = "") -> None:
    if value not in allowed:
        where = f" with engine {engine!r}" if engine else ""
        raise ConfigError(
            f"{label} {value!r} is not available{where}; choose one of: {', '.join(allowed)}."
        )


def _check_cycles(ii_cycles: int | None) -> None:
    if ii_cycles is not None and (not isinstance(ii_cycles, Integral) or ii_cycles < 1):
        raise ConfigError(
            f"ii_cycles={ii_cycles!r} is not allowed; choose a whole number from 1, or None for as "
            "few as the device allows."
        )


def _check_unknown(unknown: Mapping[str, Any]) -> None:
    if not unknown:
        return
    named = {"part", "clock_period"} & set(unknown)
    advice = "\n  Part and clock are the target's, in config.yaml." if named else ""
    raise ConfigError(
        f"back end {NAME!r} has no option {sorted(unknown)}.\n"
        "  Its options: target, engine, io_type, ii_cycles, layers, plan_file, jobs, "
        f"xls_timeout_s, cache_dir.{advice}"
    )


def _check_overrides(layers: Mapping[str, Mapping[str, Any]]) -> None:
    allowed = [field.name for field in fields(Override)]
    for name, layer in layers.items():
        unknown = sorted(set(layer) - set(allowed))
        if unknown:
            raise ConfigError(
                f"layers[{name!r}] has no option {unknown}; its options: {', '.join(allowed)}."
            )
