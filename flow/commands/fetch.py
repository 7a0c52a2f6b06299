"""Fetch: downloads the official test set of a model and converts it."""

from __future__ import annotations

from pathlib import Path

from flow.commands._parser import Parser

EPILOG = """\
An interrupted download goes on where it ended; its content is checked by size and SHA-256.
Behind a proxy, set http_proxy and https_proxy.

example: python flow/build.py fetch kws
"""


def main(arguments: list[str]) -> int:
    """Fetch, say where it lies, under which licence, and what an accuracy on it means; 0.

    Raises:
        ConfigError: there is no such data set.
        DataError: it cannot be fetched, or not be written there.
    """
    parser = Parser(
        "fetch",
        "NAME [option ...]",
        "Downloads the official test set of a model and converts it to what the flow takes.",
        EPILOG,
    )
    what = parser.add_argument_group("data set")
    what.add_argument("name", metavar="NAME", help="a model, such as kws")
    add = parser.add_argument_group("options").add_argument
    add("--folder", metavar="FOLDER", type=Path,
        help="where to put it (default: the data folder of config.yaml, else data/)")  # fmt: skip
    add("--config", metavar="FILE", type=Path, help="instead of config.yaml")
    options = parser.parse_args(arguments)

    from flow.commands._fetching import fetch_and_tell  # not before the help text is out

    fetch_and_tell(options.name, options.folder, options.config)
    return 0
