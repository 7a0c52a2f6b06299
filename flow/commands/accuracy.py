"""Accuracy: the table of all trained networks, measured on their test sets."""

from __future__ import annotations

import os
from pathlib import Path

from flow.commands._parser import Parser

FOLDER = "accuracy"  # in build/

EPILOG = """\
Every network that has weights, with every set of bit-widths, on the test set that the record of its
weights names: float, QKeras, integers (fast engine), and QKeras against integers at every layer; a
single difference is an error. Rows whose weights, data and code are unchanged are not measured
again. The whole table is written to reports/accuracy.json and README.md; a part (--model, --quant)
is only printed.

example: python flow/build.py accuracy --float-models ../shared/float_models
"""


def main(arguments: list[str]) -> int:
    """Measure what is not up to date, publish the whole table, print it; 0.

    Raises:
        ConfigError, DataError: something that was asked for does not exist; nothing is measured.
        Mismatch: integers and QKeras differ; nothing is published.
    """
    parser = Parser(
        "accuracy",
        "[option ...]",
        "Measures the accuracy of all trained networks on their test sets.",
        EPILOG,
    )
    add = parser.add_argument_group("what to measure").add_argument
    add("--model", metavar="NAME", action="append", default=[], help="only this; may be repeated")
    add("--quant", metavar="NAME", action="append", default=[], help="only this; may be repeated")
    add("--data", metavar="FOLDER", type=Path, help="of the test sets (default: as config.yaml)")
    add("--float-models", metavar="FOLDER", type=Path,
        help="measure the float models, too (default: their figures as recorded)")  # fmt: skip
    add("--force", action="store_true", help="measure every row again")
    add("--config", metavar="FILE", type=Path, help="instead of config.yaml")
    options = parser.parse_args(arguments)

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from flow import runs
    from flow.accuracy.publish import check_places, publish  # not before the help text is out
    from flow.accuracy.rows import Wanted, measured_rows
    from flow.accuracy.table import table
    from flow.commands._log import open_log
    from flow.config import CONFIG_FILE, load_config
    from flow.terminal import Terminal

    wanted = Wanted(tuple(options.model), tuple(options.quant), options.data, options.float_models)
    config = load_config(options.config or CONFIG_FILE)
    if wanted.is_everything:
        check_places()
    open_log(runs.BUILD / FOLDER / "build.log", verbose=False)
    with Terminal("accuracy") as terminal:
        rows = measured_rows(
            config, wanted, runs.BUILD / FOLDER, force=options.force, notify=terminal.notify
        )
    if wanted.is_everything:
        publish(rows)
    print("\n".join(table(rows)))
    return 0
