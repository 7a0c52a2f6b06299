"""Doctor: every tool of the flow, whether it is there, and how to get what is missing.

Runs with the standard library of any Python from 3.8 on: most is missing where it is needed most.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from flow.commands._checks import Check
from flow.commands._parser import Parser

EPILOG = """\
It changes nothing and starts nothing but `--version` of the tools.
exit code: 0 everything needed is there, 1 something is missing
"""
FAILED = 1
NAMED = 3  # of the checks that one remedy helps


def main(arguments: list[str]) -> int:
    """Print a line for each tool, then what to do; 1 when something needed is missing."""
    parser = Parser(
        "doctor",
        "[option ...]",
        "Checks this machine: every tool, its version, what is missing and how to get it.",
        EPILOG,
    )
    add = parser.add_argument_group("options").add_argument
    add("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    checks = all_checks()
    failed = [check for check in checks if check.failed]
    if options.json:
        print(
            json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}, indent=1)
        )
    else:
        print("\n".join(text(checks)))
    return FAILED if failed else 0


def all_checks() -> list[Check]:
    """Everything that is looked at, in the order in which it is shown."""
    from flow.commands import _checks, _checks_packages, _checks_place

    return [*_checks.host(), *_checks_packages.packages(), *_checks_place.place()]


def text(checks: list[Check]) -> list[str]:
    """The table, what to do about it, and the verdict."""
    width = max(len(check.name) for check in checks)
    lines = [
        f"{check.state:<13}  {check.name:<{width}}  {check.shown()}".rstrip() for check in checks
    ]
    failed = [check for check in checks if check.failed]
    wished = [check for check in checks if not check.failed]
    for title, some in (("To do:", failed), ("If you like:", wished)):
        remedies = _remedies(some)
        lines += ["", title, *remedies] if remedies else []
    if failed:
        return [*lines, "", f"{len(failed)} of {len(checks)} checks failed."]
    return [*lines, "", "Everything needed is here: python flow/build.py --model kws"]


def _remedies(checks: list[Check]) -> list[str]:
    """Each once, with what it is for: the set-up helps many."""
    names: dict[str, list[str]] = {}
    for check in checks:
        if check.remedy:
            names.setdefault(check.remedy, []).append(check.name)
    return [f"  {remedy}  ({_few(some)})" for remedy, some in names.items()]


def _few(names: list[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
