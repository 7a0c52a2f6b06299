"""Reads and checks `config.yaml`; everything else receives the typed, frozen values made here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from flow.errors import ConfigError
from flow.plan.hwplan import Target
from flow.plan.planner import DSP_BUDGET, LUT_BUDGET

ROOT = Path(__file__).resolve().parent.parent
CONFIG_FILE = ROOT / "config.yaml"
DATA_VARIABLE = "SHIFTFLOW_DATA"
QUANTS = ("mpq", "flat4", "flat8", "flat16")
MAX_SEED = 2**32 - 1  # a 32-bit port of the bench
MAX_FRAMES = 100_000
MAX_VALUES = 10_000  # of the file with its aliases expanded: a few lines can stand for billions
MAX_DEPTH = 20
MAX_SHOWN = 80  # characters of a wrong value

Location = tuple[str | int, ...]


def load_config(path: Path = CONFIG_FILE) -> Config:
    """Read, check and return the configuration.

    Raises:
        ConfigError: the file is missing, is not YAML, or holds errors; all errors are listed.
    """
    raw, lines = _read_yaml(path)
    problems: list[tuple[Location, str]] = []
    config: Config | None = None
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        found: list[dict[str, Any]] = [dict(item) for item in error.errors()]
        places: list[Location] = [item["loc"] for item in found]
        problems += [  # a list with a bad element is also too short: name the element only
            (item["loc"], _explain(item))
            for item in found
            if not any(place != item["loc"] == place[: len(item["loc"])] for place in places)
        ]
    problems += _cross_check(raw)
    if config is None or problems:
        raise ConfigError(_report(path, problems, lines))
    return config


def choose(label: str, value: str, allowed: Iterable[str], coming: Iterable[str] = ()) -> str:
    """Return `value` if it is one of `allowed`.

    Raises:
        ConfigError: it is not; names in `coming` are known but not available yet.
    """
    names = list(allowed)
    if value in names:
        return value
    if value in coming:
        raise ConfigError(f"{label} {value!r} is not available yet; available: {', '.join(names)}.")
    raise ConfigError(f"{label} {value!r} is unknown; choose one of: {', '.join(names)}.")


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _auto_jobs(value: object) -> object:
    return len(os.sched_getaffinity(0)) if value == "auto" else value


def _auto_interval(value: object) -> object:
    return None if value == "auto" else value


PositiveInt = Annotated[int, Field(ge=1, description="an integer of at least 1")]
Percent = Annotated[int, Field(ge=1, le=95, description="an integer in 1..95")]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED, description=f"an integer in 0..{MAX_SEED}")]
Seconds = Annotated[int, Field(ge=1, description="an integer number of seconds of at least 1")]


class DataConfig(_Checked):
    """Where the data sets lie."""

    folder: Annotated[Path, Field(strict=False, description="a path")]


class TargetConfig(_Checked):
    """A device's resources; `bram` counts 36 kbit blocks."""

    family: Annotated[Literal["xc7", "ecp5"], Field(description="xc7 or ecp5")]
    lut: PositiveInt
    ff: PositiveInt
    dsp: Annotated[int, Field(ge=0, description="an integer of at least 0")]
    bram: Annotated[int, Field(ge=0, description="an integer of at least 0")]
    clock_mhz: Annotated[float, Field(gt=0, description="a number of MHz above 0")]
    part: Annotated[
        str | None, Field(pattern=r"^[a-z0-9-]+$", description="AMD's name of the device")
    ] = None


class LayerOverride(_Checked):
    """A layer's fold and products where the planner's choice is not wanted."""

    pe: PositiveInt | None = None
    simd: PositiveInt | None = None
    products: Annotated[Literal["lut", "dsp"] | None, Field(description="lut or dsp")] = None


