"""Opens a page at several widths, lets a script use it, and judges what the script found."""

from __future__ import annotations

import html
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.browser.chromium import dump_dom

HERE = Path(__file__).parent
WIDTHS = (360, 768, 1280)
COLLECT = """
const findings = [];
addEventListener("message", (event) => {
  findings.push(JSON.parse(event.data));
  document.getElementById("findings").textContent = JSON.stringify(findings);
});
"""


def probe(page: str, folder: Path, *flags: str) -> list[dict[str, Any]]:
    """What the probe found in the page, once per width, narrow to wide."""
    watched = page.replace("<head>", f"<head><script>{_script('watch.js')}</script>", 1)
    watched = watched.replace("</body>", f"<script>{_script('probe.js')}</script></body>", 1)
    (folder / "page.html").write_text(watched)
    frames = "".join(
        f'<iframe src="page.html" style="width:{width}px;height:900px;border:0"></iframe>'
        for width in WIDTHS
    )
    around = folder / "around.html"
    around.write_text(f"<!doctype html><script>{COLLECT}</script><pre id=findings>[]</pre>{frames}")
    dom = dump_dom(around, folder / "profile", *flags)
    found = re.search(r'<pre id="findings">(.*?)</pre>', dom, flags=re.S)
    assert found, f"the probe left no findings:\n{dom[:500]}"
    findings: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    return sorted(findings, key=lambda finding: int(finding["width"]))


def problems(findings: list[dict[str, Any]]) -> list[str]:
    """Everything that is wrong, each with the width at which it was seen."""
    seen = [finding["width"] for finding in findings]
    found = [] if seen == list(WIDTHS) else [f"probed at {seen}, not at {list(WIDTHS)}"]
    for finding in findings:
        found += [f"{finding['width']} px: {problem}" for problem in _problems(finding)]
    return found


def _problems(finding: dict[str, Any]) -> list[str]:
    found = []
    if finding["scroll_width"] > finding["width"]:
        found.append(f"page scrolls sideways, {finding['scroll_width']} px wide")
    if not finding["columns"] or not finding["links"]:
        found.append("no columns or no links")
    for column in finding["columns"]:
        found += _sort_problems(column, finding["network_order"])
    for link in finding["links"]:
        for check in ("reached", "highlighted", "visible"):
            if not link[check]:
                found.append(f"row of {link['name']} is not {check}")
    if finding["sticky"]["moved"] and abs(finding["sticky"]["offset"]) > 2:
        found.append("first column does not stay")
    found += [f"faint: {text}" for text in finding["faint"]]
    found += [f"request: {name}" for name in finding["requests"]]
    return found + [f"noted: {text}" for text in finding["noted"]]


def _sort_problems(column: dict[str, Any], network_order: list[str]) -> list[str]:
    found = [] if column["focused"] else [f"{column['help']}: no keyboard"]
    first, second, third = column["presses"]
    directions = ["ascending", "descending"]
    if column["numeric"]:
        directions.reverse()
    for press, direction in zip((first, second), directions, strict=True):
        if (press["aria"], press["marked"]) != (direction, 1):
            found.append(f"{column['help']}: aria-sort {press['aria']}, not {direction}")
        if not _in_order(press["values"], column["numeric"], direction):
            found.append(f"{column['help']}: not sorted, {press['values']}")
    if third["order"] != network_order or third["aria"] is not None:
        found.append(f"{column['help']}: network order does not come back")
    return found


def _in_order(values: list[str], numeric: bool, direction: str) -> bool:
    known = [value for value in values if value != ""]
    if any(value != "" for value in values[len(known) :]):
        return False  # those without a value stand last
    keys: list[Any] = [float(value) if numeric else _natural(value) for value in known]
    if direction == "descending":
        keys.reverse()
    return all(left <= right for left, right in pairwise(keys))


def _natural(name: str) -> list[tuple[int, str]]:
    """conv_2 comes before conv_10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part.replace("_", " ")) for part in parts]


def _script(name: str) -> str:
    return (HERE / name).read_text()
