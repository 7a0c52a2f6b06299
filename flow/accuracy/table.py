"""The rows as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flow.accuracy.schema import Measured, Row
from flow.commands._markdown import markdown_table
from flow.metrics import NAMES, as_text

HEADER = (
    "network", "bits", "metric", "float", "QKeras", "integer", "95 %", "baseline", "samples",
    "codes compared",
)  # fmt: skip
ALIGN = "<<<" + ">" * 7
NONE = "-"
PARTIAL = "partial AUC"
CHANCE = 0.5  # of a standardised partial AUC, too


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of the table and what its columns mean."""
    cells = [line for row in rows for line in _lines(row)]
    return [*markdown_table(HEADER, cells, ALIGN), "", *_legend(rows)]


def _lines(row: Row) -> Iterator[tuple[str, ...]]:
    yield (
        row.model, row.quant, NAMES[row.metric],
        *(as_text(one.value, row.metric) for one in (row.float_, row.qkeras, row.integer)),
        _interval(row.integer, row.metric), as_text(row.baseline, row.metric),
        f"{row.samples:,}", f"{row.codes_compared:,}",
    )  # fmt: skip
    if row.integer.partial_auc is not None:
        areas = (one.partial_auc for one in (row.float_, row.qkeras, row.integer))
        texts = (NONE if area is None else as_text(area, row.metric) for area in areas)
        chance = as_text(CHANCE, row.metric)
        yield (row.model, row.quant, PARTIAL, *texts, NONE, chance, f"{row.samples:,}", NONE)


def _interval(figure: Measured, metric: str) -> str:
    low, high = as_text(figure.low, metric), as_text(figure.high, metric)
    return f"{low.removesuffix(' %')} to {high}"


def _legend(rows: Sequence[Row]) -> list[str]:
    """A list item for each thing to know."""
    networks: dict[str, dict[str, None]] = {}
    for row in rows:
        networks.setdefault(row.dataset, {})[row.model] = None
    sets = "; ".join(f"{dataset} ({', '.join(names)})" for dataset, names in networks.items())
    items = [
        "95 %: confidence interval of the integer figure (Wilson; of an AUC Hanley and McNeil).",
        "Baseline: the answer is always the most frequent class; of an AUC, chance.",
        "Codes compared: QKeras against integers, at every layer; none differs.",
        f"Test sets: {sets}.",
    ]
    if any(row.integer.partial_auc is not None for row in rows):
        items.append("Partial AUC: false-positive rate below 0.1, standardised (McClish).")
    recorded = [f"{row.model}-{row.quant}" for row in rows if row.float_.origin == "recorded"]
    if recorded:
        those = "" if len(recorded) == len(rows) else f" of {', '.join(recorded)}"
        items.append(f"Float figures{those}: as recorded in training, not measured again.")
    items += dict.fromkeys(f"{row.model}: {row.note}" for row in rows if row.note)
    return [f"- {item}" for item in items]
