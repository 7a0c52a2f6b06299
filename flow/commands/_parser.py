"""What the option parsers of all commands share; needs only the standard library."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NoReturn

HELP_COLUMN = 26


class Parser(argparse.ArgumentParser):
    """Takes full option names only, has --debug, and raises ConfigError instead of exiting."""

    def __init__(
        self, command: str, usage: str, description: str, epilog: str | None = None
    ) -> None:
        super().__init__(
            prog=f"flow/build.py {command}".strip(),
            usage=f"python %(prog)s {usage}",
            allow_abbrev=False,
            description=description,
            epilog=epilog,
            formatter_class=_Formatter,
            add_help=False,
        )
        self.always = self.add_argument_group("always")
        self.always.add_argument("-h", "--help", action="help", help="show this text")
        self.always.add_argument("--debug", action="store_true", help="show an error's traceback")

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError."""
        from flow.errors import ConfigError

        raise ConfigError(f"{message}.\n  See: python {self.prog} --help")

    def format_help(self) -> str:
        """The help text, with the group of common options at its end."""
        self._action_groups.sort(key=lambda group: group is self.always)
        return super().format_help()


def percent(text: str) -> float:
    """A finite number of at least 0, as a type of an option."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; choose a number of 0 or more")
    return value


def whole(text: str) -> int:
    """A whole number, as a type of an option."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; choose a whole number") from (
            None
        )


def file_name(text: str) -> Path:
    """The name of a file, as a type of an option; an empty one would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a file")
    return Path(text)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=HELP_COLUMN)
