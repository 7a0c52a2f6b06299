"""Wrong options of the build."""

from __future__ import annotations

from tests.robustness.case import Case, binary, folder, text

CASES = (
    Case("nothing asked for", "",
         "no model is given.\n"
         "  Say for example: python flow/build.py --model kws"),
    Case("unknown model", "--model kwz",
         "model 'kwz' is unknown; choose one of: kws, ad, ic, vww, vww_mbv2, vww_effnet."),
    Case("model without a name", "--model ''",
         "model '' is unknown; choose one of: kws, ad, ic, vww, vww_mbv2, vww_effnet."),
    Case("model without weights", "--model ic --data nothing.npz",
         "model 'ic' has no trained weights: no file is models/weights/ic-<quant>.h5.\n"
         "  models/train.py makes them (models/README.md); or choose one of: kws."),
    Case("model option without value", "--model",
         "argument --model: expected one argument.\n"
         "  See: python flow/build.py --help"),
    Case("unknown quant", "--model kws --quant int8",
         "quant 'int8' is unknown; choose one of: mpq."),
    Case("quant without weights", "--model kws --quant flat8",
         "quant 'flat8' is not available yet; available: mpq."),
    Case("unknown engine", "--model kws --engine hls",
         "engine 'hls' is unknown; choose one of: xls, vitis."),
    Case("engine vitis without a part", "--model kws --engine vitis --target lfe5u-85f",
         "target 'lfe5u-85f' has no part, which engine 'vitis' needs: AMD's name of the device.\n"
         "  Choose another target with --target, or another engine; or give the part in "
         "config.yaml (targets.lfe5u-85f.part, such as xc7z020clg400-1)."),
    Case("unknown io type", "--model kws --engine vitis --io-type io_serial",
         "io type 'io_serial' is unknown; choose one of: io_stream, io_parallel."),
    Case("io type of another engine", "--model kws --io-type io_parallel",
         "--io-type io_parallel is not available with engine 'xls', whose layers are always joined "
         "by streams.\n"
         "  Leave --io-type out, or choose --engine vitis."),
    Case("route with engine vitis", "--model kws --engine vitis --to route",
         "a run with engine 'vitis' has no stage 'route': timing comes from Vivado, in stage "
         "synth.\n"
         "  Choose another stage, or --engine xls and a target of family ecp5."),
    Case("waveform with engine vitis", "--model kws --engine vitis --waves conv2d",
         "--waves shows signals of RTL, and engine 'vitis' simulates C++, which has none.\n"
         "  Leave --waves out, or say --engine xls: its layers compute the same integers."),
    Case("unknown target", "--model kws --target z7",
         "target 'z7' is unknown; choose one of: xc7z020, lfe5u-85f."),
    Case("no frames", "--model kws --frames 0",
         "--frames 0 is not allowed; choose 1 or more."),
    Case("negative frames", "--model kws --frames -1",
         "--frames -1 is not allowed; choose 1 or more."),
    Case("frames in words", "--model kws --frames x",
         "argument --frames: 'x' is not allowed; choose a whole number.\n"
         "  See: python flow/build.py --help"),
    Case("half a frame", "--model kws --frames 2.5",
         "argument --frames: '2.5' is not allowed; choose a whole number.\n"
         "  See: python flow/build.py --help"),
    Case("more frames than samples", "--model kws --frames 121",
         "121 frames were asked for, but 'kws' holds 120 samples.\n"
         "  Choose --frames 120 or fewer."),
    Case("frames beyond 64 bit", "--model kws --frames 99999999999999999999",
         "99999999999999999999 frames were asked for, but 'kws' holds 120 samples.\n"
         "  Choose --frames 120 or fewer."),
    Case("unknown first stage", "--model kws --from place",
         "stage 'place' is unknown; choose one of: extract, evaluate, plan, emit, "
         "simulate, synth, route, report."),
    Case("unknown last stage", "--model kws --to bitstream",
         "stage 'bitstream' is unknown; choose one of: extract, evaluate, plan, emit, "
         "simulate, synth, route, report."),
    Case("stages in reverse", "--model kws --from synth --to plan",
         "--from synth comes after --to plan.\n"
         "  The order is: extract, evaluate, plan, emit, simulate, synth, route, report."),
    Case("route on a device without router", "--model kws --to route",
         "a run for xc7z020 has no stage 'route': there is no open router for family "
         "'xc7'.\n"
         "  Choose a target of family ecp5 with --target, or another stage."),
    Case("from route without router", "--model kws --from route",
         "a run for xc7z020 has no stage 'route': there is no open router for family "
         "'xc7'.\n"
         "  Choose a target of family ecp5 with --target, or another stage."),
    Case("unknown option", "--model kws --fast",
         "unrecognized arguments: --fast.\n"
         "  See: python flow/build.py --help"),
    Case("shortened option", "--model kws --forc",
         "unrecognized arguments: --forc.\n"
         "  See: python flow/build.py --help"),
    Case("word after the options", "--model kws report",
         "unrecognized arguments: report.\n"
         "  See: python flow/build.py --help"),
    Case("unknown command", "biuld --model kws",
         "'biuld' is no command; choose one of: doctor, fetch, analyse, accuracy, compare, clean.\n"
         "  To build, say for example: python flow/build.py --model kws"),
    Case("model of one's own", "--keras mine.h5",
         "model file 'mine.h5' cannot be used:\n"
         "  - it is a Python pickle, which runs code of its author when it is loaded, "
         "not a Keras model.\n"
         "  Build the model from layers of Keras and QKeras alone, and save it: "
         "model.save(\"model.h5\").", binary("mine.h5", b"\x80\x04.")),
    Case("waveform of an unknown layer", "--model kws --waves conv9 --to simulate",
         "layer 'conv9' is unknown; choose one of: conv2d, depthwise_conv2d, conv2d_1, "
         "depthwise_conv2d_1, conv2d_2, depthwise_conv2d_2, conv2d_3, "
         "depthwise_conv2d_3, conv2d_4, average_pooling2d, dense.",
         stage="evaluate"),
    Case("waveform without its stage", "--model kws --waves conv2d --to plan",
         "--waves needs the stage simulate, but --to plan stops before it.\n"
         "  Leave --to out, or choose one of: simulate, synth, route, report."),
    Case("waveform made before its stage", "--model kws --waves conv2d --from synth",
         "--from synth comes after simulate, the last stage for --waves.\n"
         "  The order is: extract, evaluate, plan, emit, simulate, synth, route, report."),
    Case("waveform frame without layer", "--model kws --waves-frame 1",
         "--waves-frame needs --waves LAYER: name the layer to look at."),
    Case("negative waveform frame", "--model kws --waves conv2d --waves-frame -1",
         "--waves-frame -1 is not allowed; choose 0 or more."),
    Case("waveform frame beyond the frames",
         "--model kws --waves conv2d --frames 4 --waves-frame 4",
         "--waves-frame 4 is not allowed: 4 frames go through RTL; choose one of 0..3."),
    Case("waveform of all models", "--model all --waves conv2d",
         "--waves looks into one model; name it with --model."),
    Case("JUnit file is a folder", "--model kws --junit out",
         "--junit out cannot be written: it is a folder.\n"
         "  Name another file.", folder("out")),
    Case("JUnit file below a file", "--model kws --junit notes/junit.xml",
         "--junit notes/junit.xml cannot be written: File exists.\n"
         "  Name another file.", text("notes", "")),
    Case("summary is a folder", "--model kws --summary out",
         "--summary out cannot be written: it is a folder.\n"
         "  Name another file.", folder("out")),
    Case("summary below a file", "--model kws --summary notes/summary.md",
         "--summary notes/summary.md cannot be written: File exists.\n"
         "  Name another file.", text("notes", "")),
    Case("JUnit file of a wrong call", "--model kwz --junit junit.xml",
         "model 'kwz' is unknown; choose one of: kws, ad, ic, vww, vww_mbv2, vww_effnet.",
         writes=("junit.xml",)),
)  # fmt: skip
