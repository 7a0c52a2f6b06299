"""Compare: figures of two runs side by side; a regression beyond its limit fails the command."""

from __future__ import annotations

from pathlib import Path

from flow.commands._parser import Parser, percent

LIMIT_PERCENT = 2.0
REGRESSION = 3  # exit code

EPILOG = """\
RUN is a name below reports/, a folder, or a report.json.
exit code: 0 no regression, 3 a figure of RUN_B is worse by more than its limit, 2 wrong use

example, with the report of the main branch kept as base.json:
  python flow/build.py compare base.json kws --limit 1
"""


def main(arguments: list[str]) -> int:
    """Print the table; 3 when something regressed beyond its limit, else 0.

    Raises:
        ConfigError, DataError: a report does not exist, is damaged, or the two do not compare.
    """
    parser = Parser(
        "compare",
        "RUN_A RUN_B [option ...]",
        "Shows what changed from RUN_A to RUN_B and fails on a regression.",
        EPILOG,
    )
    runs = parser.add_argument_group("runs")
    runs.add_argument("a", metavar="RUN_A", type=Path, help="what is compared with")
    runs.add_argument("b", metavar="RUN_B", type=Path, help="what is judged")
    add = parser.add_argument_group("options").add_argument
    add("--limit", metavar="PERCENT", type=percent, default=LIMIT_PERCENT,
        help=f"how much worse cycles and resources may get (default {LIMIT_PERCENT:g}); "
        "accuracies and mismatches may not get worse at all")  # fmt: skip
    add("--limit-seconds", metavar="PERCENT", type=percent,
        help="how much longer a stage may take (default: any)")  # fmt: skip
    add("--markdown", action="store_true", help="print Markdown tables")
    options = parser.parse_args(arguments)

    from flow.commands._comparison import compare  # not before the help text is out
    from flow.commands._comparison_text import lines
    from flow.commands._reports import load_report

    found = compare(
        load_report(options.a), load_report(options.b), options.limit, options.limit_seconds
    )
    print("\n".join(lines(found, options.markdown)))
    return REGRESSION if found.regressions else 0
