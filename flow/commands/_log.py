"""The log file of a run, `build/<run>/build.log`."""

from __future__ import annotations

import logging
from pathlib import Path

PACKAGES = ("flow", "models", "rtl_sim", "__main__")  # whose messages are logged


def open_log(path: Path, verbose: bool) -> None:
    """Send the project's messages, and the notable ones of its libraries, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    close_logs()
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.DEBUG)
        if verbose:
            from flow.terminal import log_handler

            logging.getLogger(package).addHandler(log_handler())


def log_files() -> list[Path]:
    """The files that are being written to."""
    handlers = logging.getLogger().handlers
    return [Path(one.baseFilename) for one in handlers if type(one) is logging.FileHandler]


def close_logs() -> None:
    """Undo `open_log`."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.FileHandler:
            root.removeHandler(handler)
            handler.close()
    for package in PACKAGES:
        logging.getLogger(package).handlers.clear()
