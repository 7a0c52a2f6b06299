"""Runs as Markdown, as GitHub shows it on the page of a job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flow.commands._attempt import Attempt
from flow.commands._markdown import escape, fenced, markdown_table
from flow.summary import summarise

# heading, alignment, key of a layer that must be there, text
COLUMNS: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("layer", "<", "name", lambda layer: str(layer["name"])),
    ("op", "<", "op", lambda layer: str(layer["op"])),
    ("w / a bits", "<", "a_bits", lambda layer: f"{layer['w_bits'] or '-'} / {layer['a_bits']}"),
    ("PE x SIMD", "<", "pe", lambda layer: f"{layer['pe']} x {layer['simd']}"),
    ("cycles est.", ">", "est_cycles", lambda layer: f"{layer['est_cycles']:,}"),
    ("cycles sim.", ">", "sim_cycles", lambda layer: f"{layer['sim_cycles']:,}"),
    ("utilisation", ">", "utilisation", lambda layer: f"{100 * layer['utilisation']:.1f} %"),
    ("LUT", ">", "synth_lut", lambda layer: f"{layer['synth_lut']:,}"),
    ("DSP", ">", "synth_dsp", lambda layer: f"{layer['synth_dsp']:,}"),
    ("BRAM36", ">", "synth_bram", lambda layer: f"{layer['synth_bram']:g}"),
    ("words compared", ">", "words_compared", lambda layer: f"{layer['words_compared']:,}"),
    ("mismatches", ">", "mismatches", lambda layer: f"{layer['mismatches']:,}"),
)


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
        yield from _folded(f"{len(report['layers'])} layers", _layers(report["layers"]))
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


def _layers(layers: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of the columns in which a layer has a value."""
    columns = [one for one in COLUMNS if any(layer[one[2]] is not None for layer in layers)]
    rows = [
        ["" if layer[key] is None else text(layer) for _, _, key, text in columns]
        for layer in layers
    ]
    header, align, _, _ = zip(*columns, strict=True)
    return markdown_table(header, rows, "".join(align))
