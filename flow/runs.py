"""A run: what the user asked for, checked against the configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from flow.anomaly import frames_of
from flow.config import QUANTS, ROOT, Config, ModelConfig, choose
from flow.data import Samples, Source, find_samples, load_samples, pick_frames
from flow.emit.vitis import IO_TYPES
from flow.errors import ConfigError, DataError
from flow.own_model import QUANT as OWN
from flow.own_model import OwnModel, own_model, own_name, own_samples
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
    keras: Path | None = None
    cycles: int | None = None


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
    settings: ModelConfig | OwnModel
    config: Config

    @property
    def benchmark(self) -> ModelConfig:
        """The settings of a run that is not of a user's own model."""
        assert isinstance(self.settings, ModelConfig)
        return self.settings

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
        """The trained weights and their record; or a user's own model."""
        if isinstance(self.settings, OwnModel):
            return [self.settings.file]
        return sorted(WEIGHTS.glob(f"{self.model}-{self.quant}.*"))


def prepare(request: Request, config: Config) -> Run:
    """Check a request against the configuration.

    Raises:
        ConfigError, DataError: something that was asked for does not exist.
    """
    _check_numbers(request)
    settings = _settings(request, config)
    own = isinstance(settings, OwnModel)
    name = own_name(settings.file, config) if isinstance(settings, OwnModel) else request.model
    quants = [OWN] if own else _quants(request.model)
    quant = choose("quant", request.quant or settings.quant, quants, QUANTS)
    engine = choose("engine", request.engine or ENGINES[0], ENGINES)
    io_type = choose("io type", request.io_type or IO_TYPES[0], IO_TYPES)
    target = config.target(request.target or settings.target)
    _check_engine(engine, io_type, target)
    source = find_samples(config, None if own else request.model, request.data)
    samples = all_frames(source, settings)  # now rather than minutes later
    pick_frames(samples, request.frames or 1, FRAME_SEED)
    differing = [
        value
        for value, default in (
            (quant, settings.quant),
            (engine, ENGINES[0]),
            (target.name, settings.target),
            (io_type, IO_TYPES[0]),
            (f"ii{request.cycles}", "iiNone"),
        )
        if value != default
    ]
    return Run(
        name="-".join([name, *differing]),
        model=name,
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
    samples = all_frames(run.source, run.settings)
    count = run.frames or min(run.settings.frames, len(samples.y))
    chosen = pick_frames(samples, count, FRAME_SEED)
    return replace(samples, x=samples.x[chosen], y=samples.y[chosen])


def trained_quants(model: str) -> list[str]:
    """Bit-widths for which there are weights; empty: the network is not trained."""
    return [quant for quant in QUANTS if (WEIGHTS / f"{model}-{quant}.h5").is_file()]


def cache_folder(tool: str) -> Path:
    """Where a tool's results are kept for all runs, by content."""
    return BUILD / "cache" / tool


def all_frames(source: Source, settings: ModelConfig | OwnModel) -> Samples:
    """What the network sees one at a time: the samples, or their windows."""
    if isinstance(settings, OwnModel):
        return own_samples(source, settings)
    return frames_of(load_samples(source, settings), settings.metric)


def _settings(request: Request, config: Config) -> ModelConfig | OwnModel:
    if request.keras is not None:
        return own_model(request.keras, request.cycles)
    settings = config.model(request.model)
    if request.cycles is None:
        return settings
    return settings.model_copy(update={"target_ii_cycles": request.cycles})


def _check_numbers(request: Request) -> None:
    for option, value in (("--frames", request.frames), ("--cycles", request.cycles)):
        if value is not None and value < 1:
            raise ConfigError(f"{option} {value} is not allowed; choose 1 or more.")
    if request.keras is not None and request.quant is not None:
        raise ConfigError(
            f"--quant {request.quant} is not available with --keras, whose file says every "
            "bit-width.\n  Leave --quant out."
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
    """The bit-widths that can be run; a network without weights is refused before all else."""
    if found := trained_quants(model):
        return found
    others = _trained()
    raise DataError(
        f"model {model!r} has no trained weights: no file is models/weights/{model}-<quant>.h5.\n"
        "  models/train.py makes them (models/README.md)"
        + (f"; or choose one of: {', '.join(others)}." if others else ".")
    )


def _trained() -> list[str]:
    """Networks with weights."""
    names = {path.stem.rpartition("-")[0] for path in WEIGHTS.glob("*-*.h5")}
    return sorted(name for name in names if trained_quants(name))
