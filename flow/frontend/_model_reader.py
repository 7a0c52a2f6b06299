"""What a model file holds, read in a process of its own: HDF5 can hang or crash on damaged files.

python -m flow.frontend._model_reader FILE     # prints one line of JSON
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py

from flow.frontend._model_config import config_problems
from flow.frontend._model_formats import CONFIG, foreign_format, is_h5

MAX_FILE_BYTES = 512 << 20  # of the file, and of what it unpacks to
MAX_CONFIG_BYTES = 16 << 20
MAX_MEMBERS = 10_000
WEIGHTS = "model.weights.h5"

Config = dict[str, Any]

# h5py reports damage as whatever its C library or its own code stumbles over.
_DAMAGE = (
    OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, NotImplementedError,
    MemoryError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inspection:
    """The architecture, and everything that speaks against loading it."""

    config: Config
    problems: list[str]


def inspect(path: Path) -> Inspection:
    """Read a file that exists; nothing is built, imported or unpickled."""
    problem = _unreadable(path) or foreign_format(path)
    if problem:
        return Inspection({}, [problem])
    try:
        text, problems = (_read_h5 if is_h5(path) else _read_keras)(path)
    except _DAMAGE as error:
        return Inspection({}, [f"it is damaged or incomplete ({_first_line(error)})."])
    if text is None:
        return Inspection({}, problems)
    config, more = _parse(text)
    return Inspection(config, problems + (more or config_problems(config)))


def _unreadable(path: Path) -> str:
    try:
        if path.is_dir():
            kind = "a SavedModel folder" if (path / "saved_model.pb").exists() else "a folder"
            graph = ", whose graph may call Python" if "SavedModel" in kind else ""
            return f"it is {kind}{graph}; only a single .h5 or .keras file is read."
        if not path.is_file():
            return "it is not a regular file."
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        return f"it cannot be read: {error.strerror}."
    if size == 0:
        return "it is empty."
    return _too_large("it", size, MAX_FILE_BYTES)


def _read_h5(path: Path) -> tuple[str | bytes | None, list[str]]:
    with h5py.File(path, "r") as file:
        problems = _h5_problems(file)
        text = file.attrs.get("model_config")
        if text is None:
            problems.append(
                "it holds weights only, no architecture (model.save_weights); "
                "the architecture is needed too."
            )
            return None, problems
        if not isinstance(text, str | bytes):
            problems.append("its attribute 'model_config' is no text.")
            return None, problems
        return text, problems


def _h5_problems(file: h5py.File) -> list[str]:
    """Data that lie in other files, and data sets that unpack to too much."""
    problems: list[str] = []
    total = 0
    waiting: list[Any] = [file]
    seen = {_address(file)}
    while waiting:
        group = waiting.pop()
        for name in group:
            link = group.get(name, getlink=True)
            where = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(link, h5py.HardLink):
                problems.append(f"{where!r} is a link ({type(link).__name__}), not data.")
                continue
            item = group[name]
            if _address(item) in seen:  # one object may have two names, and groups form rings
                continue
            seen.add(_address(item))
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual:
                    problems.append(f"{where!r} takes its data from another file.")
                total += item.nbytes
    size_problem = _too_large("unpacked, it", total, MAX_FILE_BYTES)
    return problems + ([size_problem] if size_problem else [])


def _address(item: Any) -> int:
    """Where an object lies in its file; file objects are their root group."""
    return int(h5py.h5o.get_info(item.id).addr)


def _read_keras(path: Path) -> tuple[str | bytes | None, list[str]]:
    with zipfile.ZipFile(path) as archive:
        problems = _archive_problems(path, archive)
        if problems:  # the members are not to be touched
            return None, problems
        if WEIGHTS in archive.namelist():
            with h5py.File(io.BytesIO(archive.read(WEIGHTS)), "r") as weights:
                problems += _h5_problems(weights)
        return archive.read(CONFIG), problems


def _archive_problems(path: Path, archive: zipfile.ZipFile) -> list[str]:
    members = archive.infolist()
    names = [member.filename for member in members]
    problems = []
    if path.suffix != ".keras":
        problems.append(
            f"Keras reads such a file only when its name ends in .keras, not {path.suffix!r}."
        )
    if len(names) > MAX_MEMBERS or len(set(names)) != len(names):
        problems.append(
            f"the archive holds {len(names)} members, too many or some of the same name."
        )
    problems += [
        f"the archive's member {name!r} would be unpacked outside of its folder."
        for name in names
        if name.startswith(("/", "\\")) or ".." in Path(name).parts
    ]
    problems += [
        f"the archive's member {m.filename!r} is encrypted." for m in members if m.flag_bits & 1
    ]
    sizes = {member.filename: member.file_size for member in members}
    problems += [
        problem
        for problem in (
            _too_large("unpacked, the archive", sum(m.file_size for m in members), MAX_FILE_BYTES),
            _too_large(f"its {CONFIG}", sizes.get(CONFIG, 0), MAX_CONFIG_BYTES),
        )
        if problem
    ]
    return problems


def _parse(text: str | bytes) -> tuple[Config, list[str]]:
    if len(text) > MAX_CONFIG_BYTES:
        return {}, [_too_large("its architecture", len(text), MAX_CONFIG_BYTES)]
    try:
        config = json.loads(text)
    except RecursionError:
        return {}, ["its architecture is nested too deeply."]
    except ValueError as error:
        return {}, [f"its architecture is not JSON ({_first_line(error)})."]
    if not (isinstance(config, dict) and isinstance(config.get("config"), dict | list)):
        return {}, ["its architecture is JSON, but no Keras model: 'class_name' and 'config'."]
    return config, []


def _too_large(what: str, size: int, limit: int) -> str:
    if size <= limit:
        return ""
    return f"{what} takes {size / 2**20:,.0f} MiB; at most {limit >> 20} are read."


def _first_line(error: BaseException) -> str:
    text = str(error).splitlines()
    return text[0] if text else type(error).__name__


if __name__ == "__main__":
    print(json.dumps(asdict(inspect(Path(sys.argv[1])))))
