"""Command line of the comparison with stock hls4ml; see `flow.peers`."""

from __future__ import annotations

import argparse
import os
import sys

from flow.errors import FlowError

FAILED, INTERRUPTED = 1, 130


def main(arguments: list[str] | None = None) -> int:
    """Make what is missing, print and publish the table; 1 when an output of ours is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m flow.peers",
        description="The same QKeras models through stock hls4ml and through shiftflow.",
        epilog="exit code: 0 none of our outputs is wrong, 1 one is, or a row of ours failed, "
        "130 interrupted; what was finished is kept",
    )
    parser.add_argument(
        "--only", metavar="TEXT", action="append", default=[],
        help="models whose name, <network>-<alpha>, holds TEXT; then nothing is published",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="measure every row again")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from flow.processes import interruptible

    try:
        with interruptible():
            return _run(options.only, options.force)
    except FlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it was.", file=sys.stderr)
        return INTERRUPTED


def _run(only: list[str], force: bool) -> int:
    from flow.peers.publish import publish
    from flow.peers.rows import compare
    from flow.peers.table import summarise, summary_lines, table
    from flow.terminal import Terminal

    with Terminal("compare-hls4ml") as terminal:
        found = compare(
            lambda name: not only or any(text in name for text in only),
            force=force,
            notify=terminal.notify,
        )
    summary = summarise(found.rows)
    if not only:
        publish(found)
    print("\n".join([*table(found.rows), "", *summary_lines(summary)]))
    return 0 if summary.is_exact else FAILED


if __name__ == "__main__":
    sys.exit(main())
