"""What kind of file a model file is, told by its content: a wrong one gets a fitting word."""

from __future__ import annotations

import bz2
import lzma
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py

CONFIG = "config.json"  # of a .keras archive
HEAD_BYTES = 1 << 16
MIN_PICKLE_OPS = 64  # a pickle cut off by HEAD_BYTES has more; other data ends in an error sooner
PROTOCOLS = (b"\2", b"\3", b"\4", b"\5")  # older ones have no mark
PICKLE = "a Python pickle, which runs code of its author when it is loaded"

GZIP = 31  # zlib's word for a gzip header
SUFFIXES = {
    ".onnx": "an ONNX model",
    ".pb": "a TensorFlow graph",
    ".tflite": "a TensorFlow Lite model",
    ".pt": "a PyTorch file",
    ".pth": "a PyTorch file",
}
COMPRESSIONS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": lambda head: zlib.decompressobj(GZIP).decompress(head, HEAD_BYTES),
    b"BZh": lambda head: bz2.BZ2Decompressor().decompress(head, HEAD_BYTES),
    b"\xfd7zXZ": lambda head: lzma.LZMADecompressor().decompress(head, HEAD_BYTES),
    b"\x78": lambda head: zlib.decompressobj().decompress(head, HEAD_BYTES),
}


def is_h5(path: Path) -> bool:
    """Whether this is HDF5; a .keras archive is the other format that is read."""
    return bool(h5py.is_hdf5(path))


def foreign_format(path: Path) -> str:
    """Why the file is neither of the two formats that are read; empty when it is one of them."""
    if is_h5(path):
        both = zipfile.is_zipfile(path)
        return "it is HDF5 and a ZIP archive at once; which of the two counts?" if both else ""
    if zipfile.is_zipfile(path):
        return _foreign_archive(path)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = _kind(head) or _compressed_kind(head) or SUFFIXES.get(path.suffix.lower())
    return f"it is {kind}, not a Keras model." if kind else "it is neither HDF5 nor a .keras file."


def _foreign_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(Path(name).name == "data.pkl" for name in names):
                return f"it is a PyTorch file, and holds {PICKLE}."
            arrays = [name for name in names if name.endswith(".npy")]
            objects = [name for name in arrays if _holds_objects(_head(archive, name))]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
        return f"it is a ZIP archive that cannot be read ({error})."
    if objects:
        return f"it is a NumPy archive; its array {objects[0]!r} is {PICKLE}."
    if arrays:
        return "it is a NumPy archive (.npz), not a Keras model."
    return "" if CONFIG in names else f"it is a ZIP archive without {CONFIG}, not a Keras model."


def _head(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        return member.read(HEAD_BYTES)


def _kind(head: bytes) -> str | None:
    if head.startswith(b"\x93NUMPY"):
        return PICKLE if _holds_objects(head) else "a NumPy array"
    if head.startswith(b"PK"):
        return "a damaged or incomplete ZIP archive"
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model"
    if _is_pickle(head):
        return PICKLE
    if head.lstrip().startswith(b"{"):
        return "text (an architecture without its weights?)"
    return None


def _compressed_kind(head: bytes) -> str | None:
    for magic, unpack in COMPRESSIONS.items():
        if head.startswith(magic):
            try:
                inner = _kind(unpack(head))
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                continue
            return f"compressed, and in it {inner}" if inner else "a compressed file"
    return None


def _holds_objects(head: bytes) -> bool:
    """A .npy header of Python objects: numpy stores such an array as a pickle."""
    return b"'|O" in head[:4096] or b"'O" in head[:4096]


def _is_pickle(head: bytes) -> bool:
    operations = 0
    try:
        for opcode, _, _ in pickletools.genops(head):
            operations += 1
            if opcode.name == "STOP":
                return operations > 1
    except (ValueError, OverflowError, IndexError, struct.error):  # cut off, or no pickle
        pass
    return operations >= MIN_PICKLE_OPS or (head[:1] == b"\x80" and head[1:2] in PROTOCOLS)
