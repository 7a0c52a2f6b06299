"""The architecture of a model file: everything in it that loading would run or fetch."""

from __future__ import annotations

import base64
import binascii
import builtins
import re
from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 200
MAX_PROBLEMS = 50
MIN_BYTECODE_CHARACTERS = 40

_KERAS_PARTS = (
    "activations|constraints|engine|initializers|layers|losses|metrics|models|optimizers|"
    "regularizers"
)
# Keras imports the module that a class names. `keras.utils`, `keras.saving` and plain TensorFlow
# hold functions that read, write and download.
MODULES = re.compile(
    rf"(keras|tf_keras|tensorflow\.keras|tensorflow\.python\.keras)(\.src)?(\.({_KERAS_PARTS})(\.\w+)*)?"
    r"|qkeras(\.q(?!tools)\w+)?"
    r"|models\.quantizers(\.\w+)?"
)
PYTHON_CODE = "holds Python code, which loading would run"
NAMED_FUNCTION = "calls a TensorFlow function by its name, and may name any"
OTHER_FILES = "reads other files when it is loaded"
REFUSED = {
    "Lambda": PYTHON_CODE,
    "__lambda__": PYTHON_CODE,
    "TFOpLambda": NAMED_FUNCTION,
    "SlicingOpLambda": NAMED_FUNCTION,
    "ClassMethod": NAMED_FUNCTION,
    "InstanceMethod": NAMED_FUNCTION,
    "InstanceProperty": NAMED_FUNCTION,
    "TensorFlowOpLayer": "holds a piece of a TensorFlow graph",
    "__typespec__": "names a class to be imported",
    "TFSMLayer": OTHER_FILES,
    "StringLookup": OTHER_FILES,
    "IntegerLookup": OTHER_FILES,
    "TextVectorization": OTHER_FILES,
    "TorchModuleWrapper": "holds a pickle, which loading would run",
    "FlaxLayer": PYTHON_CODE,
    "JaxLayer": PYTHON_CODE,
}


def config_problems(config: dict[str, Any]) -> list[str]:
    """All that is wrong with an architecture, by layer; the first MAX_PROBLEMS."""
    problems = list(dict.fromkeys(_problems(config)))
    more = len(problems) - MAX_PROBLEMS
    return problems if more <= 0 else [*problems[:MAX_PROBLEMS], f"and {more} more."]


def _problems(config: dict[str, Any]) -> Iterator[str]:
    waiting: list[tuple[Any, str, int]] = [(config, "the model", 0)]
    while waiting:  # not recursive: a file decides how deep it is
        value, where, depth = waiting.pop()
        if depth > MAX_DEPTH:
            yield f"{where} is nested more than {MAX_DEPTH} deep."
        elif isinstance(value, str):
            if _is_bytecode(value):
                yield f"{where} {PYTHON_CODE}."
        elif isinstance(value, list):
            waiting += [(item, where, depth + 1) for item in reversed(value)]
        elif isinstance(value, dict):
            found = list(_class_problems(value)) if "class_name" in value else []
            if found:  # what is in it is part of the same fault
                yield from (f"{where} {problem}" for problem in found)
            else:
                waiting += _inside(value, where, depth)


def _inside(value: dict[str, Any], where: str, depth: int) -> list[tuple[Any, str, int]]:
    children: list[tuple[Any, str, int]] = []
    for key, item in value.items():
        if key in ("layers", "layer"):
            layers = item if isinstance(item, list) else [item]
            children += [(layer, _name(layer, i), depth + 1) for i, layer in enumerate(layers)]
        elif key not in ("compile_config", "build_config"):  # never read with compile=False
            children.append((item, where, depth + 1))
    return children[::-1]


def _name(layer: Any, index: int) -> str:
    config = layer.get("config") if isinstance(layer, dict) else None
    name = config.get("name") if isinstance(config, dict) else None
    return f"layer {name!r}" if name else f"layer number {index}"


def _class_problems(value: dict[str, Any]) -> Iterator[str]:
    class_name, module = value["class_name"], value.get("module")
    registered = value.get("registered_name")
    names = [str(name) for name in (class_name, registered) if name is not None]
    refused = next((name for name in names if name in REFUSED), None)
    if refused:
        yield f"is a {refused}: it {REFUSED[refused]}."
        return
    if class_name == "function":
        names = [str(value.get("config"))]
        if module == "builtins":  # Keras' own word for its built-in functions
            module = None if not hasattr(builtins, names[0]) else module
    known = module is not None and MODULES.fullmatch(str(module)) is not None
    strange = next((name for name in names if not _is_plain(name, known)), None)
    if strange is not None or not (known or module is None):
        origin = f" of module {module!r}" if module is not None else ""
        yield (
            f"uses {strange or names[0]!r}{origin}, which loading would import; only what is in "
            "Keras, QKeras and models.quantizers is taken."
        )


def _is_plain(name: str, known_module: bool) -> bool:
    """An identifier; Keras writes `package>name` for what a package registered."""
    package, separator, rest = name.rpartition(">")
    return rest.isidentifier() and (not separator or (known_module and package.isidentifier()))


def _is_bytecode(text: str) -> bool:
    """Base64 of a marshalled code object, as Keras writes the function of a Lambda layer."""
    if len(text) < MIN_BYTECODE_CHARACTERS or not text.startswith(("4w", "Yw")):
        return False
    try:
        code = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return code[0] & 0x7F == ord("c") and b"\0" in code[:32]