class ModelConfig(_Checked):
    """A benchmark: its raw input and what is asked of the hardware."""

    input_shape: Annotated[
        tuple[PositiveInt, PositiveInt, PositiveInt],
        Field(strict=False, description="three integers of at least 1: [h, w, channels]"),
    ]
    classes: Annotated[int, Field(ge=2, description="an integer of at least 2")]
    raw_dtype: Annotated[
        Literal["int8", "uint8", "float32"], Field(description="int8, uint8 or float32")
    ]
    metric: Annotated[Literal["accuracy", "auc"], Field(description="accuracy or auc")]
    quant: Annotated[
        Literal["mpq", "flat4", "flat8", "flat16"], Field(description=" or ".join(QUANTS))
    ]
    target: Annotated[str, Field(description="the name of a target")]
    target_ii_cycles: Annotated[
        int | None,
        Field(ge=1, description="auto, or an integer of at least 1"),
        BeforeValidator(_auto_interval),
    ]
    frames: Annotated[int, Field(ge=1, le=MAX_FRAMES, description=f"an integer in 1..{MAX_FRAMES}")]
    dsp_budget: Annotated[float, Field(ge=0, le=1, description="a share in 0..1")] = DSP_BUDGET
    lut_budget: Annotated[float, Field(ge=0, le=1, description="a share in 0..1")] = LUT_BUDGET
    layers: dict[str, LayerOverride] = Field(default_factory=dict)


class SimulationConfig(_Checked):
    """Stimulus and time limit of the RTL simulation."""

    stall_in_percent: Percent
    stall_out_percent: Percent
    seeds: Annotated[
        tuple[Seed, ...],
        Field(strict=False, min_length=1, description="a list of at least one integer"),
    ]
    timeout_s: Seconds


class ToolsConfig(_Checked):
    """External tools: parallelism and patience."""

    jobs: Annotated[
        int,
        Field(ge=1, description="auto, or an integer of at least 1"),
        BeforeValidator(_auto_jobs),
    ]
    xls_timeout_s: Seconds
    synth_timeout_s: Seconds
    vitis_timeout_s: Seconds
    simulation: SimulationConfig


class Config(_Checked):
    """All of `config.yaml`."""

    data: DataConfig
    targets: Annotated[
        dict[str, TargetConfig], Field(min_length=1, description="at least one target")
    ]
    models: Annotated[dict[str, ModelConfig], Field(min_length=1, description="at least one model")]
    tools: ToolsConfig

    @property
    def data_folder(self) -> Path:
        """The data folder: SHIFTFLOW_DATA (relative to the working directory), else the file's."""
        chosen = os.environ.get(DATA_VARIABLE)
        return Path(chosen).resolve() if chosen else (ROOT / self.data.folder).resolve()

    def model(self, name: str) -> ModelConfig:
        """The benchmark `name`, or a ConfigError that lists what there is."""
        return self.models[choose("model", name, self.models)]

    def target(self, name: str) -> Target:
        """The device `name`, or a ConfigError that lists what there is."""
        device = self.targets[choose("target", name, self.targets)]
        return Target(name=name, **device.model_dump())


