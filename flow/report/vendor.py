"""Keys of report.json that come from Vitis HLS and Vivado."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from flow.plan.hwplan import Target
from flow.report.simulated import rtl_run
from flow.synth.vitis.result import VitisSynth

SCOPE = "the whole network after Vivado's synthesis, not placed or routed"
ELSEWHERE = ("ran", "reason", "not_run")  # told under `not_run`

_ADAPTER = TypeAdapter(VitisSynth)


def vitis_section(vitis: VitisSynth | None) -> dict[str, Any] | None:
    """Section `vitis`; None where its tools were not run."""
    if vitis is None or not vitis.ran:
        return None
    values: dict[str, Any] = _ADAPTER.dump_python(vitis, mode="json")
    if vitis.rtl is not None:
        values["rtl"]["runs"] = [rtl_run(run) for run in vitis.rtl.runs]
    return {key: value for key, value in values.items() if key not in ELSEWHERE}


def not_run_section(vitis: VitisSynth | None) -> list[dict[str, str]]:
    """Section `not_run`."""
    return [{"what": step.what, "why": step.why} for step in (vitis.not_run if vitis else ())]


def vivado_synth(vitis: VitisSynth | None, target: Target) -> dict[str, Any] | None:
    """Section `synth` as Vivado measured it; None where it was not run."""
    if vitis is None or vitis.vivado is None:
        return None
    found = vitis.vivado
    used = {"lut": found.lut, "ff": found.ff, "dsp": found.dsp, "bram": found.bram36}
    fit = {
        name: round(100 * count / available, 2)
        for name, count in used.items()
        if (available := getattr(target, name))
    }
    return {
        "tool": f"Vivado {vitis.vivado_version or ''}".strip(),
        "target": target.name,
        "scope": SCOPE,
        **used,
        "device_fit": fit,
        "units": [],
        "warnings": [],
    }
