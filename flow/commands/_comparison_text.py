"""A comparison as text: plain columns, or Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flow.commands._comparison import Better, Change, Comparison, Figure, Limit, Number
from flow.commands._markdown import columns, escape, markdown_table
from flow.commands._paths import short

Table = tuple[tuple[str, ...], list[tuple[str, ...]], str]  # header, rows, alignment


def lines(found: Comparison, markdown: bool) -> list[str]:
    """Reports, notes, tables, verdict."""
    return list(_markdown(found) if markdown else _plain(found))


def _plain(found: Comparison) -> Iterator[str]:
    yield from columns([("A", _title(found, "a")), ("B", _title(found, "b"))], "<<")
    yield from (f"note: {note}" for note in found.notes)
    for header, rows, align in _tables(found):
        yield from ("", *columns([header, *rows], align))
    yield from ("", *_verdict(found))


def _markdown(found: Comparison) -> Iterator[str]:
    first, *rest = _verdict(found)
    yield from (f"## {escape(first)}", "")
    yield from (
        f"- {escape(line.strip())}" for line in (*rest, *(f"note: {n}" for n in found.notes))
    )
    yield f"- A: {escape(_title(found, 'a'))}"
    yield f"- B: {escape(_title(found, 'b'))}"
    for header, rows, align in _tables(found):
        yield from ("", *markdown_table(header, rows, align))


def _title(found: Comparison, side: str) -> str:
    loaded = found.a if side == "a" else found.b
    report = loaded.content
    made = f"commit {report['git_commit'][:12]}, {report['created_utc']}"
    return f"{report['run']}, {made}, {short(loaded.path)}"


def _tables(found: Comparison) -> Iterator[Table]:
    rows = [_row(change) for change in found.figures]
    yield ("figure", "A", "B", "change", ""), rows, "<>>><"
    if found.layers:
        changed: list[tuple[str, ...]] = [
            (one.layer, one.key, _plain_value(one.a), _plain_value(one.b)) for one in found.layers
        ]
        yield ("layer that changed", "", "A", "B"), changed, "<<>>"
    if found.stages:
        rows = [_row(change) for change in found.stages]
        yield ("stage (s)", "A", "B", "change", ""), rows, "<>>><"


def _row(change: Change) -> tuple[str, ...]:
    figure = change.figure
    return (
        figure.label,
        _value(figure, change.a),
        _value(figure, change.b),
        _delta(change),
        _judgement(change),
    )


def _delta(change: Change) -> str:
    if change.a == change.b:
        return "="
    if change.percent is None:
        return ""
    if change.figure.unit == "%" and change.a is not None and change.b is not None:
        return f"{100 * (change.b - change.a):+.2f} points"
    return f"{change.percent:+.2f} %"


def _judgement(change: Change) -> str:
    if change.regressed:
        return "REGRESSION"
    if change.a == change.b or change.a is None or change.b is None:
        return ""
    if not change.judged:
        return "" if change.figure.limit is Limit.SECONDS else "not judged"
    improved = (change.b > change.a) == (change.figure.better is Better.HIGHER)
    return "better" if improved else "within the limit"


def _value(figure: Figure, value: Number | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if figure.unit == "%":
        return f"{100 * value:.2f} %"
    if figure.unit == "s":
        return f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _plain_value(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _verdict(found: Comparison) -> Sequence[str]:
    """The first line says it all; then a line for each regression."""
    count = len(found.regressions)
    if not count:
        return [f"no regression (limit {found.limits[Limit.PERCENT]:g} % for cycles and resources)"]
    return [
        f"{count} regression{'s' if count > 1 else ''} in B",
        *(f"  {_sentence(change, found)}" for change in found.regressions),
    ]


def _sentence(change: Change, found: Comparison) -> str:
    figure = change.figure
    label = f"stage {figure.label}" if figure.limit is Limit.SECONDS else figure.label
    limit = found.limits[figure.limit]
    allowed = f"allowed: {limit:g} %" if limit else "may not get worse"
    delta = f" ({_delta(change)})" if _delta(change) else ""
    values = f"{_value(figure, change.a)} -> {_value(figure, change.b)}"
    return f"{label}: {values}{delta}, {allowed}"
