"""Runs as Markdown, as GitHub shows it on the page of a job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flow.commands._attempt import Attempt
from flow.commands._markdown import escape, fenced, markdown_table
from flow.summary import summarise

LAYER_HEADER = (
    "layer", "op", "w / a bits", "PE x SIMD", "cycles est.", "cycles sim.", "utilisation",
    "LUT", "DSP", "BRAM36", "words compared", "mismatches",
)  # fmt: skip


def run_summary(attempts: Sequence[Attempt]) -> str:
    """For each run its verdict, figures, layers and stages."""
    return "".join(f"{line}\n" for attempt in attempts for line in _lines(attempt))


def _lines(attempt: Attempt) -> Iterator[str]:
    yield from (f"## {escape(attempt.name)}: {verdict(attempt)}", "")
    if attempt.problem is not None:
        yield from (*fenced(attempt.problem), "")
    figures = summarise(attempt.reached)
    if figures:
        yield from (*markdown_table(("figure", "value"), figures, "<<"), "")
    if attempt.finished is not None and attempt.finished.report is not None:
        report = json.loads((attempt.finished.report / "report.json").read_text())
        rows = [_layer(layer) for layer in report["layers"]]
        table = markdown_table(LAYER_HEADER, rows, "<<<<>>>>>>>>")
        yield from _folded(f"{len(rows)} layers", table)
    if attempt.outcomes:
        stages = [
            (outcome.name, "cached" if outcome.cached else f"{outcome.seconds:.1f}")
            for outcome in attempt.outcomes
        ]
        yield from _folded("stages", markdown_table(("stage", "seconds"), stages, "<>"))


def verdict(attempt: Attempt) -> str:
    """One word, or a few more where the run did not come to its end."""
    if attempt.error is not None:
        word = "interrupted" if isinstance(attempt.error, KeyboardInterrupt) else "failed"
        return f"{word} in stage {attempt.stage}" if attempt.stage else word
    if attempt.finished is None:
        return "not run"
    stopped = attempt.last is not None and attempt.finished.report is None
    return f"done up to stage {attempt.last}" if stopped else "passed"


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"<details><summary>{title}</summary>", "", *lines, "", "</details>", "")


def _layer(layer: Mapping[str, Any]) -> tuple[str, ...]:
    used = layer["utilisation"]
    return (
        layer["name"],
        layer["op"],
        f"{layer['w_bits'] or '-'} / {layer['a_bits']}",
        f"{layer['pe']} x {layer['simd']}",
        f"{layer['est_cycles']:,}",
        f"{layer['sim_cycles']:,}",
        "" if used is None else f"{100 * used:.1f} %",
        f"{layer['synth_lut']:,}",
        f"{layer['synth_dsp']:,}",
        f"{layer['synth_bram']:g}",
        f"{layer['words_compared']:,}",
        f"{layer['mismatches']:,}",
    )
