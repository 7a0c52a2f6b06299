"""`build()` of the hls4ml back end with stand-ins for AMD's tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from flow.emit.hls4ml_backend import convert
from flow.errors import ToolFailed, ToolMissing
from flow.synth.vitis import NotRun, VitisSynth
from tests.synth.vitis.conftest import Little, Tools
from tests.synth.vitis.test_synthesise import CHECK


@pytest.fixture
def model(little: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The small network's ModelGraph; test_rtl.py runs the bench that is left out here."""
    module = sys.modules["flow.synth.vitis.synthesise"]
    monkeypatch.setattr(module, "check_rtl", lambda *a, **k: CHECK)
    return convert(little.graph, tmp_path / "model", engine="vitis", target="xc7z020", ii_cycles=80)


def test_build_returns_the_result_and_hls4mls_own_keys(model: Any, tools: Tools) -> None:
    tools.add("vitis-run")
    tools.add("vivado")
    model.write()
    root = Path(model.config.get_output_dir())
    (root / "tb_data/csim_results.log").write_text("1 2 3 4\n5 6 7 8\n")
    built = model.build(csim=False, synth=True, cosim=True, vsynth=True)
    report = built["report"]
    assert isinstance(report, VitisSynth) and report.not_run == ()
    assert report.csynth is not None and report.csynth.latency_max_cycles == 321
    assert report.rtl == CHECK
    theirs = built["hls4ml"]
    assert theirs["CSynthesisReport"]["WorstLatency"] == "321"
    assert theirs["VivadoSynthReport"]["DSP48E"] == "2"
    assert theirs["CosimReport"]["Status"] == "Pass"
    assert theirs["CSimResults"] == [["1", "2", "3", "4"], ["5", "6", "7", "8"]]
    assert (root / "little_prj/solution1/syn/report").is_dir()


def test_steps_that_were_not_asked_for_are_named(model: Any, tools: Tools) -> None:
    tools.add("vitis-run")
    tools.add("vivado")
    built = model.build(csim=False, synth=True)
    assert built["report"].not_run == (
        NotRun("Vitis HLS (co-simulation)", "not asked for"),
        NotRun("Vivado (logic synthesis)", "not asked for"),
    )
    assert set(built["hls4ml"]) == {"CSynthesisReport"}
    assert set(built) == {"plan", "report", "hls4ml"}


def test_a_missing_vivado_is_named_before_anything_runs(model: Any, tools: Tools) -> None:
    tools.add("vitis-run")
    with pytest.raises(ToolMissing, match="tool 'Vivado' is missing"):
        model.build(synth=True, vsynth=True)
    assert not Path(model.config.get_output_dir(), "little_prj").exists()


def test_steps_can_follow_in_later_builds(model: Any, tools: Tools) -> None:
    tools.add("vitis-run")
    tools.add("vivado")
    first = model.build(csim=False, synth=True)["report"]
    then = model.build(csim=False, vsynth=True)["report"]
    assert then.csynth == first.csynth
    assert then.vivado is not None and then.vivado.lut == 1987


def test_a_failed_synthesis_leaves_nothing_for_a_later_build(model: Any, tools: Tools) -> None:
    tools.add("vitis-run")
    tools.add("vivado")
    model.build(csim=False, synth=True, vsynth=True)
    tools.add("vitis-run", "crash")
    with pytest.raises(ToolFailed, match="its process died: Killed"):
        model.build(csim=False, synth=True)
    root = Path(model.config.get_output_dir())
    assert not list(root.glob("vivado_*.rpt")) and not list(root.rglob("*_csynth.xml"))
