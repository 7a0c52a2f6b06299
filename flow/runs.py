"""A run: what the user asked for, checked against the configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from flow.anomaly import as_windows
from flow.config import QUANTS, ROOT, UNTRAINED, Config, ModelConfig, choose
from flow.data import Samples, Source, find_samples, load_samples, pick_frames
from flow.emit.vitis import IO_TYPES
from flow.errors import ConfigError, DataError
from flow.plan.hwplan import Target

ENGINES = ("xls", "vitis")
ROUTED_FAMILIES = ("ecp5",)  # no open router is known for others
BUILD = ROOT / "build"
REPORTS = ROOT / "reports"
WEIGHTS = ROOT / "models" / "weights"
FRAME_SEED = 1  # draws the samples that are simulated


@dataclass(frozen=True, slots=True)
class Request:
    """One run as the user asked for it; None stands for the default of config.yaml."""

    model: str
    quant: str | None = None
    engine: str | None = None
    target: str | None = None
    io_type: str | None = None
    data: Path | None = None
    frames: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A checked request: everything the stages need."""

    name: str
    model: str
    quant: str
    engine: str
    target: Target
    io_type: str
    frames: int | None
    source: Source
    settings: ModelConfig
    config: Config

    @property
    def folder(self) -> Path:
        """Where the stages keep their results."""
        return BUILD / self.name

    @property
    def report_folder(self) -> Path:
        """Where the report is published."""
        return REPORTS / self.name

    @property
    def weight_files(self) -> list[Path]:
        """The trained weights and their record."""
        return sorted(WEIGHTS.glob(f"{self.model}-{self.quant}.*"))


def prepare(request: Request, config: Config) -> Run:
    """Check a request against the configuration.

    Raises:
        ConfigError, DataError: something that was asked for does not exist.
    """
    settings = config.model(request.model)
    quant = choose("quant", request.quant or settings.quant, _quants(request.model), QUANTS)
    engine = choose("engine", request.engine or ENGINES[0], ENGINES)
    io_type = choose("io type", request.io_type or IO_TYPES[0], IO_TYPES)
    target = config.target(request.target or settings.target)
    _check_engine(engine, io_type, target)
    if request.frames is not None and request.frames < 1:
        raise ConfigError(f"--frames {request.frames} is not allowed; choose 1 or more.")
    _check_trained(request.model)
    source = find_samples(config, request.model, request.data)
    samples = _frames(load_samples(source, settings), settings)  # now rather than minutes later
    pick_frames(samples, request.frames or 1, FRAME_SEED)
    differing = [
        value
        for value, default in (
            (quant, settings.quant),
            (engine, ENGINES[0]),
            (target.name, settings.target),
            (io_type, IO_TYPES[0]),
        )
        if value != default
    ]
    return Run(
        name="-".join([request.model, *differing]),
        model=request.model,
        quant=quant,
        engine=engine,
        target=target,
        io_type=io_type,
        frames=request.frames,
        source=source,
        settings=settings,
        config=config,
    )


def simulated_samples(run: Run) -> Samples:
    """The samples that are simulated, drawn in turn from each label."""
    samples = _frames(load_samples(run.source, run.settings), run.settings)
    count = run.frames or min(run.settings.frames, len(samples.y))
    chosen = pick_frames(samples, count, FRAME_SEED)
    return replace(samples, x=samples.x[chosen], y=samples.y[chosen])


def is_trained(model: str) -> bool:
    """Whether there are trained weights; of a network that always had some, whether there were."""
    return model not in UNTRAINED or any(WEIGHTS.glob(f"{model}-*.h5"))


def cache_folder(tool: str) -> Path:
    """Where a tool's results are kept for all runs, by content."""
    return BUILD / "cache" / tool


def _frames(samples: Samples, settings: ModelConfig) -> Samples:
    """What the network sees one at a time: the samples, or their windows."""
    return as_windows(samples) if settings.metric == "auc" else samples


def _check_trained(model: str) -> None:
    """Refuse a network without weights before its data are looked for."""
    if not is_trained(model):
        raise DataError(
            f"model {model!r} has no trained weights yet: no file is models/weights/{model}-*.h5.\n"
            "  models/train.py will make them; it trains kws only so far. Choose --model kws."
        )


def _check_engine(engine: str, io_type: str, target: Target) -> None:
    """Refuse what the engine cannot make, before any work is done for it."""
    if engine == "vitis" and target.part is None:
        raise ConfigError(
            f"target {target.name!r} has no part, which engine {engine!r} needs: AMD's name of the "
            "device.\n  Choose another target with --target, or another engine; or give the part "
            f"in config.yaml (targets.{target.name}.part, such as xc7z020clg400-1)."
        )
    if engine != "vitis" and io_type != IO_TYPES[0]:
        raise ConfigError(
            f"--io-type {io_type} is not available with engine {engine!r}, whose layers are always "
            "joined by streams.\n  Leave --io-type out, or choose --engine vitis."
        )


def _quants(model: str) -> list[str]:
    """Quantisations with trained weights; all when there are none, so that loading explains it."""
    found = [quant for quant in QUANTS if (WEIGHTS / f"{model}-{quant}.h5").is_file()]
    return found or list(QUANTS)
