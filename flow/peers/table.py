"""The rows as Markdown, and the summary that ends the command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flow.commands._markdown import markdown_table
from flow.peers.flows import FLOWS, OURS
from flow.peers.problem import KWS
from flow.peers.row import Row

KWS_COMPILE_GOAL_S = 60.0
KWS_SPEED_GOAL = 10.0
HEADER = (
    "network", "alpha", "flow", "wrong", "wrong, rounded", "largest error (LSB)", "argmax equal",
    "accuracy", "compile (s)", "inf/s", "ours / stock",
)  # fmt: skip
ALIGN = "<<<" + ">" * 8
SHORT_HEADER = (
    "network", "alpha", *FLOWS, "inf/s, fastest stock", f"inf/s, {OURS}", "ratio",
)  # fmt: skip
NONE = "-"


@dataclass(frozen=True, slots=True)
class Summary:
    """What the rows come to. Shares are of outputs; speed ratios are ours / stock."""

    stock_rows: int
    stock_exact: int
    stock_failed: int
    worst_stock: str
    best_stock: str
    our_rows: int
    our_failed: int
    our_outputs: int
    our_wrong: int
    kws_compile_s: float | None  # the longest of ours
    kws_speed_ratio: float | None  # the least, against the fastest stock flow of the same model
    small_speed_ratios: tuple[float, float] | None  # least and largest of the other networks

    @property
    def is_exact(self) -> bool:
        """Whether every row of ours ran and none of its outputs is wrong."""
        return self.our_rows > 0 and self.our_failed == 0 and self.our_wrong == 0


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of the Markdown table, and of what failed below it."""
    failures = [row for row in rows if row.failed is not None]
    lines = markdown_table(HEADER, [_cells(row, rows, failures) for row in rows], ALIGN)
    if not failures:
        return lines
    notes = [f"{n}. {_label(row)}: `{_plain(row.failed)}`" for n, row in enumerate(failures, 1)]
    return [*lines, "", "What failed, by the first line of its error:", "", *notes]


def short_table(rows: Sequence[Row]) -> list[str]:
    """A line for each model: kws, and of the other networks the alpha that stock errs most with."""
    lines = []
    for network in dict.fromkeys(row.network for row in rows):
        models = [
            [row for row in rows if (row.network, row.alpha) == (network, alpha)]
            for alpha in dict.fromkeys(row.alpha for row in rows if row.network == network)
        ]
        chosen = models if network == KWS else [max(models, key=_stock_error)]
        lines += [_short_cells(model) for model in chosen]
    return markdown_table(SHORT_HEADER, lines, "<<" + ">" * (len(SHORT_HEADER) - 2))


def summarise(rows: Sequence[Row]) -> Summary:
    """Figures of the summary."""
    ours, stock = [r for r in rows if r.is_ours], [r for r in rows if not r.is_ours]
    judged = [row for row in stock if row.judged is not None]
    kws = [row for row in ours if row.network == KWS]
    small = [x for row in ours if row.network != KWS and (x := ratio(row, rows)) is not None]
    kws_ratios = [x for row in kws if (x := ratio(row, rows)) is not None]
    kws_seconds = [x for row in kws if (x := row.compile_cpu_s) is not None]
    return Summary(
        stock_rows=len(stock),
        stock_exact=sum(row.judged is not None and row.judged.wrong == 0 for row in stock),
        stock_failed=sum(row.failed is not None for row in stock),
        worst_stock=_described(max(judged, key=_error)) if judged else NONE,
        best_stock=_described(min(judged, key=_error)) if judged else NONE,
        our_rows=len(ours),
        our_failed=sum(row.failed is not None for row in ours),
        our_outputs=sum(row.judged.outputs for row in ours if row.judged is not None),
        our_wrong=sum(row.judged.wrong for row in ours if row.judged is not None),
        kws_compile_s=max(kws_seconds, default=None),
        kws_speed_ratio=min(kws_ratios, default=None),
        small_speed_ratios=(min(small), max(small)) if small else None,
    )


def ratio(row: Row, rows: Iterable[Row]) -> float | None:
    """Inferences/s of our row over those of the fastest stock flow of the same model."""
    speeds = [
        other.inferences_per_cpu_s
        for other in rows
        if (other.network, other.alpha) == (row.network, row.alpha)
        and not other.is_ours
        and other.inferences_per_cpu_s is not None
    ]
    if row.inferences_per_cpu_s is None or not speeds:
        return None
    return row.inferences_per_cpu_s / max(speeds)


