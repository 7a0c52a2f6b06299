"""How the page writes numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flow.metrics import NAMES, as_text

NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
SMALLEST_RATIO = 1e-4


def number(value: float | None, digits: int = 0) -> str:
    """Group the digits by thousands; None is a dash."""
    if value is None:
        return NONE
    return f"{value:,.{digits}f}".replace(",", NARROW_SPACE).replace("-", MINUS)


def share(value: float | None) -> str:
    """A share (0 to 1) as percent, rounded down: 100.0 % means all of it; None is a dash."""
    return NONE if value is None else f"{math.floor(1000 * value) / 10:.1f}{NARROW_SPACE}%"


def ratio(part: int, whole: int) -> str:
    """A share whose smallness matters: 0 % means none at all."""
    if 0 < part < SMALLEST_RATIO * whole:
        return f"< {100 * SMALLEST_RATIO:.2f}{NARROW_SPACE}%"
    return f"{100 * part / whole:.2f}{NARROW_SPACE}%" if part else f"0{NARROW_SPACE}%"


def percent(value: float | None) -> str:
    """Percent of a device; None is a dash."""
    return NONE if value is None else f"{value:.1f}{NARROW_SPACE}%"


def score(value: float | None, metric: str) -> str:
    """An accuracy as percent, any other metric as a number; None is a dash."""
    return NONE if value is None else as_text(value, metric).replace(" ", NARROW_SPACE)


def metric_name(metric: str) -> str:
    """How a metric is called in text."""
    return NAMES.get(metric, metric)


def heading(text: str) -> str:
    """The text with a large first letter; the others as they are, unlike `capitalize`."""
    return text[:1].upper() + text[1:]


def blocks(value: float) -> str:
    """Block RAM counts, whose halves matter."""
    return number(value, 0 if value == int(value) else 1)


def positive(value: int) -> str:
    """A count of which 0 means that there is none."""
    return number(value or None)


def shape(sizes: Sequence[int]) -> str:
    """Height, width, channels; a vector is its length."""
    return TIMES.join(map(str, sizes if sizes[0] * sizes[1] > 1 else sizes[2:]))


def interval(low: int, high: int) -> str:
    """All integers between two."""
    return number(low) if low == high else f"{number(low)} … {number(high)}"


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 10:
        return f"{seconds:.1f}{NARROW_SPACE}s"
    if seconds < 100:
        return f"{seconds:.0f}{NARROW_SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}{NARROW_SPACE}min {rest:02d}{NARROW_SPACE}s"


def shortened(name: str, length: int) -> str:
    """A name of at most `length` characters; its two ends tell most."""
    if len(name) <= length:
        return name
    head = (length - 1) // 2
    return f"{name[:head]}…{name[len(name) - (length - 1 - head) :]}"
