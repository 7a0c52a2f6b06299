"""Rates of integer inference and its peers: goals, and the table of `flow/bench_inference.py`."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

RATIO_GOAL = 1.5  # engine / QKeras
GOALS = {"kws": 4500, "ad": 60_000, "ic": 2000, "vww": 1500}  # engine, inferences per second


@dataclass(frozen=True, slots=True)
class Rates:
    """Inferences per second of one network, on one core but for `all_cores`.

    `tflite` is None where there is no reference network; its architecture is the same, its
    bit-widths are 8 throughout. `stock` is None where stock hls4ml has no C simulation of the
    network; `stock_missing` then says why. `load_1min` is the machine's load average before
    anything of the network was measured or compiled.
    """

    model: str
    weights: str
    engine: float
    qkeras: float
    tflite: float | None
    stock: float | None
    stock_missing: str | None
    reference: float
    all_cores: float
    cores: int
    load_1min: float

    @property
    def met(self) -> bool:
        """Whether the goals of the network are."""
        return self.engine >= max(RATIO_GOAL * self.qkeras, GOALS.get(self.model, 0))


def markdown(rates: list[Rates]) -> str:
    """The rates as a Markdown table, and what is to be said about it."""
    rows = [f"| {' | '.join(_HEAD)} |", f"|---|{'---:|' * (len(_HEAD) - 1)}"]
    rows += [f"| {' | '.join(_cells(item))} |" for item in rates]
    return "\n".join([*rows, "", *_remarks(rates)])


def print_table(rates: list[Rates]) -> None:
    """Show the rates in the terminal."""
    table = Table(*_HEAD, "met", title="inferences per second (*: random weights)")
    for item in rates:
        table.add_row(*_cells(item), "yes" if item.met else "NO")
    console = Console()
    console.print(table)
    for remark in _remarks(rates):
        console.print(remark)


_HEAD = (
    "network", "engine", "QKeras", "TFLite", "hls4ml", "reference", "x QKeras", "x TFLite",
    "x hls4ml", "all cores",
)  # fmt: skip


def _cells(item: Rates) -> tuple[str, ...]:
    lite, stock = item.tflite, item.stock
    return (
        item.model if item.weights == "trained" else f"{item.model} *",
        f"{item.engine:,.0f}", f"{item.qkeras:,.0f}",
        "no file" if lite is None else f"{lite:,.0f}",
        "-" if stock is None else _few(stock), _few(item.reference),
        f"{item.engine / item.qkeras:.2f}",
        "" if lite is None else f"{item.engine / lite:.2f}",
        "" if stock is None else f"{item.engine / stock:,.0f}",
        f"{item.all_cores:,.0f} ({item.cores})",
    )  # fmt: skip


def _few(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _remarks(rates: list[Rates]) -> list[str]:
    loads = ", ".join(f"{item.model} {item.load_1min:.1f}" for item in rates)
    missing = [
        f"No C simulation of stock hls4ml for {item.model}: {item.stock_missing}."
        for item in rates
        if item.stock is None
    ]
    return [f"Load average (1 min) before each network: {loads}.", *missing]
