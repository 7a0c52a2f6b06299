"""The stage runner: what is made again, and what a failure leaves behind."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from flow.cache import (
    LOCK,
    RECORD,
    Notify,
    Outcome,
    Stage,
    hash_sources,
    locked,
    publish,
    publish_copy,
    run_stages,
)
from flow.errors import FlowError, StageBusy


class Recorder:
    """Two stages, `one` and `two` (which reads one's result), and what was made and noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[str] = []
        self.notes: list[str] = []
        self.inputs: dict[str, object] = {}
        self.sources = "v1"
        self.error: BaseException | None = None

    def stages(self) -> list[Stage]:
        return [
            Stage("one", (), self.sources, self.inputs, self._one),
            Stage("two", ("one",), "v1", {}, self._two),
        ]

    def run(self, **options: str) -> list[Outcome]:
        self.made.clear()
        notify = Notify(note=self.notes.append)
        return run_stages(self.stages(), self.folder, notify=notify, **options)

    def _one(self, work: Path, done: Mapping[str, Outcome]) -> None:
        self.made.append("one")
        (work / "sub").mkdir()
        (work / "sub" / "a.txt").write_text("a")

    def _two(self, work: Path, done: Mapping[str, Outcome]) -> None:
        self.made.append("two")
        (work / "half.txt").write_text("half")
        if self.error is not None:
            raise self.error
        (work / "b.txt").write_text((done["one"].folder / "sub" / "a.txt").read_text() + "b")


@pytest.fixture
def runner(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "run")


def test_second_run_makes_nothing_and_keeps_the_times(runner: Recorder) -> None:
    first = runner.run()
    second = runner.run()
    assert runner.made == []
    assert [outcome.cached for outcome in second] == [True, True]
    assert [outcome.seconds for outcome in second] == [outcome.seconds for outcome in first]
    assert (runner.folder / "two" / "b.txt").read_text() == "ab"


def test_changed_inputs_make_the_stage_and_those_that_need_it_again(runner: Recorder) -> None:
    runner.run()
    runner.inputs = {"width": 4}
    runner.run()
    assert runner.made == ["one", "two"]


def test_changed_sources_make_the_stage_again(runner: Recorder) -> None:
    runner.run()
    runner.sources = "v2"
    runner.run()
    assert runner.made == ["one", "two"]


def test_force_from_a_stage_makes_it_and_the_later_ones_again(runner: Recorder) -> None:
    runner.run()
    runner.run(force_from="two")
    assert runner.made == ["two"]
    runner.run(force_from="one")
    assert runner.made == ["one", "two"]


def test_until_stops_after_the_stage(runner: Recorder) -> None:
    assert [outcome.name for outcome in runner.run(until="one")] == ["one"]
    assert not (runner.folder / "two").exists()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(lambda path: path.write_text("x"), "has changed"), (Path.unlink, "is missing")],
)
def test_damaged_result_is_made_again_with_a_note(runner: Recorder, damage, reason) -> None:
    runner.run()
    damage(runner.folder / "one" / "sub" / "a.txt")
    runner.run()
    assert runner.made == ["one"]
    assert runner.notes == [
        f"one: the stored result is damaged (sub/a.txt {reason}); making it again."
    ]
    assert (runner.folder / "one" / "sub" / "a.txt").read_text() == "a"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": "k"}'])
def test_unreadable_record_is_no_result(runner: Recorder, text: str) -> None:
    runner.run()
    (runner.folder / "one" / RECORD).write_text(text)
    runner.run()
    assert runner.made == ["one"]


@pytest.mark.parametrize("error", [ValueError("bug"), KeyboardInterrupt(), SystemExit(1)])
def test_failed_stage_leaves_no_result_and_resumes(runner: Recorder, error) -> None:
    runner.error = error
    with pytest.raises(type(error)):
        runner.run()
    assert sorted(path.name for path in runner.folder.iterdir()) == [LOCK, ".two.tmp", "one"]
    runner.error = None
    runner.run()
    assert runner.made == ["two"]
    assert not (runner.folder / "two" / "half.txt.tmp").exists()
    assert sorted(path.name for path in runner.folder.iterdir()) == [LOCK, "one", "two"]


