"""Official test sets: download, check, convert, store."""

from flow.fetch._fetch import Fetched, fetch
from flow.fetch.datasets import DATASETS, fetch_command

__all__ = ["DATASETS", "Fetched", "fetch", "fetch_command"]
