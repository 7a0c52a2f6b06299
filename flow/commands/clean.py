"""Clean: removes what the flow made for runs, and nothing else."""

from __future__ import annotations

from flow.commands._parser import Parser

EPILOG = """\
A run's folder goes if nothing but the flow's own results is in it; other files stay, and are named.
Tools, downloaded data, reports/README.md and reports/bench-*.json are not touched.
"""


def main(arguments: list[str]) -> int:
    """Remove, say what and how much; 0.

    Raises:
        ConfigError: there is no such run.
        StageBusy: a run is being worked on.
        FlowError: something cannot be removed.
    """
    parser = Parser(
        "clean",
        "[RUN ...] [option ...]",
        "Removes the results of runs: build/RUN and reports/RUN.",
        EPILOG,
    )
    runs = parser.add_argument_group("runs")
    runs.add_argument("runs", metavar="RUN", nargs="*", help="such as kws; none given: all runs")
    add = parser.add_argument_group("options").add_argument
    add("--cache", action="store_true", help="also build/cache, what tools gave for all runs")
    add("--dry-run", action="store_true", help="only say what would be removed")
    options = parser.parse_args(arguments)

    from flow.commands._cleaning import clean  # not before the help text is out

    for line in clean(options.runs, options.cache, options.dry_run):
        print(line)
    return 0
