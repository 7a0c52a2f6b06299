"""Command line: from a trained network to checked RTL and a report.

python flow/build.py --model kws
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import logging
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flow.errors import FlowError

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("pydantic", "yaml", "rich", "hls4ml", "tensorflow")
BUILD = "build"  # what no command stands for
# modules of flow.commands
COMMANDS = ("doctor", "fetch", "analyse", "accuracy", "compare", "clean")
RESUMED = (BUILD, "fetch", "accuracy")  # commands that go on where they were interrupted
FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit code."""
    from flow.commands._log import close_logs
    from flow.errors import FlowError
    from flow.processes import interruptible

    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    command = BUILD
    try:
        with interruptible():
            command, rest = _split(arguments)
            code: int = importlib.import_module(f"flow.commands.{command}").main(rest)
            sys.stdout.flush()  # while there is someone to tell that it failed
            return code
    except FlowError as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {error}")
        return _exit_code(error)
    except KeyboardInterrupt:
        then = "; run the same command to resume" if command in RESUMED else ""
        _say(f"interrupted{then}.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` for example, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        _say(_system(error, debug))
        return FAILED
    except Exception as error:  # the last resort of the command line: everything else is a bug
        _say(_unexpected(error, debug))
        return FAILED
    finally:
        close_logs()


def _split(arguments: list[str]) -> tuple[str, list[str]]:
    """The command and its arguments."""
    from flow.errors import ConfigError

    first = arguments[0] if arguments else "-"
    if first == "help":
        return BUILD, ["--help"]
    if first in COMMANDS:
        return first, arguments[1:]
    if not first.startswith("-"):
        raise ConfigError(
            f"{first!r} is no command; choose one of: {', '.join(COMMANDS)}.\n"
            "  To build, say for example: python flow/build.py --model kws"
        )
    return BUILD, arguments


def _exit_code(error: FlowError) -> int:
    from flow import errors

    users = (
        errors.ConfigError,
        errors.DataError,
        errors.UnsupportedLayer,
        errors.RangeError,
        errors.PlanError,
    )
    return WRONG_USE if isinstance(error, users) else FAILED


def _system(error: OSError, debug: bool) -> str:
    """What the system refused, and where."""
    if error.filename is None:
        return _unexpected(error, debug)
    logging.getLogger(__name__).debug("refused by the system", exc_info=True)
    if debug:
        traceback.print_exc()
    return (
        f"error: {os.fsdecode(error.filename)}: {error.strerror}.\n"
        "  Correct that and run the same command again; --debug shows what needed it."
    )


def _unexpected(error: Exception, debug: bool) -> str:
    from flow.commands._log import log_files
    from flow.commands._paths import short

    logging.getLogger(__name__).debug("unexpected", exc_info=True)
    if debug:
        traceback.print_exc()
    kept = "".join(f"\n  log: {short(path)}" for path in log_files())
    return f"error: unexpected {type(error).__name__}: {error}{kept}\n  Rerun with --debug."


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _use_project_python(arguments: list[str]) -> None:
    """Start again with the project's own Python when this one lacks the packages.

    The help text needs none, and `doctor` says what is missing.
    """
    if {"-h", "--help", "help"} & set(arguments) or all(map(importlib.util.find_spec, NEEDED)):
        return
    python = ROOT / ".venv" / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != python.parent.parent:
        with suppress(OSError):  # it does not start
            os.execv(python, [str(python), str(Path(__file__).resolve()), *arguments])
    if arguments[:1] != ["doctor"]:
        _say("error: the Python packages of this project are not installed.\n  Run: make setup")
        raise SystemExit(WRONG_USE)


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    if sys.argv[1:2] == ["doctor"]:
        sys.dont_write_bytecode = True  # it leaves no trace
    _use_project_python(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a path may hold what a terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
