"""Wrong samples: `--data`, the data folder."""

from __future__ import annotations

import zipfile

import numpy as np

from tests.robustness.case import (
    SAMPLES,
    Case,
    Place,
    binary,
    config,
    environment,
    folder,
    npz,
    spoiled,
    text,
    together,
)

CALL = "--model kws --data mine.npz"
FLOATS = config(("raw_dtype: int8", "raw_dtype: float32"))


def store(dtype: str) -> str:
    """What every message about the arrays ends with."""
    return (
        f"  Store x as {dtype} [n, 49, 10] or [n, 49, 10, 1] in raw form and y as n integer labels "
        "in 0..11: numpy.savez('mine.npz', x=x, y=y)."
    )


def labels(*values: float) -> np.ndarray:
    """One label per sample."""
    return np.array(values)


def floats(value: float) -> np.ndarray:
    """Float samples, one of whose values is this."""
    x = np.zeros((SAMPLES, 49, 10), np.float32)
    x[2, 3, 4] = value
    return x


def flip_in_the_middle(content: bytes) -> bytes:
    """A bit of the first array, which zip's CRC covers."""
    at = 1000
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def single_array(place: Place) -> None:
    """An .npy under the name of an .npz."""
    with (place.folder / "mine.npz").open("wb") as file:
        np.save(file, np.zeros(3))


def text_in_zip(place: Place) -> None:
    """A zip whose members are no arrays."""
    with zipfile.ZipFile(place.folder / "mine.npz", "w") as archive:
        archive.writestr("x", "text")
        archive.writestr("y", "text")


def absurd_shape(place: Place) -> None:
    """An array of which the header alone is there, and claims more than any memory holds."""
    header = {"descr": "|i1", "fortran_order": False, "shape": (10**15, 49, 10)}
    with zipfile.ZipFile(place.folder / "mine.npz", "w") as archive:
        for key in ("x", "y"):
            with archive.open(f"{key}.npy", "w") as member:
                np.lib.format.write_array_header_1_0(member, header)


