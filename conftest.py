"""Test policy of the whole project: in CI a skipped test is a failure, vendor tools aside."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

VENDOR_TOOLS = ("vitis", "vivado")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips itself where nothing may be missing."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(call.excinfo.value) if call.excinfo else "skipped by a mark"
        if not any(tool in reason.lower() for tool in VENDOR_TOOLS):
            report.outcome = "failed"
            report.longrepr = f"skipped in CI: {reason}"
    return report
