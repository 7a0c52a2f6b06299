"""Which rows there are, what each depends on, and the cache that keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow import runs
from flow.accuracy.measure import Task, measure
from flow.accuracy.schema import Row
from flow.cache import Notify, Outcome, Stage, hash_file, hash_sources, run_stages
from flow.config import DATA_VARIABLE, QUANTS, ROOT, Config, choose
from flow.data import data_folders
from flow.errors import ConfigError, DataError
from flow.provenance import COMMON_TOOLS, COMPILER, tool_versions
from flow.runs import trained_quants
from flow.steps import SAMPLE_SOURCES, SCORE_SOURCES

FILE = "row.json"
SUFFIXES = frozenset({".py", ".h", ".cpp"})
SOURCES = (
    *SAMPLE_SOURCES, *SCORE_SOURCES, "flow/accuracy/measure.py", "flow/accuracy/schema.py",
    "flow/frontend", "flow/graph", "models/quantizers", "models/raw.py", "models/weights.py",
    "models/float_models.py",
)  # fmt: skip
TOOLS = (*COMMON_TOOLS["evaluate"], COMPILER)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure; empty: everything that has weights. None: where it is looked for anyway."""

    models: tuple[str, ...] = ()
    quants: tuple[str, ...] = ()
    data: Path | None = None
    float_models: Path | None = None

    @property
    def is_everything(self) -> bool:
        """Whether the result is the whole table."""
        return not self.models and not self.quants


def measured_rows(
    config: Config,
    wanted: Wanted,
    folder: Path,
    *,
    force: bool = False,
    notify: Notify | None = None,
) -> list[Row]:
    """Measure every row that is not up to date; what was finished stays when a later one fails.

    Args:
        folder: where rows are kept, each by what it depends on.

    Raises:
        ConfigError: there is no such network or quantization.
        DataError: test sets or float models are missing or are others; all of it is listed.
        Mismatch: integers and QKeras differ.
    """
    tasks = list(_tasks(config, wanted))
    stages = [_stage(task) for task in tasks]
    first = stages[0].name if force else None
    outcomes = run_stages(stages, folder, force_from=first, notify=notify)
    return [Row.model_validate_json((one.folder / FILE).read_bytes()) for one in outcomes]


def _stage(task: Task) -> Stage:
    def run(folder: Path, done: Mapping[str, Outcome]) -> None:
        text = measure(task).model_dump_json(by_alias=True, indent=1)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    return Stage(task.name, (), hash_sources(ROOT, SOURCES, SUFFIXES), _inputs(task), run)


def _inputs(task: Task) -> dict[str, Any]:
    files = (task.data, task.float_file, *sorted(runs.WEIGHTS.glob(f"{task.name}.*")))
    return {
        "files": {path.name: hash_file(path) for path in files if path is not None},
        "settings": task.settings.model_dump(include={"input_shape", "classes", "metric"}),
        "tools": tool_versions(TOOLS),
    }


def _tasks(config: Config, wanted: Wanted) -> Iterator[Task]:
    """A task for each pair of network and quantization that has weights."""
    pairs = list(_pairs(config, wanted))
    if not pairs:
        raise ConfigError(
            "no network that was asked for has trained weights.\n"
            "  models/train.py makes them (models/README.md); or leave --model and --quant out."
        )
    problems: list[str] = []
    tasks = [_task(config, wanted, *pair, problems) for pair in pairs]
    if problems:
        raise DataError(
            "the accuracy table cannot be measured:\n"
            + "".join(f"  - {problem}\n" for problem in dict.fromkeys(problems))
            + "  Name the folder of the test sets with --data FOLDER, in config.yaml (data.folder) "
            f"or {DATA_VARIABLE};\n"
            "  models/README.md says where they come from. Or leave networks out: --model NAME."
        )
    yield from tasks


def _pairs(config: Config, wanted: Wanted) -> Iterator[tuple[str, str]]:
    for model in wanted.models:
        choose("model", model, config.models)
    for quant in wanted.quants:
        choose("quant", quant, QUANTS)
    for model in config.models:
        for quant in trained_quants(model):
            if model in (wanted.models or [model]) and quant in (wanted.quants or [quant]):
                yield model, quant


def _task(config: Config, wanted: Wanted, model: str, quant: str, problems: list[str]) -> Task:
    """Where the data and the float model of a row lie; what is wrong goes to `problems`."""
    folders = (wanted.data,) if wanted.data else data_folders(config)
    name, sha256 = _test_set(model, quant)
    data = next((place / name for place in folders if (place / name).is_file()), Path(name))
    if not data.is_file():
        places = " and ".join(map(str, folders))
        problems.append(f"{name}, on which {model!r} was tested, is not in {places}")
    elif (found := hash_file(data)) != sha256:
        problems.append(
            f"{data} is not the file that {model}-{quant}.json names: its SHA-256 is {found}, "
            f"not {sha256}"
        )
    float_file = _float_file(wanted.float_models, model)
    if float_file is not None and not float_file.is_file():
        problems.append(f"the float model {float_file} does not exist")
    return Task(model, quant, config.model(model), data, float_file)


def _test_set(model: str, quant: str) -> tuple[str, str | None]:
    """File name and SHA-256 of the test set that the record of the weights names."""
    from models import weights

    record = weights.record(model, quant, runs.WEIGHTS)
    try:
        name = record["accuracy"]["dataset"]
        return name, record["datasets"][name]["sha256"]
    except (KeyError, TypeError) as error:
        raise DataError(
            f"record {model}-{quant}.json does not name a test set and its SHA-256 "
            f"(accuracy.dataset, datasets): {error} is missing.\n"
            "  Restore it from version control, or train again with models/train.py."
        ) from error


def _float_file(folder: Path | None, model: str) -> Path | None:
    """None where it is not to be measured, or none is published."""
    from models.float_models import FILES

    return folder / FILES[model] if folder is not None and model in FILES else None
