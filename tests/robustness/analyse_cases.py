"""Wrong use of `analyse`."""

from __future__ import annotations

from tests.robustness.case import Case, folder, npz, text
from tests.robustness.weights_cases import remove, weights

CALL = "analyse --model kws"

CASES = (
    Case("analyse nothing", "analyse",
         "no model is given.\n"
         "  Say for example: python flow/build.py analyse --model kws"),
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
)  # fmt: skip