def summary_lines(found: Summary) -> list[str]:
    """The summary as text."""
    lines = [
        f"stock hls4ml: {found.stock_exact} of {found.stock_rows} rows exact, "
        f"{found.stock_failed} failed",
        f"  worst: {found.worst_stock}",
        f"  best:  {found.best_stock}",
        f"shiftflow: {found.our_wrong:,} of {found.our_outputs:,} outputs wrong in "
        f"{found.our_rows} rows, {found.our_failed} failed",
    ]
    if found.small_speed_ratios is not None:
        least, most = found.small_speed_ratios
        lines.append(f"small networks: {least:.1f} to {most:.1f} x the fastest stock flow")
    if found.kws_compile_s is not None:
        met = _met(found.kws_compile_s <= KWS_COMPILE_GOAL_S)
        lines.append(
            f"kws: written and compiled in {found.kws_compile_s:.1f} s of processor time "
            f"(goal <= {KWS_COMPILE_GOAL_S:g} s: {met})"
        )
    if found.kws_speed_ratio is not None:
        met = _met(found.kws_speed_ratio >= KWS_SPEED_GOAL)
        lines.append(
            f"kws: {found.kws_speed_ratio:.1f} x the inferences/s of the fastest stock flow "
            f"(goal >= {KWS_SPEED_GOAL:g}: {met})"
        )
    return lines


def _short_cells(model: Sequence[Row]) -> tuple[str, ...]:
    """Of one model: the share of wrong outputs in each flow, each rounded to its nearest code."""
    by_flow = {row.flow: row for row in model}
    speeds = [s for row in model if not row.is_ours and (s := row.inferences_per_cpu_s) is not None]
    own = by_flow.get(OURS)
    ours = own.inferences_per_cpu_s if own is not None else None
    quotient = ratio(own, model) if own is not None else None
    return (
        _network(model[0]),
        model[0].alpha,
        *(_short_share(by_flow.get(flow)) for flow in FLOWS),
        _figure(max(speeds, default=None), ",.0f"),
        _figure(ours, ",.0f"),
        _figure(quotient, ".1f"),
    )


def _short_share(row: Row | None) -> str:
    if row is None:
        return NONE
    if row.judged is None:
        return "fails"
    return share(row.judged.wrong_rounded, row.judged.outputs)


def _network(row: Row) -> str:
    if row.qkeras_accuracy is None:
        return row.network
    return f"{row.network} (QKeras {_percent(row.qkeras_accuracy)})"


def _figure(value: float | None, form: str) -> str:
    return NONE if value is None else f"{value:{form}}"


def _stock_error(model: Sequence[Row]) -> tuple[float, float]:
    return max((_error(row) for row in model if not row.is_ours), default=(-1.0, -1.0))


def _cells(row: Row, rows: Sequence[Row], failures: Sequence[Row]) -> tuple[str, ...]:
    judged, quotient = row.judged, ratio(row, rows) if row.is_ours else None
    if judged is None:
        wrong = f"fails ({failures.index(row) + 1})"
        figures = (wrong, NONE, NONE, NONE, NONE)
    else:
        figures = (
            share(judged.wrong, judged.outputs),
            share(judged.wrong_rounded, judged.outputs),
            _number(judged.max_error_lsb),
            _percent(judged.argmax_agreement),
            NONE if judged.accuracy is None else _percent(judged.accuracy),
        )
    return (
        _network(row),
        row.alpha,
        row.flow,
        *figures,
        _figure(row.compile_cpu_s, ".1f"),
        _figure(row.inferences_per_cpu_s, ",.0f"),
        _figure(quotient, ".1f"),
    )


def share(part: int, whole: int) -> str:
    """A share in percent: '0' and '100 %' only where it is exactly that."""
    if part in (0, whole):
        return "100 %" if part else "0"
    percent = 100 * part / whole
    return f"{min(max(percent, 0.01), 99.99):.2f} %"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2g}"


def _error(row: Row) -> tuple[float, float]:
    if row.judged is None:
        return (-1.0, -1.0)
    return row.judged.wrong_rounded / row.judged.outputs, row.judged.max_error_lsb


def _described(row: Row) -> str:
    assert row.judged is not None
    one = row.judged
    return (
        f"{_label(row)}: {share(one.wrong, one.outputs)} of outputs wrong "
        f"({share(one.wrong_rounded, one.outputs)} after rounding), by up to "
        f"{_number(one.max_error_lsb)} LSB, argmax equal in {_percent(one.argmax_agreement)}"
    )


def _label(row: Row) -> str:
    who = "" if row.is_ours else "stock "
    return f"{row.network}, alpha {row.alpha}, {who}{row.flow}"


def _plain(text: str | None) -> str:
    return (text or "").replace("`", "'")


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"