def _read_yaml(path: Path) -> tuple[Any, dict[Location, int]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"cannot read {path}: {reason}.\n  Give an existing file with --config FILE."
        ) from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: dict[Location, int] = {}
        _note_lines(path, node, (), lines)
        return yaml.safe_load(text), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = _one_line(error.problem or error.context)
        raise ConfigError(
            f"{path.name}{where}: this is not valid YAML: {problem}.\n  Correct {path}."
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date or number
        raise ConfigError(
            f"{path.name}: this is not valid YAML: {_one_line(error)}.\n  Correct {path}."
        ) from error
    except RecursionError as error:
        raise ConfigError(_nested(path)) from error


def _note_lines(path: Path, node: Any, at: Location, lines: dict[Location, int]) -> None:
    """Remember the line of every key; YAML itself lets a key appear twice, this does not."""
    if len(at) > MAX_DEPTH:
        raise ConfigError(_nested(path))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(
                    f"{path.name}, line {line}: a list or mapping is used as a key; a key must be "
                    f"a word.\n  Correct {path}."
                )
            here = (*at, key.value)
            if here in lines:
                raise ConfigError(
                    f"{path.name}, line {line}: key {_dotted(here)} appears "
                    f"twice, first in line {lines[here]}.\n  Remove one of the two."
                )
            _note_line(path, here, line, lines)
            _note_lines(path, value, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_line(path, (*at, index), value.start_mark.line + 1, lines)
            _note_lines(path, value, (*at, index), lines)


def _note_line(path: Path, at: Location, line: int, lines: dict[Location, int]) -> None:
    if len(lines) >= MAX_VALUES:
        raise ConfigError(
            f"{path.name}: it holds more than {MAX_VALUES:,} values once its aliases are "
            f"expanded.\n  Correct {path}."
        )
    lines[at] = line


def _nested(path: Path) -> str:
    return f"{path.name}: its values are nested more than {MAX_DEPTH} deep.\n  Correct {path}."


def _one_line(problem: object) -> str:
    return " ".join(str(problem).split())


def _explain(item: dict[str, Any]) -> str:
    loc: Location = item["loc"]
    if item["type"] in ("extra_forbidden", "invalid_key"):  # the latter: no text
        return f"unknown key; allowed here: {', '.join(_keys_at(loc[:-1]))}."
    if item["type"] == "missing":
        return "is missing."
    if not loc and item["input"] is None:
        return f"it is empty; it must be {_allowed(loc)}."
    shown = repr(item["input"])
    if len(shown) > MAX_SHOWN:
        shown = f"{shown[:MAX_SHOWN]}..."
    return f"{shown} is not allowed; it must be {_allowed(loc) or item['msg']}."


def _type_at(loc: Location) -> tuple[Any, str | None]:
    """Type and description of the key at `loc`."""
    current: Any = Config
    description: str | None = None
    for key in loc:
        if isinstance(current, type) and issubclass(current, BaseModel):
            if key not in current.model_fields:
                return None, None
            info = current.model_fields[str(key)]
            current, description = info.annotation, info.description
        elif get_origin(current) is dict:
            current, description = get_args(current)[1], None
        else:
            current, description = get_args(current)[0], None
    if description is None:
        description = next(
            (
                part.description
                for arg in (current, *get_args(current))
                for part in getattr(arg, "__metadata__", ())
                if getattr(part, "description", None)
            ),
            None,
        )
    return current, description


def _keys_at(loc: Location) -> list[str]:
    current, _ = _type_at(loc)
    return list(current.model_fields) if current is not None else []


def _allowed(loc: Location) -> str | None:
    current, description = _type_at(loc)
    if description is None and isinstance(current, type) and issubclass(current, BaseModel):
        return f"a mapping with the keys {', '.join(current.model_fields)}"
    return description


def _cross_check(raw: Any) -> list[tuple[Location, str]]:
    """Relations between keys; looks at the raw file so that they are reported with the rest."""
    if not isinstance(raw, Mapping):
        return []
    targets, models = raw.get("targets"), raw.get("models")
    if not (isinstance(targets, Mapping) and isinstance(models, Mapping)):
        return []
    problems: list[tuple[Location, str]] = []
    for name, model in models.items():
        target = model.get("target") if isinstance(model, Mapping) else None
        if isinstance(target, str) and target not in targets:
            problems.append(
                (
                    ("models", name, "target"),
                    f"{target!r} is not allowed; it must be one of the targets: "
                    f"{', '.join(map(str, targets))}.",
                )
            )
    return problems


def _report(path: Path, problems: list[tuple[Location, str]], lines: dict[Location, int]) -> str:
    count = f"{len(problems)} error" + ("s" if len(problems) > 1 else "")
    listed = sorted(problems, key=lambda problem: _line(problem[0], lines))
    return (
        f"{path.name} has {count}:"
        + "".join(f"\n  {_dotted(loc)} (line {_line(loc, lines)}): {text}" for loc, text in listed)
        + f"\n  Correct {path}."
    )


def _line(loc: Location, lines: dict[Location, int]) -> int:
    """Line of a key; of the nearest key above it when it is absent."""
    while loc and loc not in lines:
        loc = loc[:-1]
    return lines.get(loc, 1)


def _dotted(loc: Location) -> str:
    return ".".join(map(str, loc)) or "the file"
