"""config.yaml: what is read, and the message of everything that can be wrong in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from flow.config import CONFIG_FILE, ROOT, Config, choose, load_config
from flow.errors import ConfigError
from flow.plan.hwplan import Target


@pytest.fixture
def edited(tmp_path: Path):
    """Load config.yaml with some text replaced."""

    def load(*changes: tuple[str, str]) -> Config:
        text = CONFIG_FILE.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load_config(path)

    return load


def message(load, *changes: tuple[str, str]) -> list[str]:
    """The lines of the error without line numbers and without the path at the end."""
    with pytest.raises(ConfigError) as caught:
        load(*changes)
    first, *middle, last = str(caught.value).splitlines()
    assert last.startswith("  Correct ") and last.endswith("config.yaml.")
    return [first, *(re.sub(r" \(line \d+\):", ":", line.strip()) for line in middle)]


def test_shipped_file_describes_kws_and_two_devices() -> None:
    config = load_config()
    kws = config.model("kws")
    assert (kws.input_shape, kws.target, kws.target_ii_cycles) == ((49, 10, 1), "xc7z020", 8000)
    device = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0, "xc7z020clg400-1")
    assert config.target("xc7z020") == device
    assert config.target("lfe5u-85f").bram == 104
    assert config.tools.jobs >= 1


def test_shipped_file_describes_the_raw_input_of_every_network() -> None:
    from models.raw import RAW_INPUTS

    config = load_config()
    found = {name: (one.input_shape, one.raw_dtype) for name, one in config.models.items()}
    image = ((96, 96, 3), "uint8")
    assert found == {
        "ad": ((200, 128, 1), "float32"),
        "ic": ((32, 32, 3), "uint8"),
        "kws": ((49, 10, 1), "int8"),
        "vww": image,
        "vww_effnet": image,
        "vww_mbv2": image,
    }
    assert {name: raw.dtype for name, raw in RAW_INPUTS.items()} == {
        name: dtype for name, (_, dtype) in found.items() if dtype != "float32"
    }
    assert [name for name, one in config.models.items() if one.metric == "auc"] == ["ad"]
    assert config.model("ad").target_ii_cycles is None


def test_values_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_config().model("kws").frames = 1  # type: ignore[misc]


def test_data_folder_is_relative_to_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHIFTFLOW_DATA", raising=False)
    assert load_config().data_folder == (ROOT / "../shared/data").resolve()


def test_environment_overrides_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHIFTFLOW_DATA", str(tmp_path))
    assert load_config().data_folder == tmp_path


def test_layer_overrides_are_typed(edited) -> None:
    config = edited(("layers: {}", "layers: {conv2d: {pe: 8, products: lut}}"))
    override = config.model("kws").layers["conv2d"]
    assert (override.pe, override.simd, override.products) == (8, None, "lut")


def test_jobs_may_be_a_number(edited) -> None:
    assert edited(("jobs: auto", "jobs: 3")).tools.jobs == 3


def test_all_errors_are_reported_at_once(edited) -> None:
    lines = message(
        edited,
        ("lut: 53200", "luts: 53200"),
        ("family: ecp5", "family: ice40"),
        ("target: xc7z020", "target: xc7z02"),
        ("frames: 64 ", "frames: 6.5 "),
        ("dsp_budget: 0.85", "dsp_budget: 1.5"),
        ("layers: {}", "layers: {conv2d: {pe: 0, products: dsps}}"),
        ("jobs: auto", "jobs: fast"),
        ("seeds: [1, 2]", "seeds: [1, x]"),
    )
    assert lines == [
        "config.yaml has 10 errors:",
        "targets.xc7z020.lut: is missing.",
        "targets.xc7z020.luts: unknown key; allowed here: family, lut, ff, dsp, bram, clock_mhz, "
        "part.",
        "targets.lfe5u-85f.family: 'ice40' is not allowed; it must be xc7 or ecp5.",
        "models.kws.target: 'xc7z02' is not allowed; it must be one of the targets: "
        "xc7z020, lfe5u-85f.",
        "models.kws.frames: 6.5 is not allowed; it must be an integer in 1..100000.",
        "models.kws.dsp_budget: 1.5 is not allowed; it must be a share in 0..1.",
        "models.kws.layers.conv2d.pe: 0 is not allowed; it must be an integer of at least 1.",
        "models.kws.layers.conv2d.products: 'dsps' is not allowed; it must be lut or dsp.",
        "tools.jobs: 'fast' is not allowed; it must be auto, or an integer of at least 1.",
        "tools.simulation.seeds.1: 'x' is not allowed; it must be an integer in 0..4294967295.",
    ]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("seeds: [1, 2]", "seeds: [1, 4294967296]"),
         "tools.simulation.seeds.1: 4294967296 is not allowed; "
         "it must be an integer in 0..4294967295."),
        (("seeds: [1, 2]", "seeds: [-1]"),
         "tools.simulation.seeds.0: -1 is not allowed; it must be an integer in 0..4294967295."),
        (("stall_in_percent: 30", "stall_in_percent: 0"),
         "tools.simulation.stall_in_percent: 0 is not allowed; it must be an integer in 1..95."),
        (("stall_out_percent: 30", "stall_out_percent: 96"),
         "tools.simulation.stall_out_percent: 96 is not allowed; it must be an integer in 1..95."),
        (("timeout_s: 1800        #", "timeout_s: 0 #"),
         "tools.simulation.timeout_s: 0 is not allowed; "
         "it must be an integer number of seconds of at least 1."),
        (("clock_mhz: 100", "clock_mhz: .inf"),
         "targets.xc7z020.clock_mhz: inf is not allowed; it must be a number of MHz above 0."),
        (("dsp_budget: 0.85", "dsp_budget: .nan"),
         "models.kws.dsp_budget: nan is not allowed; it must be a share in 0..1."),
        (("frames: 64 ", "frames: 100001 "),
         "models.kws.frames: 100001 is not allowed; it must be an integer in 1..100000."),
        (("quant: mpq", "quant: int8"),
         "models.kws.quant: 'int8' is not allowed; it must be mpq or flat4 or flat8 or flat16."),
        (("metric: accuracy", "metric: recall"),
         "models.kws.metric: 'recall' is not allowed; it must be accuracy or auc."),
        (("models:\n", "models_to_come: [ad]\nmodels:\n"),
         "models_to_come: unknown key; allowed here: data, targets, models, tools."),
    ],
)  # fmt: skip
def test_value_out_of_range_is_refused(edited, change: tuple[str, str], text: str) -> None:
    assert message(edited, change) == ["config.yaml has 1 error:", text]


def load_text(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return load_config(path)


def test_yaml_error_names_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(tmp_path, "data:\n  folder: [a, b\ntools: 1\n")
    assert str(caught.value) == (
        "config.yaml, line 3, column 6: this is not valid YAML: "
        "expected ',' or ']', but got ':'.\n"
        f"  Correct {tmp_path / 'config.yaml'}."
    )


def test_error_names_the_line_of_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(tmp_path, "data:\n  folder: 7\ntools:\n  jobs: 0\n")
    assert "  data.folder (line 2): 7 is not allowed; it must be a path." in str(caught.value)
    assert "  tools.simulation (line 3): is missing." in str(caught.value)


def test_key_given_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(tmp_path, "data:\n  folder: a\n  folder: b\n")
    assert str(caught.value) == (
        "config.yaml, line 3: key data.folder appears twice, first in line 2.\n"
        "  Remove one of the two."
    )


@pytest.mark.parametrize("text", ["", "42", "- a", "null"])
def test_file_that_is_no_mapping_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"the file .* must be a mapping with the"):
        load_config(path)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == (
        f"cannot read {path}: No such file or directory.\n"
        "  Give an existing file with --config FILE."
    )


def test_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        load_config(path)


def test_choose_names_what_there_is() -> None:
    with pytest.raises(ConfigError) as unknown:
        choose("model", "x", ["a", "b"], ["c"])
    assert str(unknown.value) == "model 'x' is unknown; choose one of: a, b."
    with pytest.raises(ConfigError) as later:
        choose("model", "c", ["a", "b"], ["c"])
    assert str(later.value) == "model 'c' is not available yet; available: a, b."
