"""The page in a real browser: sorting, links, widths, contrast, requests, print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flow.report import build_report, render_html
from tests.browser import chromium
from tests.browser.probe import WIDTHS, probe, problems
from tests.report.example import c_inputs, inputs, ran, timing
from tests.report.example_network import branching

pytestmark = pytest.mark.slow

REPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "good": lambda: build_report(inputs()),
    "failing": lambda: build_report(inputs(mismatches=17, timing=timing(151.2, 84.5))),
    "branching": lambda: branching(60),
    "in c": lambda: build_report(c_inputs()),
    "vendor": lambda: build_report(c_inputs(mismatches=17, vitis=ran())),
}


@pytest.fixture(params=REPORTS)
def page(request: pytest.FixtureRequest) -> str:
    """The page of each kind of report."""
    return render_html(REPORTS[request.param]())


@pytest.mark.parametrize("flags", [(), (chromium.DARK,)], ids=["light", "dark"])
def test_the_page_works_at_every_width(page: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    findings = probe(page, tmp_path, *flags)
    assert problems(findings) == []
    assert {finding["dark"] for finding in findings} == {flags == (chromium.DARK,)}


def test_the_probe_finds_what_is_broken(tmp_path: Path) -> None:
    page = render_html(REPORTS["good"]())
    for whole, broken in (
        ("<main>", '<main><p style="width: 99rem">wide</p><p style="color: #aaa">faint</p>'),
        ("return sign *", "return -sign *"),
        ('href="#layer-pool" class="node', 'href="#layer-none" class="node'),
        ("left: 0; background", "background"),
        ("</body>", '<img src="https://example.org/x.png"><script>missing()</script></body>'),
    ):
        assert whole in page
        page = page.replace(whole, broken)
    found = problems(probe(page, tmp_path))
    for sign in (
        "page scrolls sideways",
        'faint: P "faint"',
        "layer computes: not sorted",
        "row of pool is not reached",
        "row of pool is not highlighted",
        "first column does not stay",
        "noted: request: https://example.org/x.png",
        "noted: error: Uncaught ReferenceError: missing is not defined",
    ):
        assert any(sign in problem for problem in found), (sign, found)


def test_a_page_whose_script_fails_is_noticed_and_still_complete(tmp_path: Path) -> None:
    page = render_html(REPORTS["good"]())
    found = problems(probe(page.replace('"use strict";', "throw Error('off');", 1), tmp_path))
    assert sum("noted: error: Uncaught Error: off" in problem for problem in found) == len(WIDTHS)
    assert any("no keyboard" in problem for problem in found)
    assert not any("row of" in problem for problem in found)  # links need no script


def test_screens_are_drawn_and_dark_ones_are_dark(page: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page)
    images = {
        name: chromium.screenshot(
            tmp_path / "page.html", tmp_path / f"{name}.png", tmp_path / "profile", width, *flags
        )
        for name, width, flags in (
            ("phone", 500, ()),
            ("desktop", 1280, ()),
            ("dark", 1280, (chromium.DARK,)),
        )
    }
    assert all(image.startswith(b"\x89PNG") for image in images.values())
    assert min(map(len, images.values())) > 30_000  # an empty page has 10 kB
    assert images["dark"] != images["desktop"]


def test_the_page_can_be_printed(page: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page)
    pages = chromium.print_pages(
        tmp_path / "page.html", tmp_path / "page.pdf", tmp_path / "profile"
    )
    assert 3 <= pages <= 30


def test_a_missing_browser_is_a_failure_that_names_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        chromium.dump_dom(tmp_path / "page.html", tmp_path / "profile")
