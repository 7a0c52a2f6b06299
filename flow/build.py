"""Command line: from a trained network to checked RTL and a report.

python flow/build.py --model kws
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from flow.errors import FlowError
    from flow.runs import Request, Run
    from flow.stages import Finished

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("pydantic", "yaml", "rich", "hls4ml", "tensorflow")
PACKAGES = ("flow", "models", "rtl_sim", "__main__")  # whose messages are logged
OK, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, print; the exit code."""
    from flow.errors import FlowError
    from flow.processes import interruptible

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        with interruptible():
            return _build(_parse(arguments))
    except FlowError as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {error}")
        return _exit_code(error)
    except KeyboardInterrupt:
        _say("interrupted; run the same command to resume.")
        return INTERRUPTED
    except Exception as error:  # the last resort of the command line: everything else is a bug
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        if debug:
            traceback.print_exc()
        kept = "".join(f"\n  log: {_short(path)}" for path in _log_files())
        _say(f"error: unexpected {type(error).__name__}: {error}{kept}\n  Rerun with --debug.")
        return FAILED
    finally:
        _close_logs()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="flow/build.py", allow_abbrev=False, description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("--model", metavar="NAME", help="kws, or all: every model of config.yaml")
    add("--quant", metavar="NAME", help="bit-widths: mpq, flat4, flat8 or flat16")
    add("--engine", metavar="NAME", help="what makes the arithmetic: xls")
    add("--target", metavar="NAME", help="a device of config.yaml")
    add("--data", metavar="FILE.npz", type=Path, help="samples with the keys x and y, raw form")
    add("--frames", metavar="N", type=int, help="samples that go through RTL simulation")
    add("--from", metavar="STAGE", dest="first", help="make this and later stages again")
    add("--to", metavar="STAGE", dest="last", help="stop after this stage")
    add("--force", action="store_true", help="make all stages again")
    add("--keras", metavar="FILE.h5", type=Path, help="a QKeras model of your own (not yet)")
    add("--config", metavar="FILE", type=Path, help="instead of config.yaml")
    add("-v", "--verbose", action="store_true", help="tell what the stages do")
    add("--debug", action="store_true", help="show the traceback of an error")
    return parser.parse_args(arguments)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        from flow.errors import ConfigError

        raise ConfigError(f"{message}.\n  See: python {self.prog} --help")


def _build(options: argparse.Namespace) -> int:
    from flow.config import CONFIG_FILE, load_config
    from flow.runs import prepare
    from flow.stages import STAGES

    first, last = _stage_range(options)
    config = load_config(options.config or CONFIG_FILE)
    models = list(config.models) if options.model == "all" else [_model(options)]
    runs = [prepare(_request(options, model), config) for model in models]
    for run in runs:
        _build_one(run, STAGES[0] if options.force else first, last, options.verbose)
    return OK


def _model(options: argparse.Namespace) -> str:
    from flow.errors import ConfigError

    if options.keras is not None:
        raise ConfigError("--keras is not supported yet; choose a model of config.yaml: --model.")
    if options.model is None:
        raise ConfigError("no model is given.\n  Say for example: python flow/build.py --model kws")
    name: str = options.model
    return name


def _stage_range(options: argparse.Namespace) -> tuple[str | None, str | None]:
    from flow.config import choose
    from flow.errors import ConfigError
    from flow.stages import STAGES

    first = choose("stage", options.first, STAGES) if options.first else None
    last = choose("stage", options.last, STAGES) if options.last else None
    if first and last and STAGES.index(first) > STAGES.index(last):
        raise ConfigError(
            f"--from {first} comes after --to {last}.\n  The order is: {', '.join(STAGES)}."
        )
    return first, last


def _request(options: argparse.Namespace, model: str) -> Request:
    from flow.runs import Request

    return Request(
        model, options.quant, options.engine, options.target, options.data, options.frames
    )


def _build_one(run: Run, first: str | None, last: str | None, verbose: bool) -> None:
    from flow.stages import execute
    from flow.terminal import Terminal

    _open_log(run.folder / "build.log", verbose)
    logging.getLogger(__name__).info("run %s", run.name)
    with Terminal(run.name) as terminal:
        finished = execute(run, force_from=first, until=last, notify=terminal.notify)
    _show(finished)


def _show(finished: Finished) -> None:
    from flow.summary import summarise
    from flow.terminal import print_table

    lines = summarise(finished)
    if finished.report is not None:
        lines += [
            ("report", _short(finished.report / name)) for name in ("report.json", "index.html")
        ]
    print_table(lines)


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


def _open_log(path: Path, verbose: bool) -> None:
    """Send the project's messages, and the notable ones of its libraries, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _close_logs()
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.DEBUG)
        if verbose:
            from flow.terminal import log_handler

            logging.getLogger(package).addHandler(log_handler())


def _log_files() -> list[Path]:
    handlers = logging.getLogger().handlers
    return [Path(one.baseFilename) for one in handlers if type(one) is logging.FileHandler]


def _close_logs() -> None:
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.FileHandler:
            root.removeHandler(handler)
            handler.close()
    for package in PACKAGES:
        logging.getLogger(package).handlers.clear()


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _use_project_python() -> None:
    """Start again with the project's own Python when this one lacks the packages."""
    if all(importlib.util.find_spec(name) for name in NEEDED):
        return
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists() or Path(sys.prefix).resolve() == python.parent.parent:
        _say("error: the Python packages of this project are not installed.\n  Run: make setup")
        raise SystemExit(WRONG_USE)
    os.execv(python, [str(python), str(Path(__file__).resolve()), *sys.argv[1:]])


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    _use_project_python()
    sys.exit(main())
