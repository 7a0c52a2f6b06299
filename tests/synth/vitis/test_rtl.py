"""Verilog in Vitis' shape through the network's bench, and every way in which it must turn red."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from flow.emit import Project
from flow.emit.vitis import VitisProject, load_vitis_project
from flow.emit.vitis.tool import verilog_folder
from flow.errors import DataError, FlowError, Mismatch
from flow.graph import run_taps
from flow.simulate import StallSettings
from flow.synth.vitis import (
    Csynth,
    HlsResources,
    RtlCheck,
    VitisSynth,
    load_vitis_synth,
    save_vitis_synth,
    synthesise,
)
from flow.synth.vitis.rtl import check_rtl
from tests.faults import change_shift, copy_project, flip_weight_sign
from tests.synth.vitis.conftest import Little, Tools

pytestmark = pytest.mark.sim

NOTHING = HlsResources(0, 0, 0, 0, 0)
# the interval of reports/top_csynth.xml: the same bench, the same model
CSYNTH = Csynth(311, 321, 144, 145, 10.0, 7.162, NOTHING, NOTHING, ())
FRAMES = 6


class Checked(NamedTuple):
    little: Little
    verilog: Path
    folder: Path  # where the model is; another memory file needs no new one
    whole: VitisSynth
    result: RtlCheck


def with_verilog(little: Little, verilog: Path, root: Path) -> VitisProject:
    """The project as it is after C synthesis."""
    shutil.copytree(little.project.root, root)
    project = load_vitis_project(root)
    shutil.copytree(verilog, verilog_folder(project))
    return project


def check(project: VitisProject, little: Little, folder: Path) -> RtlCheck:
    return check_rtl(
        project, little.graph, little.plan, little.codes, CSYNTH, folder, timeout_s=300,
        stalls=StallSettings(30, 30, (1, 2)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def checked(little: Little, verilog: Path, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """The whole path, from the tools to the bench."""
    root = tmp_path_factory.mktemp("checked")
    with pytest.MonkeyPatch.context() as patch:
        tools = Tools(root / "bin", verilog, patch)
        tools.add("vitis-run")
        tools.add("vivado")
        whole = synthesise(
            little.project, little.plan, root, timeout_s=300, graph=little.graph,
            codes=little.codes, cosim=True,
        )  # fmt: skip
    assert whole.rtl is not None
    return Checked(little, verilog, root / "bench", whole, whole.rtl)


@pytest.fixture
def synthesised(checked: Checked, tmp_path: Path) -> VitisProject:
    """The project after C synthesis, in a folder of the test's own."""
    return with_verilog(checked.little, checked.verilog, tmp_path / "synthesised")


def test_the_result_holds_what_every_tool_said(checked: Checked, tmp_path: Path) -> None:
    whole = checked.whole
    assert (whole.tool, whole.version, whole.vivado_version) == ("vitis-run", "2024.1", "2024.1")
    assert (whole.ran, whole.reason, whole.not_run) == (True, None, ())
    assert whole.csynth is not None and whole.csynth.used.lut == 2345
    assert whole.cosim is not None and whole.cosim.latency_max_cycles == 322
    assert whole.vivado is not None and whole.vivado.bram36 == 1.5
    assert whole.timing is not None and whole.timing.fmax_mhz == 123.08
    save_vitis_synth(whole, tmp_path / "vitis.json")
    assert load_vitis_synth(tmp_path / "vitis.json") == whole


def test_every_word_of_both_ends_is_equal_under_all_stalls(checked: Checked) -> None:
    result, hw_plan = checked.result, checked.little.plan
    assert [run.stall_profile for run in result.runs] == ["none", "random", "random", "reset"]
    words = hw_plan.input_beats + 2 * hw_plan.output_beats  # the output as codes and framed
    assert [run.outputs_compared for run in result.runs] == [FRAMES * words] * 4
    assert (result.frames, result.mismatches) == (FRAMES, 0)
    assert result.words_compared == 4 * FRAMES * words


def test_cycles_are_those_of_the_hardware(checked: Checked) -> None:
    result, hw_plan = checked.result, checked.little.plan
    assert result.ii_cycles == hw_plan.est_ii_cycles
    assert hw_plan.est_ii_cycles < result.latency_cycles < 4 * hw_plan.est_ii_cycles
    free, *stalled, _ = result.runs
    assert all(run.cycles > free.cycles for run in stalled)


def rewritten(project: VitisProject, rtl: Project) -> None:
    """Give the project's memory files the content of changed RTL."""
    for unit in rtl.units:
        for rom in unit.roms:
            target = verilog_folder(project) / Path(rom.path).with_suffix(".dat").name
            target.write_bytes((rtl.rtl / rom.path).read_bytes())


