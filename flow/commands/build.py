"""Build: a trained network to checked RTL and a report; what no other command's name stands for."""

from __future__ import annotations

from pathlib import Path

from flow.commands._parser import Parser, file_name, whole

OTHER_COMMANDS = """\
other commands (each has --help):
  doctor                  every tool, its version, what is missing and how to get it
  fetch NAME              download the official test set of a model
  analyse                 where a quantized network loses accuracy, layer by layer
  accuracy                accuracies of all trained networks on their test sets, as a table
  compare RUN_A RUN_B     figures of two runs side by side; fails on a regression
  clean [RUN ...]         remove results of runs, and caches
"""
# flow.stages.STAGES; written out, because the help text shall not wait for its imports
STAGES_TEXT = "extract, evaluate, plan, emit, simulate, synth, route (ecp5 only), report"


def main(arguments: list[str]) -> int:
    """Parse, run the stages, print; 0.

    Raises:
        FlowError: wrong use, or a stage failed.
    """
    options = _parser().parse_args(arguments)
    from flow.commands._builder import build  # not before the help text is out

    build(options)
    return 0


def _parser() -> Parser:
    parser = Parser(
        "",
        "--model NAME | --keras FILE.h5 [option ...]",
        "From a trained network to checked RTL and a report.",
        OTHER_COMMANDS,
    )
    what = parser.add_argument_group("what to build")
    add = what.add_argument
    add("--model", metavar="NAME", help="kws, or all: every model of config.yaml")
    add("--quant", metavar="NAME", help="bit-widths: mpq, flat4, flat8 or flat16")
    add("--engine", metavar="NAME", help="xls: RTL, no vendor tool; vitis: C++ for Vitis HLS")
    add("--io-type", metavar="NAME", help="io_stream or io_parallel (engine vitis)")
    add("--target", metavar="NAME", help="a device of config.yaml")
    add(
        "--keras", metavar="FILE.h5", type=file_name, help="a QKeras model of your own; with --data"
    )
    add(
        "--data", metavar="FILE.npz", type=file_name, help="samples with the keys x and y, raw form"
    )
    add("--frames", metavar="N", type=whole, help="samples that are simulated")
    add("--cycles", metavar="N", type=whole, help="cycles between two frames that are aimed at")
    add("--config", metavar="FILE", type=Path, help="instead of config.yaml")
    add = parser.add_argument_group("how far", f"stages: {STAGES_TEXT}").add_argument
    add("--from", metavar="STAGE", dest="first", help="make this and later stages again")
    add("--to", metavar="STAGE", dest="last", help="stop after this stage")
    add("--force", action="store_true", help="make all stages again")
    add = parser.add_argument_group(
        "look inside", "these stop after simulate where --to does not say otherwise"
    ).add_argument
    add("--wav", metavar="FILE.wav", type=Path, help="a recording: which word does it hear?")
    add("--waves", metavar="LAYER", help="waveform of a layer around its first wrong word (xls)")
    add("--waves-frame", metavar="N", type=whole, help="... or of this frame, from 0")
    add = parser.add_argument_group("for continuous integration").add_argument
    add("--junit", metavar="FILE.xml", type=Path, help="stages and layers as test cases")
    add("--summary", metavar="FILE.md", type=Path, help="figures; appends to $GITHUB_STEP_SUMMARY")
    parser.always.add_argument("-v", "--verbose", action="store_true", help="tell what stages do")
    return parser
