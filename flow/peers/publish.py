"""What the comparison leaves: a JSON with its provenance, a table in docs/, one in README."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from flow.config import ROOT
from flow.data import SHIPPED_ARE
from flow.machine import cpu_model
from flow.marked_text import replace_between, write_text
from flow.peers.problem import KWS, SEED
from flow.peers.rows import Comparison
from flow.peers.table import short_table, summarise, summary_lines, table
from flow.provenance import COMPILER, all_versions, git_commit, tool_versions

JSON = ROOT / "reports" / "compare-hls4ml.json"
PAGE = ROOT / "docs" / "compare-hls4ml.md"
README = ROOT / "README.md"
BEGIN, END = (
    "<!-- compare-hls4ml: begin, made by make compare-hls4ml -->",
    "<!-- compare-hls4ml: end -->",
)


def publish(found: Comparison) -> None:
    """Write all three."""
    write_json(found, JSON)
    said = [_frames(found), "", "    " + "\n    ".join(summary_lines(summarise(found.rows)))]
    replace_between(PAGE, BEGIN, END, [*table(found.rows), "", *said])
    replace_between(README, BEGIN, END, [*short_table(found.rows), "", _frames(found)])


def write_json(found: Comparison, path: Path) -> None:
    """Rows and summary with the commit, tools, data and machine that made them."""
    content = {
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": git_commit(),
        "tools": all_versions() | tool_versions([COMPILER]),
        "cpu": {"model": cpu_model(), "count": os.cpu_count()},
        "seed": SEED,
        "data": {
            "name": found.data.path.name,
            "sha256": found.data.sha256,
            "is_real": found.data.is_real,
        },
        "summary": asdict(summarise(found.rows)),
        "rows": [asdict(row) for row in found.rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(content, indent=1) + "\n")


def _frames(found: Comparison) -> str:
    frames = {row.network: row.frames for row in found.rows}
    kind = (
        f"all {frames.get(KWS)} samples of {found.data.path.stem}"
        if found.data.is_real
        else f"the {frames.get(KWS)} shipped samples ({SHIPPED_ARE[KWS]})"
    )
    others = sorted({count for network, count in frames.items() if network != KWS})
    random = ", ".join(f"{count:,}" for count in others)
    return (
        f"kws: {kind}; the other networks: {random} random frames each. One core of: "
        f"{cpu_model()}, hls4ml 1.3.0."
    )