CASES = (
    Case("missing data", "--model kws --data none.npz",
         "data file none.npz does not exist.\n"
         "  Give an existing .npz file with --data."),
    Case("data is a folder", CALL,
         "data file mine.npz is a folder.\n"
         "  Give an existing .npz file with --data.", folder("mine.npz")),
    Case("data without a name", "--model kws --data ''",
         "argument --data: '' is no name of a file.\n"
         "  See: python flow/build.py --help"),
    Case("data is empty", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: it is empty.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", binary("mine.npz", b"")),
    Case("data is text", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: it is no zip archive; it "
         "begins with b'x,y\\n1,2\\n'.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", text("mine.npz", "x,y\n1,2\n")),
    Case("data is a single array", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: it holds a single array, not "
         "named ones.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", single_array),
    Case("data is a zip of texts", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: its x is no NumPy array.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", text_in_zip),
    Case("data of absurd size", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: Unable to allocate 435. PiB "
         "for an array with shape (490000000000000000,) and data type int8.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", absurd_shape),
    Case("data holds Python objects", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: Object arrays cannot be "
         "loaded when allow_pickle=False.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", npz(x=np.array([{}, {}], dtype=object))),
    Case("labels are Python objects", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: Object arrays cannot be "
         "loaded when allow_pickle=False.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", npz(y=np.array([None] * 5, dtype=object))),
    Case("data without x", CALL,
         "data file {tmp}/mine.npz: key 'x' is missing.\n"
         + store("int8"), npz(x=None)),
    Case("data without x and y", CALL,
         "data file {tmp}/mine.npz: key 'x' is missing; key 'y' is missing.\n"
         + store("int8"),
         npz(x=None, y=None, z=np.zeros(3))),
    Case("data of another shape", CALL,
         "data file {tmp}/mine.npz: x has shape (5, 10, 49), expected [n, 49, 10] or "
         "[n, 49, 10, 1].\n"
         + store("int8"),
         npz(x=np.zeros((5, 10, 49), np.int8))),
    Case("data is one number", CALL,
         "data file {tmp}/mine.npz: x has shape (), expected [n, 49, 10] or [n, 49, 10, "
         "1].\n"
         + store("int8"), npz(x=np.int8(3))),
    Case("data of another type", CALL,
         "data file {tmp}/mine.npz: x has dtype float64, expected int8.\n"
         + store("int8"),
         npz(x=np.zeros((5, 49, 10), np.float64))),
    Case("data without samples", CALL,
         "data file {tmp}/mine.npz: x holds no samples, expected at least one.\n"
         + store("int8"),
         npz(x=np.zeros((0, 49, 10), np.int8), y=np.zeros(0, np.int64))),
    Case("data is not a number", f"{CALL} --config config.yaml",
         "data file {tmp}/mine.npz: x holds NaN or infinity, first at (2, 3, 4).\n"
         + store("float32"),
         together(FLOATS, npz(x=floats(np.nan)))),
    Case("data is infinite", f"{CALL} --config config.yaml",
         "data file {tmp}/mine.npz: x holds NaN or infinity, first at (2, 3, 4).\n"
         + store("float32"),
         together(FLOATS, npz(x=floats(np.inf)))),
    Case("label too large", CALL,
         "data file {tmp}/mine.npz: y[2] is 12, expected a label in 0..11 (2 of 5 "
         "labels are wrong).\n"
         + store("int8"),
         npz(y=labels(0, 1, 12, 3, 99))),
    Case("label too small", CALL,
         "data file {tmp}/mine.npz: y[1] is -1, expected a label in 0..11 (1 of 5 "
         "labels are wrong).\n"
         + store("int8"),
         npz(y=labels(0, -1, 2, 3, 4))),
    Case("labels are floats", CALL,
         "data file {tmp}/mine.npz: y has dtype float64, expected an integer type.\n"
         + store("int8"),
         npz(y=labels(0.0, 1, 2, 3, 4))),
    Case("labels are words", CALL,
         "data file {tmp}/mine.npz: y has dtype <U3, expected an integer type.\n"
         + store("int8"),
         npz(y=np.array(["yes"] * 5))),
    Case("labels one hot", CALL,
         "data file {tmp}/mine.npz: y has shape (5, 12), expected (5,) as x.\n"
         + store("int8"),
         npz(y=np.eye(5, 12, dtype=np.int64))),
    Case("too few labels", CALL,
         "data file {tmp}/mine.npz: y has shape (2,), expected (5,) as x.\n"
         + store("int8"), npz(y=labels(0, 1))),
    Case("all wrong at once", CALL,
         "data file {tmp}/mine.npz: x has shape (5, 49), expected [n, 49, 10] or [n, "
         "49, 10, 1]; x has dtype uint8, expected int8; y has shape (1,), expected "
         "(5,) as x.\n"
         + store("int8"),
         npz(x=np.zeros((5, 49), np.uint8), y=labels(0.5))),
    Case("data cut off", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: its end is missing.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", spoiled(npz(), "mine.npz", lambda bytes_: bytes_[:1500])),
    Case("data with a flipped bit", CALL,
         "data file {tmp}/mine.npz is not a readable .npz: Bad CRC-32 for file 'x.npy'.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", spoiled(npz(), "mine.npz", flip_in_the_middle)),
    Case("more frames than one's samples", f"{CALL} --frames 6",
         "6 frames were asked for, but 'mine' holds 5 samples.\n"
         "  Choose --frames 5 or fewer.", npz()),
    Case("data folder is a file", "--model kws",
         "the data folder {tmp}/notes, named by SHIFTFLOW_DATA, is no folder.\n"
         "  Correct or unset SHIFTFLOW_DATA.",
         together(text("notes", ""), environment("SHIFTFLOW_DATA", "{tmp}/notes"))),
    Case("data folder is missing", "--model kws",
         "the data folder {tmp}/nowhere, named by SHIFTFLOW_DATA, does not exist.\n"
         "  Correct or unset SHIFTFLOW_DATA.",
         environment("SHIFTFLOW_DATA", "{tmp}/nowhere")),
    Case("test set is damaged", "--model kws",
         "data file {tmp}/data/kws_test.npz is not a readable .npz: its end is missing.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled "
         "objects.", binary("data/kws_test.npz", b"PK\x03\x04")),
)  # fmt: skip
