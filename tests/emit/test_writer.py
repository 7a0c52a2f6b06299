"""The project folder: text, determinism, manifest, protection of the ROM files, XLS failures."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from flow.emit import check_roms, load_project, write_project
from flow.emit import xls as emit_xls
from flow.emit.project import Project
from flow.errors import DataError, ToolFailed
from flow.plan import plan, plan_hash
from rtl_sim.harness import lint
from tests.emit.conftest import TARGET, Written

# XLS drops bits of a sum by a slice: the fraction behind a shift, the remainder of a division.
KERNEL_WAIVER = """\
`verilator_config
lint_off -rule UNUSEDSIGNAL -file "*/requant_*.v"
lint_off -rule UNUSEDSIGNAL -file "*/pool_*.v"
"""


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def copied(written: Written, folder: Path) -> Path:
    shutil.copytree(written.project.root, folder)
    return folder


def test_the_project_holds_all_that_it_names_and_nothing_else(written: Written) -> None:
    project = written.project
    roms = [rom.path for unit in project.units for rom in unit.roms]
    dslx = [f"{kernel}.x" for kernel in ("arith", "mac_conv", "requant_conv", "pool_pool")]
    names = {f"rtl/{name}" for name in (*project.sources, *roms, *dslx)}
    assert set(files(project.root)) == names | {"project.json", "README.md"}
    assert [unit.name for unit in project.units] == ["conv", "pool", "ingress", "egress"]
    for unit in project.units:
        assert set(unit.sources) <= set(project.sources)
    assert project.sources[-1] == "little_top.sv"
    assert project.top_module == "little_top"


def test_two_writes_give_identical_bytes(written: Written, tmp_path: Path) -> None:
    again = write_project(
        written.graph, written.plan, tmp_path / "elsewhere", jobs=1, xls_timeout_s=120
    )
    assert files(again.root) == files(written.project.root)


def test_no_file_holds_a_path_of_this_machine_or_a_time(written: Written) -> None:
    folders = [str(written.project.root), str(Path.home()), str(Path(__file__).parents[2]), "/tmp"]
    for name, content in files(written.project.root).items():
        text = content.decode()
        assert not [folder for folder in folders if len(folder) > 1 and folder in text], name
        assert not re.search(r"\b20\d\d-\d\d|\b\d\d:\d\d:\d\d", text), name


def test_generated_text_names_tool_and_plan(written: Written) -> None:
    header = f"plan {plan_hash(written.plan)[:16]}; generated, do not edit"
    for name in ("little_top", "unit_conv", "unit_pool", "unit_ingress", "unit_egress"):
        first = (written.project.rtl / f"{name}.sv").read_text().splitlines()[0]
        assert first.startswith("// shiftflow ")
        assert first.endswith(header)


def test_every_stream_is_declared_once_in_the_text(written: Written) -> None:
    for path in written.project.rtl.glob("unit_*.sv"):
        declared = re.findall(r"^  logic (?:\[\d+:0\] )?(\w+);$", path.read_text(), re.MULTILINE)
        assert len(declared) == len(set(declared))
    top = (written.project.rtl / "little_top.sv").read_text()
    for stream in ("ingress", "conv", "pool"):
        assert len(re.findall(rf"^  logic (?:\[\d+:0\] )?{stream}_tdata;$", top, re.M)) == 1
        assert len(re.findall(rf"\({stream}_tdata\)", top)) == 2


def test_the_whole_project_has_no_lint_warning(written: Written, tmp_path: Path) -> None:
    waiver = tmp_path / "waiver.vlt"
    waiver.write_text(KERNEL_WAIVER)
    sources = [waiver, *(written.project.rtl / source for source in written.project.sources)]
    lint(sources, written.project.top_module, tmp_path / "lint.log")


def test_lint_would_find_a_wrong_width(written: Written, tmp_path: Path) -> None:
    folder = copied(written, tmp_path / "wrong")
    unit = folder / "rtl" / "unit_conv.sv"
    text = re.sub(r"logic \[(\d+):0\] acc_tdata", "logic [1:0] acc_tdata", unit.read_text())
    unit.write_text(text)
    sources = [folder / "rtl" / source for source in written.project.sources]
    with pytest.raises(ToolFailed, match="WIDTH"):
        lint(sources, written.project.top_module, tmp_path / "lint.log")


def test_the_manifest_is_read_back_as_it_was_written(written: Written) -> None:
    assert load_project(written.project.root) == written.project
    assert written.project.plan_hash == plan_hash(written.plan)
    fields = json.loads((written.project.root / "project.json").read_text())
    assert fields["root"] == "."
    for unit in written.project.units:
        for rom in unit.roms:
            content = (written.project.rtl / rom.path).read_bytes()
            assert rom.sha256 == hashlib.sha256(content).hexdigest()
            assert len(content.splitlines()) == rom.depth


def test_a_moved_project_still_loads(written: Written, tmp_path: Path) -> None:
    moved = load_project(copied(written, tmp_path / "moved"))
    assert moved == replace(written.project, root=tmp_path / "moved")


def a_rom(project: Project) -> Path:
    return project.rtl / project.units[0].roms[0].path


@pytest.mark.parametrize("damage", ["changed", "longer", "missing"])
def test_a_damaged_rom_is_refused(written: Written, tmp_path: Path, damage: str) -> None:
    project = replace(written.project, root=copied(written, tmp_path / "damaged"))
    path = a_rom(project)
    content = path.read_bytes()
    if damage == "changed":
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    elif damage == "longer":
        path.write_bytes(content + b"0\n")
    else:
        path.unlink()
    for read in (load_project, lambda folder: check_roms(replace(project, root=folder))):
        with pytest.raises(DataError) as caught:
            read(project.root)
        found = "missing" if damage == "missing" else hashlib.sha256(path.read_bytes()).hexdigest()
        assert str(caught.value) == (
            f"ROM file {path} of layer 'conv' has sha256 {found}, "
            f"not {project.units[0].roms[0].sha256}.\n"
            "  It was changed after it was written; rerun with --from emit."
        )


@pytest.mark.parametrize("damage", ["broken", "missing key", "absent"])
def test_a_damaged_manifest_is_refused(written: Written, tmp_path: Path, damage: str) -> None:
    folder = copied(written, tmp_path / "damaged")
    manifest = folder / "project.json"
    fields = json.loads(manifest.read_text())
    if damage == "broken":
        manifest.write_text(manifest.read_text()[:-20])
    elif damage == "missing key":
        del fields["units"][0]["roms"]
        manifest.write_text(json.dumps(fields))
    else:
        manifest.unlink()
    with pytest.raises(DataError) as caught:
        load_project(folder)
    assert str(caught.value).startswith(f"the project manifest {manifest} cannot be read: ")
    assert str(caught.value).endswith("\n  Rerun the emit stage (--from emit).")


def test_a_failing_kernel_is_reported_with_its_log(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emit_xls, "render_kernel", lambda *_, **__: "pub proc Kernel { nonsense }")
    with pytest.raises(ToolFailed) as caught:
        write_project(written.graph, written.plan, tmp_path / "bad", jobs=1, xls_timeout_s=120)
    assert caught.value.log == tmp_path / "bad" / "rtl" / "mac_conv.xls.log"
    assert caught.value.log.read_text()
    assert "XLS job 'compile' on 'mac_conv.x' failed with exit code" in str(caught.value)
    assert "nonsense" in str(caught.value)
    assert not (tmp_path / "bad" / "project.json").exists()


def test_a_second_project_takes_equal_kernels_from_the_cache(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def must_not_run(*_: object) -> None:
        raise AssertionError("XLS was started")

    monkeypatch.setattr(emit_xls, "_work", must_not_run)
    again = write_project(
        written.graph, written.plan, tmp_path / "again", jobs=1, xls_timeout_s=120,
        cache_dir=written.kernels,
    )  # fmt: skip
    assert files(again.root) == files(written.project.root)


def test_another_plan_is_another_project(written: Written, tmp_path: Path) -> None:
    other = plan(written.graph, TARGET, 400)
    project = write_project(
        written.graph, other, tmp_path / "other", jobs=2, xls_timeout_s=120,
        cache_dir=written.kernels,
    )  # fmt: skip
    assert project.plan_hash != written.project.plan_hash