@pytest.mark.parametrize("fault", ["weight", "constant"])
def test_one_wrong_memory_bit_is_red(
    checked: Checked, synthesised: VitisProject, rtl: Project, tmp_path: Path, fault: str
) -> None:
    graph, hw_plan, _, codes = checked.little
    copy = copy_project(rtl, tmp_path / "xls")
    x = run_taps(graph, codes)["codes"]
    if fault == "weight":
        changed = flip_weight_sign(copy, graph, hw_plan, "conv", x, seed=7)
    else:
        changed = change_shift(copy, graph, hw_plan, "conv")
    rewritten(synthesised, changed)
    with pytest.raises(Mismatch, match="stall profile 'none'") as caught:
        check(synthesised, checked.little, checked.folder)
    assert caught.value.layer == "pool"


def test_a_flipped_bit_of_a_table_is_red(checked: Checked, synthesised: VitisProject) -> None:
    table = verilog_folder(synthesised) / "little_identity_ROM_AUTO_1R.dat"
    words = table.read_text().split()
    table.write_text("\n".join(f"{int(word, 16) ^ 32:02x}" for word in words) + "\n")
    with pytest.raises(Mismatch, match="RTL against the integer reference"):
        check(synthesised, checked.little, checked.folder)


@pytest.mark.slow
def test_a_wrong_constant_in_the_verilog_is_red(
    checked: Checked, synthesised: VitisProject, tmp_path: Path
) -> None:
    top = verilog_folder(synthesised) / "little.v"
    text = top.read_text()
    assert "result_word |" in text
    top.write_text(text.replace("result_word |", "16'd1 ^ result_word |"))
    with pytest.raises(Mismatch) as caught:
        check(synthesised, checked.little, tmp_path / "bench")
    assert caught.value.layer == "pool"


@pytest.mark.slow
def test_verilog_that_never_answers_is_stopped(
    checked: Checked, synthesised: VitisProject, tmp_path: Path
) -> None:
    top = verilog_folder(synthesised) / "little.v"
    top.write_text(top.read_text().replace("codes_TVALID & ap_start", "1'b0"))
    with pytest.raises(FlowError, match=r"the RTL simulation is wrong(.|\n)*timeout after \d+"):
        check(synthesised, checked.little, tmp_path / "bench")


@pytest.mark.parametrize("path", ["/opt/build/little_identity_ROM_AUTO_1R.dat", "../x/{name}"])
def test_memory_files_are_found_wherever_the_verilog_looks(
    checked: Checked, synthesised: VitisProject, path: str
) -> None:
    source = verilog_folder(synthesised) / "little_identity_ROM_AUTO_1R.v"
    name = "little_identity_ROM_AUTO_1R.dat"
    source.write_text(source.read_text().replace(f"./{name}", path.format(name=name)))
    assert check(synthesised, checked.little, checked.folder) is not None
    text = (checked.folder / "rtl" / source.name).read_text()
    assert f'$readmemh("{name}", rom0)' in text


def test_a_missing_memory_file_is_named(checked: Checked, synthesised: VitisProject) -> None:
    missing = verilog_folder(synthesised) / "little_identity_ROM_AUTO_1R.dat"
    missing.unlink()
    with pytest.raises(DataError) as caught:
        check(synthesised, checked.little, checked.folder)
    assert str(caught.value) == (
        f"{missing.with_suffix('.v')} loads './{missing.name}', but {missing} is missing.\n"
        "  Run C synthesis again."
    )


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("input  [7:0] codes_TDATA;", "input  [5:0] codes_TDATA;",
         "codes_TDATA: expected input of 8 bits, found input of 6 bits"),
        ("output   result_TVALID;", "", "result_TVALID: expected output of 1 bit, found nothing"),
        ("input   ap_rst_n;", "", "ap_rst_n: expected input of 1 bit, found nothing"),
        ("input   ap_start;", "input   ap_start;\ninput  [31:0] s_axi_control_WDATA;",
         "s_axi_control_WDATA: an input that the bench does not know"),
    ],
)  # fmt: skip
def test_other_ports_than_the_pragmas_ask_for_are_refused(
    checked: Checked, synthesised: VitisProject, old: str, new: str, line: str
) -> None:
    top = verilog_folder(synthesised) / "little.v"
    text = top.read_text()
    assert old in text
    top.write_text(text.replace(old, new))
    with pytest.raises(DataError) as caught:
        check(synthesised, checked.little, checked.folder)
    assert str(caught.value) == (
        f"the ports of {top} are not those of the project's interface pragmas:\n  - {line}"
    )


@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_damaged_top_is_named(checked: Checked, synthesised: VitisProject, damage: str) -> None:
    top = verilog_folder(synthesised) / "little.v"
    if damage == "missing":
        top.unlink()
        expected = f"^{re.escape(str(top))}, the Verilog of the top module, cannot be read"
    else:
        top.write_text(top.read_text().partition("assign ap_done")[0])
        expected = f"^{re.escape(str(top))} holds no complete module 'little'"
    with pytest.raises(DataError, match=expected):
        check(synthesised, checked.little, checked.folder)
