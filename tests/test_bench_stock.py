"""Stock hls4ml beside the engine: what it cannot do is an answer, and what it can is compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow import bench_stock
from flow.bench_stock import StockSimulation, stock_simulation
from flow.peers import flows, small, twin


class Converted:
    """What hls4ml gives; `error` None: it compiles."""

    def __init__(self, error: str | None) -> None:
        self.error = error

    def compile(self) -> None:
        print("x.h:1:2: error: no such type")
        if self.error:
            raise RuntimeError(self.error)

    def predict(self, x: Any) -> Any:
        return x


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set what either conversion gives, or raises."""
    monkeypatch.setattr(twin, "twin", lambda network, trained, alpha: f"{network} {alpha}")

    def set_both(hand_set: Any, default: Any = None) -> None:
        for name, answer in (("stock_hand_set", hand_set), ("stock_default", default)):

            def convert(model: str, folder: Path, answer: Any = answer) -> Any:
                assert (model, folder.name) == ("kws 1", bench_stock.PROJECT)
                if isinstance(answer, Exception):
                    raise answer
                return answer

            monkeypatch.setattr(flows, name, convert)

    return set_both


def test_a_network_is_converted_by_hand_set_precisions(
    fake: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(Converted(None), AssertionError("not needed"))
    made = stock_simulation("kws", None, tmp_path)
    assert made.missing is None
    assert made.predict is not None
    assert made.predict(3) == 3
    assert capsys.readouterr().out == ""  # the table alone goes there
    assert "error: no such type" in (tmp_path / bench_stock.LOG).read_text()


def test_what_the_rule_does_not_know_gets_hls4mls_own_configuration(
    fake: Any, tmp_path: Path
) -> None:
    fake(KeyError("Multiply"), Converted(None))
    assert stock_simulation("kws", None, tmp_path).predict is not None


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ((KeyError("A"), AssertionError("no merge\nso it is")),
         "conversion: AssertionError: no merge"),
        ((Converted("Failed to compile"),), "compilation: x.h:1:2: error: no such type"),
    ],
)  # fmt: skip
def test_what_fails_is_an_answer(
    fake: Any, tmp_path: Path, answers: tuple[Any, ...], missing: str
) -> None:
    fake(*answers)
    assert stock_simulation("kws", None, tmp_path) == StockSimulation(None, missing)


@pytest.mark.slow  # g++ compiles hls4ml's project
def test_a_network_is_compiled_and_computes_what_the_model_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = small.build("dense", 1, 1)
    monkeypatch.setattr(twin, "twin", lambda *_: model)
    made = stock_simulation("dense", None, tmp_path)
    assert made.predict is not None, made.missing
    x = small.inputs_of("dense", 20, 3)
    outputs = np.asarray(made.predict(x)).reshape(20, -1)
    np.testing.assert_array_equal(outputs, model.predict(x.astype(np.float32), verbose=0))
