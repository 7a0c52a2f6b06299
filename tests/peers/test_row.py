"""A flow that fails, at whatever point, is a result; one that runs is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow.peers import row as rows
from flow.peers.problem import Problem
from flow.peers.row import first_error, load_row, measure, save_row

CODES = np.array([[1, 2], [3, -4], [0, 5]])


class Converted:
    """An hls4ml ModelGraph as far as a row needs it."""

    def __init__(
        self,
        compile_it: Callable[[], Any] = lambda: None,
        predict: Callable[[np.ndarray], Any] = lambda x: x,
    ) -> None:
        self.compile = compile_it
        self.predict = predict


def problem(network: str = "dense") -> Problem:
    real = CODES * 0.5
    labels = np.array([1, 0, 1])
    return Problem(network, "auto", None, None, real, CODES, -1, labels, 0.5)


def fail(text: str) -> Callable[..., Any]:
    def failing(*args: Any) -> Any:
        raise RuntimeError(text)

    return failing


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., rows.Row]:
    def run(flow: Callable[..., Any], network: str = "dense", log: str = "") -> rows.Row:
        (tmp_path / "log").write_text(log)
        monkeypatch.setitem(rows.FLOWS, "default", flow)
        return measure(
            problem(network), "default", tmp_path / "project", tmp_path / "log", tmp_path / "turn"
        )

    return run


def test_a_flow_that_runs_is_judged_and_timed(measured: Any, tmp_path: Path) -> None:
    made = measured(lambda problem, folder: Converted())
    assert made.failed is None
    assert made.judged.wrong == 0
    assert made.judged.accuracy == 1.0
    assert (made.network, made.alpha, made.flow, made.frames) == ("dense", "auto", "default", 3)
    assert made.compile_cpu_s >= 0
    assert made.inferences_per_cpu_s > 0
    assert made.qkeras_accuracy == 0.5
    save_row(made, tmp_path)
    assert load_row(tmp_path / rows.FILE) == made


def test_wrong_outputs_are_counted(measured: Any) -> None:
    made = measured(lambda problem, folder: Converted(predict=lambda x: x + 0.5))
    assert (made.judged.wrong, made.judged.max_error_lsb) == (6, 1.0)


def test_a_failing_conversion_is_a_row(measured: Any, tmp_path: Path) -> None:
    made = measured(fail("Unsupported layer\nand more"))
    assert made.failed == "conversion: RuntimeError: Unsupported layer"
    assert made.judged is None
    save_row(made, tmp_path)
    assert load_row(tmp_path / rows.FILE) == made


def test_a_failing_compilation_shows_the_first_error_of_the_compiler(measured: Any) -> None:
    flow = lambda problem, folder: Converted(compile_it=fail("Failed to compile"))  # noqa: E731
    log = "In file included\nfirmware/a.h:1: error: no member\nfirmware/a.h:2: error: other\n"
    assert measured(flow, log=log).failed == "compilation: firmware/a.h:1: error: no member"
    assert measured(flow).failed == "compilation: RuntimeError: Failed to compile"


def test_a_failing_simulation_keeps_the_compile_time(measured: Any) -> None:
    made = measured(lambda problem, folder: Converted(predict=fail("")))
    assert made.failed == "simulation: RuntimeError: "
    assert made.compile_cpu_s is not None


def test_outputs_that_change_from_run_to_run_are_a_failure(measured: Any) -> None:
    rng = np.random.default_rng(0)
    made = measured(lambda problem, folder: Converted(predict=lambda x: rng.random(x.shape)))
    assert made.failed == (
        "simulation: FlowError: two runs on the same inputs gave different outputs."
    )


def test_a_large_network_is_timed_on_its_first_frames(
    measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "TIMED_FRAMES", {"kws": 2})
    sizes: list[int] = []

    def predict(x: np.ndarray) -> np.ndarray:
        sizes.append(len(x))
        return x

    made = measured(lambda problem, folder: Converted(predict=predict), network="kws")
    assert sizes == [3, 2, 2, 2]
    assert made.judged.outputs == CODES.size


def test_timing_stays_on_one_core_and_gives_the_others_back(measured: Any) -> None:
    import os

    before = os.sched_getaffinity(0)
    seen: list[int] = []

    def predict(x: np.ndarray) -> np.ndarray:
        seen.append(len(os.sched_getaffinity(0)))
        return x

    measured(lambda problem, folder: Converted(predict=predict))
    assert seen[1:] == [1] * rows.REPEATS
    assert os.sched_getaffinity(0) == before


def test_timing_waits_for_its_turn(measured: Any, tmp_path: Path) -> None:
    import fcntl

    def is_free() -> bool:
        with (tmp_path / "turn").open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    free: list[bool] = []

    def predict(x: np.ndarray) -> np.ndarray:
        free.append(is_free())
        return x

    measured(lambda problem, folder: Converted(predict=predict))
    assert free == [True, *[False] * rows.REPEATS]
    assert is_free()


def test_a_log_without_an_error_has_no_first_one(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("all is well\n")
    assert first_error(tmp_path / "log") is None
