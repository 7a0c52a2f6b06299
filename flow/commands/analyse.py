"""Analyse: where a quantized network loses accuracy, layer by layer."""

from __future__ import annotations

from flow.commands._parser import Parser, file_name, whole

DEFAULT_SAMPLES = 256

EPILOG = """\
SQNR is signal against quantisation noise in dB: 6 dB more are one bit more. All of it is measured
against the float twin, which is the same network with its float weights and no quantizers. A
network whose activations are signs (binary, ternary) has no twin, and no such figures.
Three tables:
  weights      zero codes, bits that the codes need, SQNR of tensor and worst output channel
  activations  codes cut at either end, bits that no value needs, entropy of a code
  errors       the layer alone quantized, reading floats: its weights only; weights and output;
               what that makes of the network's output. Then QKeras and the integers running
               freely, and how many codes differ between the two.
docs/analysis.md says how to read them.

examples: python flow/build.py analyse --model kws --csv layers.csv
          python flow/build.py analyse --keras my_model.h5 --data samples.npz
"""


def main(arguments: list[str]) -> int:
    """Analyse, write the files that were asked for, print the tables; 0.

    Raises:
        ConfigError, DataError: something that was asked for does not exist or cannot be written.
        FlowError: the network cannot become integers.
    """
    parser = Parser(
        "analyse",
        "--model NAME | --keras FILE.h5 [option ...]",
        "Shows where a quantized network loses accuracy: weights, activations, errors.",
        EPILOG,
    )
    add = parser.add_argument_group("what to analyse").add_argument
    add("--model", metavar="NAME", help="a model with trained weights, such as kws")
    add("--quant", metavar="NAME", help="bit-widths: mpq, flat4, flat8 or flat16")
    add("--keras", metavar="FILE.h5", type=file_name,
        help="a QKeras model of your own; with --data")  # fmt: skip
    add("--data", metavar="FILE.npz", type=file_name,
        help="samples with the keys x and y, raw form")  # fmt: skip
    add("--samples", metavar="N", type=whole,
        help=f"how many of them are used (default {DEFAULT_SAMPLES}, or all)")  # fmt: skip
    add("--config", metavar="FILE", type=file_name, help="instead of config.yaml")
    add = parser.add_argument_group("results").add_argument
    add("--json", metavar="FILE", type=file_name, help="write all figures, with their origin")
    add("--csv", metavar="FILE", type=file_name, help="write a row for each layer")
    options = parser.parse_args(arguments)

    from flow.commands._analysis import analyse_and_tell  # not before the help text is out

    analyse_and_tell(options)
    return 0
