"""What builds leave in a folder: all of it, and whether it is whole."""

from __future__ import annotations

import json
from pathlib import Path

from flow.cache import LOCK, RECORD, hash_file


def results(folder: Path) -> dict[str, str]:
    """All files of build/ and reports/ with their content; of records what is no time."""
    return {
        path.relative_to(folder).as_posix(): _content(path)
        for part in ("build", "reports")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file() and path.name not in (LOCK, "build.log")
    }


def _content(path: Path) -> str:
    if path.name != RECORD:
        return path.read_text()
    record = json.loads(path.read_text())
    return f"{record['key']} {sorted(record['files'].items())}"


def check_whole(folder: Path) -> None:
    """What carries the name of a result is complete."""
    for place in (folder / "build" / "kws").glob("[!.]*/"):
        record = json.loads((place / RECORD).read_text())
        assert all(hash_file(place / name) == sha for name, sha in record["files"].items())
    report = folder / "reports" / "kws"
    if report.exists():
        assert {"index.html", "report.json"} <= {path.name for path in report.iterdir()}
