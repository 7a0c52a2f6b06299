"""Wrong use of `analyse`."""

from __future__ import annotations

from flow.frontend.model_file import REMEDY
from tests.own_files import architecture
from tests.robustness.case import Case, Place, folder, npz, text
from tests.robustness.weights_cases import remove, weights

CALL = "analyse --model kws"


def own_model(place: Place) -> None:
    """A file whose model takes [5, 5, 2]."""
    architecture(place.folder / "mine.h5", (5, 5, 2))


def both(place: Place) -> None:
    """Such a model, and samples of kws."""
    own_model(place)
    npz()(place)


CASES = (
    Case("analyse nothing", "analyse",
         "no model is given.\n"
         "  Say for example: python flow/build.py analyse --model kws\n"
         "  or: python flow/build.py analyse --keras my_model.h5 --data samples.npz"),
    Case("analyse an unknown model", "analyse --model kwz",
         "model 'kwz' is unknown; choose one of: kws, ad, ic, vww, vww_mbv2, vww_effnet."),
    Case("analyse an unknown quant", f"{CALL} --quant int8",
         "quant 'int8' is unknown; choose one of: mpq."),
    Case("analyse without weights", CALL,
         "model 'kws' has no trained weights: no file is models/weights/kws-<quant>.h5.\n"
         "  models/train.py makes them (models/README.md).",
         weights(remove(".h5", ".json"))),
    Case("analyse a word", f"{CALL} conv2d",
         "unrecognized arguments: conv2d.\n"
         "  See: python flow/build.py analyse --help"),
    Case("analyse data that are not there", f"{CALL} --data mine.npz",
         "data file mine.npz does not exist.\n"
         "  Give an existing .npz file with --data."),
    Case("analyse text", f"{CALL} --data mine.npz",
         "data file {tmp}/mine.npz is not a readable .npz: it is no zip archive; it begins with "
         "b'not data'.\n"
         "  Copy or make the file again: numpy.savez(FILE, x=x, y=y), without pickled objects.",
         text("mine.npz", "not data")),
    Case("analyse no samples", f"{CALL} --samples 0",
         "--samples 0 is not allowed; choose 1 or more."),
    Case("analyse samples in words", f"{CALL} --samples all",
         "argument --samples: 'all' is not allowed; choose a whole number.\n"
         "  See: python flow/build.py analyse --help"),
    Case("analyse more samples than there are", f"{CALL} --data mine.npz --samples 6",
         "6 samples were asked for, but 'mine' holds 5.\n"
         "  Choose --samples 5 or fewer.", npz()),
    Case("analysis into a folder", f"{CALL} --json out",
         "--json out cannot be written: it is a folder.\n"
         "  Name another file.", folder("out")),
    Case("analysis below a file", f"{CALL} --csv notes/layers.csv",
         "--csv notes/layers.csv cannot be written: File exists.\n"
         "  Name another file.", text("notes", "")),
    Case("both results into one file", f"{CALL} --json out --csv ./out",
         "--json and --csv both name out.\n"
         "  Name two files."),
    Case("analyse two models", f"{CALL} --keras mine.h5",
         "--model kws is not available with --keras mine.h5.\n"
         "  Leave one of the two out."),
    Case("analyse a file without a name", "analyse --keras '' --data mine.npz",
         "argument --keras: '' is no name of a file.\n"
         "  See: python flow/build.py analyse --help"),
    Case("analyse data without a name", "analyse --keras mine.h5 --data ''",
         "argument --data: '' is no name of a file.\n"
         "  See: python flow/build.py analyse --help"),
    Case("analysis into a file without a name", f"{CALL} --csv ''",
         "argument --csv: '' is no name of a file.\n"
         "  See: python flow/build.py analyse --help"),
    Case("analyse a model that is not there", "analyse --keras mine.h5",
         "model file 'mine.h5' does not exist.\n"
         "  Name a .h5 or .keras file."),
    Case("analyse text as a model", "analyse --keras mine.h5",
         "model file 'mine.h5' cannot be used:\n"
         "  - it is neither HDF5 nor a .keras file.\n"
         f"  {REMEDY}", text("mine.h5", "hello")),
    Case("analyse a model without samples", "analyse --keras mine.h5",
         "a model of your own (--keras) needs samples of its input: to calibrate, to compare, to "
         "simulate.\n"
         "  Give them with --data FILE.npz: x [n, ...] float32, as the model takes it, and y [n] "
         "integer labels where there are any.", own_model),
    Case("analyse a model with a quant", "analyse --keras mine.h5 --quant flat8",
         "--quant flat8 is not available with --keras, whose file says every bit-width.\n"
         "  Leave --quant out.", own_model),
    Case("analyse a model on samples of another", "analyse --keras mine.h5 --data mine.npz",
         "data file {tmp}/mine.npz: x has shape (5, 49, 10), expected [n, 5, 5, 2]; x has dtype "
         "int8, expected float32.\n"
         "  Store x as float32 [n, 5, 5, 2], the model's input, and y as n integer labels from 0, "
         "or leave y out: numpy.savez('mine.npz', x=x, y=y).", both),
)  # fmt: skip
