"""Training recipes: what each benchmark learns from, by the name of its network."""

from collections.abc import Callable
from pathlib import Path

from flow.errors import ConfigError
from models.recipes import ad, ic, kws, vww
from models.recipes.recipe import Benchmark

RECIPES: dict[str, Callable[[Path, Path], Benchmark]] = {
    "ad": ad.prepare,
    "ic": ic.prepare,
    "kws": kws.prepare,
    "vww": vww.prepare,
    "vww_effnet": vww.prepare,
    "vww_mbv2": vww.prepare,
}


def prepare(model: str, data: Path, float_models: Path) -> Benchmark:
    """Load what a network learns from and is tested on.

    Args:
        data, float_models: folders of the data sets and of the float reference models.

    Raises:
        ConfigError: there is no recipe for the network.
        DataMissing, DataCorrupt: a file is missing or does not hold what it should.
    """
    if model not in RECIPES:
        raise ConfigError(
            f"model {model!r} cannot be trained.\n  Choose one of: {', '.join(RECIPES)}."
        )
    return RECIPES[model](data, float_models)
