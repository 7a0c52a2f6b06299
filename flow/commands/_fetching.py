"""What `fetch` does with its options: downloads with a bar, then tells what came."""

from __future__ import annotations

from pathlib import Path

from flow.commands._paths import short
from flow.config import CONFIG_FILE, Config, load_config
from flow.data import fetch_folder, find_samples
from flow.errors import ConfigError, DataError
from flow.fetch import Fetched, fetch
from flow.terminal import Terminal, print_table


def fetch_and_tell(name: str, folder: Path | None, config_file: Path | None) -> None:
    """Fetch a data set into `folder`, or where the flow looks for it.

    Raises:
        ConfigError, DataError: see `flow.fetch.fetch`.
    """
    config = load_config(config_file or CONFIG_FILE)
    place = folder if folder is not None else fetch_folder(config)
    with Terminal("fetch", name) as terminal:
        found = fetch(name, place, terminal.count)
    print_table(
        [
            ("samples", f"{found.samples:,} in {short(found.path)}"),
            ("licence", found.licence),
            ("note", found.note),
            ("next", _next(config, name, found)),
        ]
    )


def _next(config: Config, name: str, found: Fetched) -> str:
    """The command that uses the samples; other samples may come first."""
    command = f"python flow/build.py --model {name}"
    try:
        used = find_samples(config, name).path.samefile(found.path)
    except (ConfigError, DataError, OSError):
        used = False
    return command if used else f"{command} --data {short(found.path)}"
