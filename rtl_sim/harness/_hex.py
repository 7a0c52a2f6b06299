"""Words of streams as integers and as `$readmemh` files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import RangeError


def pack(elements: Sequence[int], bits: int) -> int:
    """Join elements into one word, element 0 at the LSB; each is reduced modulo 2**bits."""
    mask = (1 << bits) - 1
    word = 0
    for element in reversed(elements):
        word = word << bits | int(element) & mask
    return word


def unpack(word: int, bits: int, count: int, *, signed: bool) -> list[int]:
    """Inverse of `pack`: `count` elements, element 0 first; bits above them are ignored."""
    mask, sign = (1 << bits) - 1, 1 << (bits - 1) if signed else 0
    codes = (word >> (index * bits) & mask for index in range(count))
    return [(code ^ sign) - sign for code in codes]


def write_hex(path: Path, words: Iterable[int], width: int) -> None:
    """Write one word of `width` bits per line.

    Raises:
        RangeError: a word is negative or does not fit.
    """
    digits = (width + 3) // 4
    lines = [f"{word:0{digits}x}" for word in _checked(words, width)]
    path.write_text("\n".join(lines) + "\n")


def write_packed_hex(
    path: Path, elements: NDArray[np.integer[Any]], bits: int, per_word: int
) -> int:
    """Pack an array in its C order, `per_word` elements to a word, and write it; return the words.

    The fast road for whole frames: `write_hex` of `pack` of each group, vectorised.

    Raises:
        RangeError: the elements do not fill whole words, or are wider than 64 bits.
    """
    flat = np.ascontiguousarray(elements).reshape(-1)
    if flat.size % per_word:
        raise RangeError(f"{path.name}: {flat.size} elements do not fill words of {per_word}.")
    if not 1 <= bits <= 64:
        raise RangeError(f"{path.name}: elements of {bits} bits; 1 to 64 can be packed.")
    with path.open("wb") as file:
        for start in range(0, flat.size, _CHUNK_WORDS * per_word):
            file.write(_hex_lines(flat[start : start + _CHUNK_WORDS * per_word], bits, per_word))
    return flat.size // per_word


_CHUNK_WORDS = 1 << 14  # bounds the memory that one bit per byte takes


def _hex_lines(flat: NDArray[np.integer[Any]], bits: int, per_word: int) -> bytes:
    words = flat.size // per_word
    codes = flat.astype(np.int64 if flat.dtype.kind == "i" else np.uint64).view(np.uint64)
    if bits % 8 == 0 and bits in (8, 16, 32, 64):
        octets = codes.astype(f"<u{bits // 8}").view(np.uint8).reshape(words, -1)
    else:
        little = codes.astype("<u8").view(np.uint8).reshape(-1, 8)
        element_bits = np.unpackbits(little, axis=1, bitorder="little")[:, :bits]
        octets = np.packbits(element_bits.reshape(words, -1), axis=1, bitorder="little")
    nibbles = np.empty((words, 2 * octets.shape[1]), np.uint8)
    nibbles[:, 0::2] = octets & 15
    nibbles[:, 1::2] = octets >> 4
    digits = (bits * per_word + 3) // 4
    text = np.empty((words, digits + 1), np.uint8)
    text[:, :digits] = np.frombuffer(b"0123456789abcdef", np.uint8)[nibbles[:, :digits][:, ::-1]]
    text[:, digits] = ord("\n")
    return text.tobytes()


def _checked(words: Iterable[int], width: int) -> Iterable[int]:
    for index, word in enumerate(words):
        if word < 0 or word >> width:
            raise RangeError(f"word {index} is {word}; it does not fit {width} unsigned bits.")
        yield int(word)