def test_failed_stage_keeps_the_older_result_out_of_use(runner: Recorder) -> None:
    runner.run()
    runner.inputs = {"width": 4}
    runner.error = ValueError("bug")
    with pytest.raises(ValueError):
        runner.run()
    runner.error = None
    runner.run()
    assert runner.made == ["two"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_explained(runner: Recorder, number: int) -> None:
    runner.error = OSError(number, os.strerror(number), "/disk/file")
    with pytest.raises(FlowError) as caught:
        runner.run()
    assert str(caught.value) == (
        "no space is left on the disk of /disk/file.\n"
        "  Free some space and run the same command again: finished stages are kept."
    )
    runner.error = None
    runner.run()
    assert runner.made == ["two"]


def test_full_disk_while_the_record_is_written_leaves_no_result(
    runner: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(FlowError, match="no space is left"):
            runner.run()
    assert not (runner.folder / "one").exists()
    runner.run()
    assert runner.made == ["one", "two"]


def test_other_errors_of_the_system_pass_unchanged(runner: Recorder) -> None:
    runner.error = PermissionError(errno.EACCES, "denied")
    with pytest.raises(PermissionError):
        runner.run()


def test_second_process_on_the_same_folder_fails_at_once(runner: Recorder) -> None:
    program = "import sys; from pathlib import Path; from flow.cache import locked\n" \
        "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", program, str(runner.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StageBusy) as caught:
            runner.run()
        other.communicate("")
    assert str(caught.value) == (
        f"another run (process {other.pid}) is working in {runner.folder}.\n"
        f"  Wait until it ends, or stop it with: kill {other.pid}"
    )
    assert runner.made == []
    runner.run()
    assert runner.made == ["one", "two"]


@pytest.mark.parametrize("noted", ["", "unknown", "99999999", "0x1"])
def test_owner_that_cannot_be_named_is_not_to_be_killed(tmp_path: Path, noted: str) -> None:
    with locked(tmp_path):
        (tmp_path / LOCK).write_text(noted)
        with pytest.raises(StageBusy) as caught, locked(tmp_path):
            pass
    assert str(caught.value) == (
        f"another run is working in {tmp_path}.\n  Wait until it ends."
    )  # fmt: skip


def test_lock_of_a_killed_process_is_free(runner: Recorder) -> None:
    program = "import sys; from pathlib import Path; from flow.cache import locked\n" \
        "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", program, str(runner.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        other.kill()
    assert (runner.folder / LOCK).read_text() == f"{other.pid}\n"
    runner.run()
    assert runner.made == ["one", "two"]


def test_what_is_done_at_the_end_holds_the_lock_and_explains_a_full_disk(tmp_path: Path) -> None:
    def publish(outcomes) -> None:
        with pytest.raises(StageBusy), locked(tmp_path):
            pass
        raise OSError(errno.ENOSPC, "No space left on device", "/disk/report")

    with pytest.raises(FlowError, match="no space is left on the disk of /disk/report"):
        run_stages([], tmp_path, at_end=publish)


def test_copy_is_published_once_and_without_the_record(tmp_path: Path) -> None:
    made, place = tmp_path / "made", tmp_path / "reports" / "run"
    made.mkdir()
    (made / "index.html").write_text("page")
    (made / RECORD).write_text("record")
    publish_copy(made, place)
    assert [path.name for path in place.iterdir()] == ["index.html"]
    before = place.stat().st_ino
    publish_copy(made, place)
    assert place.stat().st_ino == before
    (place / "index.html").write_text("damaged")
    publish_copy(made, place)
    assert (place / "index.html").read_text() == "page"


def test_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError), locked(tmp_path):
        raise ValueError
    with locked(tmp_path):
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"


def test_publish_replaces_a_folder_and_leaves_nothing_else(tmp_path: Path) -> None:
    for name in ("new", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    publish(tmp_path / "new", tmp_path / "place")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert (tmp_path / "place" / "file").read_text() == "new"


def test_record_holds_key_time_and_content(runner: Recorder) -> None:
    runner.run()
    record = json.loads((runner.folder / "one" / RECORD).read_text())
    assert sorted(record) == ["created_utc", "files", "key", "seconds"]
    assert list(record["files"]) == ["sub/a.txt"]


def test_source_hash_sees_content_and_names_but_no_tests(tmp_path: Path) -> None:
    folder = tmp_path / "flow"
    folder.mkdir()
    (folder / "a.py").write_text("1")

    def now() -> str:
        return hash_sources(tmp_path, ["flow"], frozenset({".py"}))

    before = now()
    (folder / "test_a.py").write_text("2")
    (folder / "a.txt").write_text("3")
    assert now() == before
    (folder / "a.py").write_text("4")
    changed = now()
    (folder / "a.py").rename(folder / "b.py")
    assert len({before, changed, now()}) == 3
