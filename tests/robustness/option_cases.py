"""Wrong options of the build."""

from __future__ import annotations

from tests.robustness.case import Case, binary, folder, text

CASES = (
    Case("nothing asked for", "",
         "no model is given.\n"
         "  Say for example: python flow/build.py --model kws"),
    Case("unknown model", "--model kwz",
         "model 'kwz' is unknown; choose one of: kws, ad, ic, vww, vww_mbv2, vww_effnet."),
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
