"""Run a bench top through stall profiles, all in one simulation process, and collect its probes.

A bench top has the ports `clk, rst, source_stall[7:0], check_stall[7:0], seed[31:0], frames[31:0]`
in and `done` out (`done`: every checker that must be waited for has its words). The sources and
checkers inside are `stream_source`, `stream_tap` and `stream_check`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from flow.errors import ToolFailed
from rtl_sim.harness._results import PROFILES, Profile, ProfileResult, Tap, TapResult
from rtl_sim.harness._verilator import DEFAULT_TIMEOUT_S, Model, run

SPEC_VARIABLE = "SHIFTFLOW_PLAY"
MAX_SEED = 2**31 - 2  # Verilator takes 1 to 2**31 - 1


def play(
    model: Model,
    taps: Sequence[Tap],
    run_dir: Path,
    *,
    frames: int,
    timeout_cycles: int,
    profiles: Sequence[Profile] = PROFILES,
    stimuli: Path | None = None,
    grace_cycles: int = 200,
    plusargs: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> list[ProfileResult]:
    """Play `frames` frames under each profile; return what every probe counted.

    Differences and timeouts are in the results: the caller judges them. What is not reset starts
    with random values, drawn with the profiles' highest seed.

    Args:
        timeout_cycles: of one run; a run that takes longer is cut off and marked.
        stimuli: folder of the hexadecimal files of sources and probes; default `run_dir`.
            ROM files of the design are looked up relative to `run_dir`.
        grace_cycles: how long to look for surplus words after `done`.
        timeout_s: limit of the simulation process, all profiles together.

    Raises:
        ToolFailed: the simulation crashed, or did not end within its limit.
    """
    run_dir = run_dir.absolute()
    run_dir.mkdir(parents=True, exist_ok=True)
    spec = run_dir / f"{model.top}.play.json"
    answer = run_dir / f"{model.top}.results.json"
    answer.unlink(missing_ok=True)
    spec.write_text(
        json.dumps(
            {
                "answer": str(answer),
                "frames": frames,
                "timeout_cycles": timeout_cycles,
                "grace_cycles": grace_cycles,
                "profiles": [asdict(profile) for profile in profiles],
                "taps": [asdict(tap) for tap in taps],
            }
        )
    )
    folder = (stimuli or run_dir).absolute()
    finished = run(
        model,
        "rtl_sim.player",
        run_dir,
        plusargs=[f"+stimuli={folder}", *plusargs],
        env={**(env or {}), SPEC_VARIABLE: str(spec)},
        seed=1 + max(profile.seed for profile in profiles) % MAX_SEED,
        timeout_s=timeout_s,
    )
    if not answer.exists():
        raise ToolFailed(f"play of {model.top!r}", [model.top], 1, finished.log)
    return [_profile_result(item) for item in json.loads(answer.read_text())]


def _profile_result(item: dict[str, object]) -> ProfileResult:
    taps = item.pop("taps")
    assert isinstance(taps, list)
    results = [TapResult(**{**t, "frame_end_cycles": tuple(t["frame_end_cycles"])}) for t in taps]
    return ProfileResult(**item, taps=tuple(results))  # type: ignore[arg-type]
