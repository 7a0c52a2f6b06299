"""Wrong configuration files."""

from __future__ import annotations

from tests.robustness.case import Case, Prepare, binary, config, folder, text

CALL = "--model kws --config config.yaml"
PLAN = f"{CALL} --to plan"
# each of ten lines holds ten of the line before: 10^10 elements once expanded
BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
)


def layers(overrides: str) -> Prepare:
    """A configuration that overrides layers."""
    return config(("layers: {} ", f"layers: {overrides} "))


CASES = (
    Case("missing configuration", "--model kws --config none.yaml",
         "cannot read none.yaml: No such file or directory.\n"
         "  Give an existing file with --config FILE."),
    Case("configuration is a folder", CALL,
         "cannot read config.yaml: Is a directory.\n"
         "  Give an existing file with --config FILE.", folder("config.yaml")),
    Case("configuration is binary", CALL,
         "cannot read config.yaml: it is not UTF-8 text.\n"
         "  Give an existing file with --config FILE.",
         binary("config.yaml", b"\x89PNG\xff\xfe\x00")),
    Case("configuration with control characters", CALL,
         "config.yaml: this is not valid YAML: unacceptable character #x0007: special "
         "characters are not allowed in \"<unicode string>\", position 3.\n"
         "  Correct config.yaml.", binary("config.yaml", b"a: \x07\n")),
    Case("configuration is empty", CALL,
         "config.yaml has 1 error:\n"
         "  the file (line 1): it is empty; it must be a mapping with the keys data, "
         "targets, models, tools.\n"
         "  Correct config.yaml.", binary("config.yaml", b"")),
    Case("configuration is a list", CALL,
         "config.yaml has 1 error:\n"
         "  the file (line 1): ['data', 'models'] is not allowed; it must be a mapping "
         "with the keys data, targets, models, tools.\n"
         "  Correct config.yaml.", text("config.yaml", "- data\n- models\n")),
    Case("configuration is a word", CALL,
         "config.yaml has 1 error:\n"
         "  the file (line 1): 'kws' is not allowed; it must be a mapping with the keys "
         "data, targets, models, tools.\n"
         "  Correct config.yaml.", text("config.yaml", "kws\n")),
    Case("bracket not closed", CALL,
         "config.yaml, {line classes:}, column 12: this is not valid YAML: expected ',' or ']', "
         "but got ':'.\n"
         "  Correct config.yaml.", config(("[49, 10, 1]", "[49, 10, 1"))),
    Case("tab in the indentation", CALL,
         "config.yaml, {line quant:}, column 1: this is not valid YAML: found character '\\t' "
         "that cannot start any token.\n"
         "  Correct config.yaml.", config(("    quant: mpq", "\tquant: mpq"))),
    Case("two documents", CALL,
         "config.yaml, line 2, column 1: this is not valid YAML: but found another "
         "document.\n"
         "  Correct config.yaml.", text("config.yaml", "a: 1\n---\nb: 2\n")),
    Case("Python object in the configuration", CALL,
         "config.yaml, {line folder:}, column 11: this is not valid YAML: could not determine a "
         "constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'.\n"
         "  Correct config.yaml.",
         config(("../shared/data ", "!!python/object/apply:os.system ['touch pwned'] "))),
    Case("expanding anchors", CALL,
         "config.yaml: it holds more than 10,000 values once its aliases are expanded.\n"
         "  Correct config.yaml.", text("config.yaml", BOMB)),
    Case("anchor in itself", CALL,
         "config.yaml: its values are nested more than 20 deep.\n"
         "  Correct config.yaml.", text("config.yaml", "data: &a [*a]\n")),
    Case("unknown alias", CALL,
         "config.yaml, {line raw_dtype:}, column 16: this is not valid YAML: found undefined "
         "alias 'x'.\n"
         "  Correct config.yaml.", config(("raw_dtype: int8", "raw_dtype: *x"))),
    Case("nested a thousand times", CALL,
         "config.yaml: its values are nested more than 20 deep.\n"
         "  Correct config.yaml.", text("config.yaml", "[" * 1000)),
    Case("date that does not exist", CALL,
         "config.yaml: this is not valid YAML: month must be in 1..12.\n"
         "  Correct config.yaml.", config(("quant: mpq", "quant: 2020-13-45"))),
    Case("list as a key", CALL,
         "config.yaml, line 1: a list or mapping is used as a key; a key must be a word.\n"
         "  Correct config.yaml.", text("config.yaml", "? [a, b]\n: 1\n")),
    Case("number as a key", CALL,
         "config.yaml has 2 errors:\n"
         "  models.kws.classes ({line kws:}): is missing.\n"
         "  models.kws.12 ({line kws:}): unknown key; allowed here: input_shape, classes, "
         "raw_dtype, metric, quant, target, target_ii_cycles, frames, dsp_budget, "
         "lut_budget, layers.\n"
         "  Correct config.yaml.", config(("    classes: 12", "    12: 12"))),
    Case("key twice", CALL,
         "config.yaml, {line classes: 10}: key models.kws.classes appears twice, first in "
         "{line classes:}.\n"
         "  Remove one of the two.",
         config(("    classes: 12", "    classes: 12\n    classes: 10"))),
    Case("unknown key", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.clases ({line clases:}): unknown key; allowed here: input_shape, "
         "classes, raw_dtype, metric, quant, target, target_ii_cycles, frames, "
         "dsp_budget, lut_budget, layers.\n"
         "  Correct config.yaml.", config(("    classes: 12", "    classes: 12\n    clases: 12"))),
    Case("missing key", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.classes ({line kws:}): is missing.\n"
         "  Correct config.yaml.", config(("    classes: 12\n", ""))),
    Case("missing section", CALL,
         "config.yaml has 4 errors:\n"
         "  data (line 1): is missing.\n"
         "  targets (line 1): is missing.\n"
         "  models (line 1): {} is not allowed; it must be at least one model.\n"
         "  tools (line 1): is missing.\n"
         "  Correct config.yaml.", text("config.yaml", "models: {}\n")),
    Case("word for a number", CALL,
         "config.yaml has 1 error:\n"
         "  targets.xc7z020.dsp ({line dsp:}): 'many' is not allowed; it must be an integer "
         "of at least 0.\n"
         "  Correct config.yaml.", config(("dsp: 220", "dsp: many"))),
    Case("text of a number", CALL,
         "config.yaml has 1 error:\n"
         "  targets.xc7z020.dsp ({line dsp:}): '220' is not allowed; it must be an integer "
         "of at least 0.\n"
         "  Correct config.yaml.", config(("dsp: 220", "dsp: '220'"))),
    Case("yes for a number", CALL,
         "config.yaml has 1 error:\n"
         "  targets.xc7z020.dsp ({line dsp:}): True is not allowed; it must be an integer "
         "of at least 0.\n"
         "  Correct config.yaml.", config(("dsp: 220", "dsp: yes"))),
    Case("not a number for a clock", CALL,
         "config.yaml has 1 error:\n"
         "  targets.xc7z020.clock_mhz ({line clock_mhz:}): nan is not allowed; it must be a "
         "number of MHz above 0.\n"
         "  Correct config.yaml.", config(("clock_mhz: 100", "clock_mhz: .nan"))),
    Case("clock of 0", CALL,
         "config.yaml has 1 error:\n"
         "  targets.xc7z020.clock_mhz ({line clock_mhz:}): 0 is not allowed; it must be a number "
         "of MHz above 0.\n"
         "  Correct config.yaml.", config(("clock_mhz: 100", "clock_mhz: 0"))),
    Case("share above 1", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.dsp_budget ({line dsp_budget:}): 85 is not allowed; it must be a share in "
         "0..1.\n"
         "  Correct config.yaml.", config(("dsp_budget: 0.85", "dsp_budget: 85"))),
    Case("all stalled", CALL,
         "config.yaml has 1 error:\n"
         "  tools.simulation.stall_in_percent ({line stall_in_percent:}): 100 is not "
         "allowed; it must be "
         "an integer in 1..95.\n"
         "  Correct config.yaml.", config(("stall_in_percent: 30 ", "stall_in_percent: 100 "))),
    Case("no seeds", CALL,
         "config.yaml has 1 error:\n"
         "  tools.simulation.seeds ({line seeds:}): [] is not allowed; it must be a list of "
         "at least one integer.\n"
         "  Correct config.yaml.", config(("seeds: [1, 2]", "seeds: []"))),
    Case("seed too large", CALL,
         "config.yaml has 1 error:\n"
         "  tools.simulation.seeds.1 ({line seeds:}): 4294967296 is not allowed; it must be "
         "an integer in 0..4294967295.\n"
         "  Correct config.yaml.", config(("seeds: [1, 2]", "seeds: [1, 4294967296]"))),
    Case("shape of two", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.input_shape.2 ({line input_shape:}): is missing.\n"
         "  Correct config.yaml.", config(("[49, 10, 1]", "[49, 10]"))),
    Case("frames of 0 in the configuration", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.frames ({line frames:}): 0 is not allowed; it must be an integer in "
         "1..100000.\n"
         "  Correct config.yaml.", config(("frames: 64 ", "frames: 0 "))),
    Case("unknown family", CALL,
         "config.yaml has 1 error:\n"
         "  targets.xc7z020.family ({line family:}): 'versal' is not allowed; it must be xc7 "
         "or ecp5.\n"
         "  Correct config.yaml.", config(("family: xc7", "family: versal"))),
    Case("target that is not there", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.target ({line target:}): 'xc7z045' is not allowed; it must be one of "
         "the targets: xc7z020, lfe5u-85f.\n"
         "  Correct config.yaml.", config(("target: xc7z020", "target: xc7z045"))),
    Case("several errors at once", CALL,
         "config.yaml has 4 errors:\n"
         "  targets.xc7z020.dsp ({line dsp:}): -1 is not allowed; it must be an integer of "
         "at least 0.\n"
         "  models.kws.classes ({line classes:}): 'one' is not allowed; it must be an integer "
         "of at least 2.\n"
         "  models.kws.target ({line target:}): 'none' is not allowed; it must be one of the "
         "targets: xc7z020, lfe5u-85f.\n"
         "  tools.jobs ({line jobs:}): 0 is not allowed; it must be auto, or an integer of "
         "at least 1.\n"
         "  Correct config.yaml.",
         config(("dsp: 220", "dsp: -1"), ("classes: 12", "classes: one"), ("jobs: auto", "jobs: 0"),
                ("target: xc7z020", "target: none"))),
    Case("override of an unknown layer", PLAN,
         "overrides of 'kws' cannot be kept:\n"
         "  - there is no layer 'conv9'; its layers: conv2d, depthwise_conv2d, "
         "conv2d_1, depthwise_conv2d_1, conv2d_2, depthwise_conv2d_2, conv2d_3, "
         "depthwise_conv2d_3, conv2d_4, average_pooling2d, dense.\n"
         "  Correct models.<model>.layers in config.yaml, or layers={...} in an hls4ml "
         "script.",
         layers("{conv9: {pe: 8}}"), stage="plan"),
    Case("PE that does not divide", PLAN,
         "layer 'conv2d': PE=7 does not divide output channels=64 in a way that the "
         "streams support.\n"
         "  Choose one of 1, 2, 4, 8, 16, 32, 64: models.<model>.layers.conv2d.pe in "
         "config.yaml, or layers={'conv2d': {'pe': ...}} in an hls4ml script.",
         layers("{conv2d: {pe: 7}}"), stage="plan"),
    Case("SIMD that does not divide", PLAN,
         "layer 'conv2d': SIMD=7 does not divide K=40 in a way that the streams support.\n"
         "  Choose one of 1, 2, 4, 5, 8, 10, 20, 40: models.<model>.layers.conv2d.simd in "
         "config.yaml, or layers={'conv2d': {'simd': ...}} in an hls4ml script.",
         layers("{conv2d: {simd: 7}}"), stage="plan"),
    Case("override of an unknown kind", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.layers.conv2d.lanes ({line layers:}): unknown key; allowed here: pe, "
         "simd, products.\n"
         "  Correct config.yaml.", layers("{conv2d: {lanes: 7}}")),
    Case("PE of 0", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.layers.conv2d.pe ({line layers:}): 0 is not allowed; it must be an "
         "integer of at least 1.\n"
         "  Correct config.yaml.", layers("{conv2d: {pe: 0}}")),
    Case("products in BRAM", CALL,
         "config.yaml has 1 error:\n"
         "  models.kws.layers.conv2d.products ({line layers:}): 'bram' is not allowed; it must "
         "be lut or dsp.\n"
         "  Correct config.yaml.", layers("{conv2d: {products: bram}}")),
    Case("several overrides wrong", PLAN,
         "overrides of 'kws' cannot be kept:\n"
         "  - there is no layer 'conv9'; its layers: conv2d, depthwise_conv2d, "
         "conv2d_1, depthwise_conv2d_1, conv2d_2, depthwise_conv2d_2, conv2d_3, "
         "depthwise_conv2d_3, conv2d_4, average_pooling2d, dense.\n"
         "  Correct models.<model>.layers in config.yaml, or layers={...} in an hls4ml "
         "script.",
         layers("{conv2d: {pe: 7, simd: 9}, conv9: {pe: 1}}"), stage="plan"),
    Case("interval that no fold reaches", PLAN,
         "layer 'conv2d' cannot reach an initiation interval of 10 cycles; its fastest "
         "fold (PE=64, SIMD=1) needs 5000.\n"
         "  Raise the cycles per frame: target_ii_cycles in config.yaml, --cycles, or ii_cycles "
         "in an hls4ml script.",
         config(("target_ii_cycles: 8000 ", "target_ii_cycles: 10 ")), stage="plan"),
    Case("no LUT to spend", PLAN,
         "'kws' at 8000 cycles does not fit 'xc7z020': estimated 15109 LUT of 53 (0.001 "
         "of 53200).\n"
         "  Raise the cycles per frame: target_ii_cycles in config.yaml, --cycles, or ii_cycles "
         "in an hls4ml script; or choose a larger target, or raise lut_budget in config.yaml.",
         config(("lut_budget: 0.7 ", "lut_budget: 0.001 ")),
         stage="plan"),
    Case("tiny device", PLAN,
         "'kws' at 8000 cycles does not fit 'xc7z020': estimated 39680 LUT of 70 (0.7 "
         "of 100), 2 DSP of 0.\n"
         "  Raise the cycles per frame: target_ii_cycles in config.yaml, --cycles, or ii_cycles "
         "in an hls4ml script; or choose a larger target, or raise lut_budget in config.yaml.",
         config(("lut: 53200", "lut: 100"), ("dsp: 220", "dsp: 0")),
         stage="plan"),
    Case("samples of another shape than the network's", f"{CALL} --to evaluate",
         "data file {root}/models/samples/kws.npz: x has shape (120, 49, 10), expected "
         "[n, 10, 49] or [n, 10, 49, 1].\n"
         "  Store x as int8 [n, 10, 49] or [n, 10, 49, 1] in raw form and y as n "
         "integer labels in 0..11: numpy.savez('kws.npz', x=x, y=y).",
         config(("[49, 10, 1]", "[10, 49, 1]"))),
)  # fmt: skip
