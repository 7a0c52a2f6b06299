"""Integer inference beside its peers on the same frames: inferences per second and ratios.

    python flow/bench_inference.py [--model kws ...] [--tflite FOLDER] [--markdown] [--json FILE]

Engine, QKeras in a `tf.function`, TFLite's int8 reference network, stock hls4ml's C simulation
(compiled before, `flow/bench_stock.py`) and the NumPy reference take turns on one core, one thread
each; the median of the turns counts. What counts is processor time, so that other work on the
machine is measured only as far as it takes caches and memory away; the load average tells how much
there was. Only the figure of all cores is wall time. Networks without trained weights have random,
calibrated ones: no kernel's time depends on values.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flow.bench_rates import Rates

ROOT = Path(__file__).resolve().parent.parent

BATCH = 100  # frames at a time
SLOW_FRAMES = 4  # of the reference and of stock hls4ml, which are slow, and linear in frames
TURNS = 7
TURN_S = 0.05
MODELS = ("kws", "ad", "ic", "vww", "vww_mbv2", "vww_effnet")
TFLITE_FILES = {
    "kws": "kws_ref_model.tflite",
    "ad": "ad01_int8.tflite",
    "ic": "pretrainedResnet_quant.tflite",
    "vww": "vww_96_int8.tflite",
}


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(
        prog="flow/bench_inference.py", description=(__doc__ or "").split(":")[0]
    )
    parser.add_argument("--model", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--tflite", type=Path, help="folder of MLPerf-Tiny's int8 networks")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    parser.add_argument("--json", type=Path, help="write the rates to this file as well")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from flow.bench_rates import markdown, print_table

    rates = measured(options.model, options.tflite or tflite_folder())
    if options.json:
        options.json.write_text(json.dumps([asdict(item) for item in rates], indent=1) + "\n")
    print(markdown(rates)) if options.markdown else print_table(rates)
    return int(not all(item.met for item in rates))


def tflite_folder() -> Path:
    """Where the int8 reference networks are looked for: beside the data sets."""
    from flow.config import load_config

    return load_config().data_folder.parent / "float_models" / "ref_int8"


def measured(models: list[str], tflite: Path) -> list[Rates]:
    """Measure networks one after the other, this process pinned to one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rates = []
    for model in models:
        print(f"{model}: compile stock hls4ml's C simulation, then measure", file=sys.stderr)
        rates.append(_measure(model, tflite, cores))
    return rates


def _measure(model: str, tflite: Path, cores: set[int]) -> Rates:
    with tempfile.TemporaryDirectory() as folder:
        return _measure_in(Path(folder), model, tflite, cores)


def _measure_in(folder: Path, model: str, tflite: Path, cores: set[int]) -> Rates:
    import numpy as np
    import tensorflow as tf

    from flow.bench_rates import Rates
    from flow.bench_stock import stock_simulation
    from flow.frontend import from_keras
    from flow.graph import Engine, run
    from flow.graph.arithmetic import dequantise

    load_1min = os.getloadavg()[0]
    network, weights = _network(model)
    graph = from_keras(network)
    x, engine = graph.input_type, Engine(graph)
    rng = np.random.default_rng(1)
    codes = rng.integers(x.lo, x.hi + 1, (BATCH, *graph.input_shape))
    real = tf.constant(dequantise(codes, x).reshape(BATCH, *network.input_shape[1:]), tf.float32)
    traced = tf.function(network)
    stock = stock_simulation(model, network, folder)
    few = real[:SLOW_FRAMES].numpy()
    peers: dict[str, Callable[[], object]] = {
        "engine": lambda: engine.run(codes),
        "qkeras": lambda: traced(real),
        "reference": lambda: run(graph, codes[:SLOW_FRAMES]),
        **_tflite(tflite / TFLITE_FILES.get(model, "absent")),
    }
    if stock.predict is not None:
        simulate = stock.predict
        peers["stock"] = lambda: simulate(few)
    seconds = _take_turns(peers)
    lite = [seconds[name] for name in ("tflite", "tflite_single") if name in seconds]
    os.sched_setaffinity(0, cores)
    every = Engine(graph, threads=None)
    wall = _take_turns({"all": lambda: every.run(codes)}, time.perf_counter)["all"]
    os.sched_setaffinity(0, {max(cores)})
    return Rates(
        model, weights, BATCH / seconds["engine"], BATCH / seconds["qkeras"],
        BATCH / min(lite) if lite else None,
        SLOW_FRAMES / seconds["stock"] if "stock" in seconds else None, stock.missing,
        SLOW_FRAMES / seconds["reference"], BATCH / wall, len(cores), round(load_1min, 2),
    )  # fmt: skip


def _network(model: str) -> tuple[Any, str]:
    """The trained network, else one with random weights, and which of the two it is."""
    from models import weights
    from models.networks import untrained

    if (weights.WEIGHTS_FOLDER / f"{model}-mpq.h5").is_file():
        return weights.load(model), "trained"
    return untrained(model), "random"


def _tflite(path: Path) -> dict[str, Callable[[], object]]:
    """Calls of the int8 network: all frames at once where it lets itself be resized, and singly."""
    import numpy as np
    import tensorflow as tf

    if not path.is_file():
        return {}
    calls: dict[str, Callable[[], object]] = {}
    for name, frames in (("tflite", BATCH), ("tflite_single", 1)):
        interpreter = tf.lite.Interpreter(str(path), num_threads=1)
        given = interpreter.get_input_details()[0]
        shape = tuple(int(size) for size in given["shape"][1:])
        codes = np.random.default_rng(1).integers(-128, 128, (BATCH, *shape)).astype(np.int8)

        def call(
            interpreter: Any = interpreter, index: int = given["index"],
            codes: Any = codes, frames: int = frames,
        ) -> None:  # fmt: skip
            for start in range(0, BATCH, frames):
                interpreter.set_tensor(index, codes[start : start + frames])
                interpreter.invoke()

        try:
            interpreter.resize_tensor_input(given["index"], (frames, *shape))
            interpreter.allocate_tensors()
            call()
        except (RuntimeError, ValueError):
            continue  # its file fixes the batch
        calls[name] = call
    return calls


def _take_turns(
    calls: dict[str, Callable[[], object]], clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """Median seconds of each call; every turn repeats it for TURN_S, so that its data are warm."""
    repeats = {}
    for name, call in calls.items():
        call()  # traces, touches memory
        repeats[name] = max(round(TURN_S / max(_seconds(call, 1, clock), 1e-6)), 1)
    turns = [
        {name: _seconds(call, repeats[name], clock) for name, call in calls.items()}
        for _ in range(TURNS)
    ]
    return {name: sorted(turn[name] for turn in turns)[TURNS // 2] for name in calls}


def _seconds(call: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    started = clock()
    for _ in range(repeats):
        call()
    return (clock() - started) / repeats


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # not flow/, whose modules would hide others
    sys.exit(main())
