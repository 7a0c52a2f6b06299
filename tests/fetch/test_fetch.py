"""The whole way from an address to samples that the flow reads, and what is not done twice."""

from __future__ import annotations

import ast
import dataclasses
import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flow.cache import locked
from flow.config import ROOT, load_config
from flow.data import Source, load_samples
from flow.errors import ConfigError, DataError, StageBusy
from flow.fetch import DATASETS, _fetch, datasets, fetch, store
from flow.fetch.datasets import Archive, fetch_command
from tests.fetch.clips import NAMES, archive, official
from tests.fetch.server import Answer, Site, serve


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A small stand-in for the official archive, known under the name kws."""
    content = archive(tmp_path / "served.tar.gz", official()).read_bytes()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve(content) as running:
        pinned = Archive(running.url, len(content), hashlib.sha256(content).hexdigest())
        conversion = dataclasses.replace(datasets.KWS.conversion, samples=len(NAMES))
        kws = dataclasses.replace(datasets.KWS, archive=pinned, conversion=conversion)
        monkeypatch.setattr(datasets, "DATASETS", {**DATASETS, "kws": kws})
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_fetched_samples_load_with_their_note(site: Site, folder: Path) -> None:
    found = fetch("kws", folder)
    assert (found.path, found.samples) == (folder / "kws_test.npz", len(NAMES))
    assert "not the 1,000 of MLPerf-Tiny" in found.note
    assert found.licence.startswith("CC BY 4.0; credit: Pete Warden")
    samples = load_samples(Source(found.path, is_real=True), load_config().model("kws"))
    assert samples.x.shape == (len(NAMES), 49, 10, 1)
    assert samples.note == found.note
    with np.load(found.path) as stored:
        assert str(stored["source"]) == site.url
        assert str(stored["licence"]) == found.licence


def test_progress_runs_over_the_download_then_over_the_conversion(site: Site, folder: Path) -> None:
    size = len(site.content)
    steps: list[int] = []
    fetch("kws", folder, lambda done, total: steps.append(done))
    assert steps.count(0) == 1
    assert steps.index(size) < len(steps) - 1
    assert steps[-1] == size


def test_finished_file_is_not_made_again(site: Site, folder: Path) -> None:
    first = fetch("kws", folder)
    (folder / "downloads" / "clips.tar.gz").unlink()
    before = first.path.stat()
    assert fetch("kws", folder) == first
    assert first.path.stat() == before
    assert len(site.asked) == 1


def test_changed_recipe_converts_the_kept_archive_again_to_the_same_bytes(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fetch("kws", folder).path
    made = first.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(_fetch, "RECIPES", {"kws": ("models/raw.py",)})
        fetch("kws", folder)
        assert first.read_bytes() != made
    fetch("kws", folder)
    assert first.read_bytes() == made
    assert len(site.asked) == 1


@pytest.mark.parametrize("content", ["mine", "damaged"])
def test_file_that_was_not_fetched_is_left_alone(site: Site, folder: Path, content: str) -> None:
    path = folder / "kws_test.npz"
    if content == "mine":
        folder.mkdir()
        np.savez(path, x=np.zeros((1, 49, 10), np.int8), y=np.zeros(1, np.uint8))
    else:
        fetch("kws", folder)
        path.write_bytes(path.read_bytes()[:-300])
    before = path.read_bytes()
    with pytest.raises(DataError) as caught:
        fetch("kws", folder)
    assert str(caught.value).startswith(
        f"{path} exists, but it was not fetched from the official source, or it is damaged: "
    )
    assert str(caught.value).endswith(
        "\n  It is left alone. Move it away and run the same command again."
    )
    assert path.read_bytes() == before


def test_another_number_of_clips_is_an_error_and_nothing_is_stored(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kws = datasets.DATASETS["kws"]
    conversion = dataclasses.replace(kws.conversion, samples=4_890)
    changed = {**DATASETS, "kws": dataclasses.replace(kws, conversion=conversion)}
    monkeypatch.setattr(datasets, "DATASETS", changed)
    with pytest.raises(DataError, match=r"clips.tar.gz gave 22 samples, expected 4890\.\n"):
        fetch("kws", folder)
    assert not (folder / "kws_test.npz").exists()


def test_failed_download_stores_nothing(site: Site, folder: Path) -> None:
    site.answers = [Answer(status=404)]
    with pytest.raises(DataError, match="the server answered 404"):
        fetch("kws", folder)
    assert not (folder / "kws_test.npz").exists()


def test_disk_that_is_full_at_the_end_leaves_no_half_file(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.EDQUOT, "quota")

    fetch("kws", folder)
    (folder / "kws_test.npz").unlink()
    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(DataError, match="no space is left on the disk of"):
        fetch("kws", folder)
    assert sorted(one.name for one in folder.iterdir()) == [".lock", "downloads"]


def test_second_fetch_into_the_folder_is_refused(site: Site, folder: Path) -> None:
    with locked(folder), pytest.raises(StageBusy, match="another run"):
        fetch("kws", folder)


def test_unknown_data_set_lists_the_known_ones(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        fetch("speech", folder)
    assert str(caught.value) == ("data set 'speech' is unknown; choose one of: kws, ad, ic, vww.")


@pytest.mark.parametrize("name", ["ad", "ic", "vww"])
def test_data_set_that_cannot_be_converted_says_where_to_get_it(name: str, folder: Path) -> None:
    dataset = DATASETS[name]
    with pytest.raises(DataError) as caught:
        fetch(name, folder)
    message = str(caught.value)
    assert message.startswith(
        f"data set {name!r} ({dataset.title}) cannot be fetched: "
        "the flow does not convert it yet.\n"
        f"  Get it by hand from {dataset.page}; licence: {dataset.licence}."
    )
    assert ("SHA-256" in message) == (dataset.archive is not None)
    assert not folder.exists()


def test_registry_is_keyed_by_name_and_its_hashes_are_whole() -> None:
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        if dataset.archive:
            assert len(bytes.fromhex(dataset.archive.sha256)) == 32
    assert datasets.KWS.archive.file_name == "speech_commands_test_set_v0.02.tar.gz"
    assert fetch_command("kws") == "python flow/build.py fetch kws"


def test_recipe_names_every_module_that_decides_the_codes() -> None:
    recipe = set(_fetch.RECIPES["kws"])
    for name in recipe:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("models."):
                assert f"{node.module.replace('.', '/')}.py" in recipe
