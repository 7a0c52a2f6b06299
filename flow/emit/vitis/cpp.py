"""Pieces of C++ that a layer is made of: configuration structs, tables, streams, calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flow.graph.types import IntArray, TensorType

INT_BITS = 31


@dataclass(frozen=True, slots=True)
class Struct:
    """A configuration struct of parameters.h: types by role, then constants."""

    name: str
    types: Mapping[str, str]
    constants: Mapping[str, int]

    @property
    def members(self) -> list[str]:
        """One declaration per line."""
        return [
            *(f"typedef {text} {role};" for role, text in self.types.items()),
            *(
                f"static const {_constant_type(value)} {name} = {literal(value)};"
                for name, value in self.constants.items()
            ),
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A constant array, in a header of its own under weights/."""

    name: str
    element: str
    values: IntArray
    note: str

    @property
    def shape(self) -> str:
        """The array's dimensions as they are declared."""
        return "".join(f"[{size}]" for size in self.values.shape)

    @property
    def rows(self) -> list[str]:
        """Initialisers of the first dimension; none for a table of zeros."""
        return [_initialiser(row) for row in self.values] if self.values.any() else []


@dataclass(frozen=True, slots=True)
class Buffer:
    """What lies between two processes: a stream of beats, or an array."""

    name: str
    element: str
    elems: int  # per beat; of the whole array
    depth: int = 0  # beats; of a stream


@dataclass(frozen=True, slots=True)
class Call:
    """One process of the dataflow region: `function(arguments)`."""

    function: str
    arguments: tuple[str, ...]

    @property
    def text(self) -> str:
        """The statement."""
        return f"{self.function}({', '.join(self.arguments)});"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's part of the firmware; `output` is the last of `buffers`.

    Where several layers read it, `copy_calls` fill `copies` of it.
    """

    name: str
    summary: str
    size: int  # elements of its output
    structs: tuple[Struct, ...]
    tables: tuple[Table, ...]
    buffers: tuple[Buffer, ...]
    calls: tuple[Call, ...]
    pragmas: tuple[str, ...]
    copies: tuple[Buffer, ...] = ()
    copy_calls: tuple[Call, ...] = ()

    @property
    def output(self) -> Buffer:
        """Where the layer's codes go."""
        return self.buffers[-1]


def integer(bits: int, signed: bool) -> str:
    """The exact-width type of shift_types.h."""
    return f"shift::{'sint' if signed else 'uint_'}<{bits}>"


def element_type(tensor: TensorType) -> str:
    """The type of a tensor's codes."""
    return integer(tensor.bits, tensor.signed)


def literal(value: int) -> str:
    """A number or truth value as C++ text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if abs(value).bit_length() <= INT_BITS else f"{value}LL"


def _constant_type(value: int) -> str:
    if isinstance(value, bool):
        return "bool"
    return "int" if abs(value).bit_length() <= INT_BITS else "long long"


def _initialiser(values: IntArray) -> str:
    if values.ndim == 0:
        return literal(int(values))
    return "{" + ", ".join(_initialiser(part) for part in values) + "}"
