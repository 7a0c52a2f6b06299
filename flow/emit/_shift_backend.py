"""The hls4ml back end `Shift` itself: flow pass, writer, back end class.

Imported by `flow.emit.hls4ml_backend` only after hls4ml: hls4ml loads its plug-ins while it is
being imported itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hls4ml.backends.backend import Backend
from hls4ml.model.flow import register_flow
from hls4ml.model.optimizer import ModelOptimizerPass
from hls4ml.model.types import FixedPrecisionType
from hls4ml.writer.writers import Writer, get_writer
from numpy.typing import NDArray

from flow.config import load_config
from flow.emit._shift_layers import ShiftNetwork, graph_of, layer_list
from flow.emit.hls4ml_backend import NAME
from flow.emit.writer import load_project, write_files
from flow.errors import ConfigError, DataError
from flow.graph.arithmetic import dequantise, quantise_input
from flow.graph.reference import run
from flow.graph.types import IntArray, IntGraph
from flow.plan import HwPlan, Override, load_plan, plan

if TYPE_CHECKING:  # hls4ml.model.graph is not there yet while plug-ins load
    from hls4ml.model.graph import ModelGraph

ENGINES = ("xls",)
RANDOM_FRAMES = 8
DEFAULT_II_CYCLES = 8000


class FromKeras(ModelOptimizerPass):  # type: ignore[misc]
    """Replace the opaque network of `keras_network` by the nodes of its IntGraph."""

    def __init__(self) -> None:
        super().__init__("from_keras", self._expand)

    def _expand(self, model: ModelGraph) -> bool:
        if not any(isinstance(layer, ShiftNetwork) for layer in model.get_layers()):
            return False
        from flow.frontend import from_keras  # TensorFlow only where a Keras model is read

        wrapped = model.config.get_config_value("KerasModel")
        graph = from_keras(wrapped.model, name=model.config.get_project_name())
        layers = layer_list(graph)
        model.graph.clear()
        model.output_vars.clear()
        model.inputs, model.outputs = [layers[0]["name"]], [layers[-1]["name"]]
        model.index = 0
        model._make_graph(layers)  # the only way to rebuild a graph in place in hls4ml 1.3
        return False


class ShiftWriter(Writer):  # type: ignore[misc]
    """Writes the project folder of the engine that was asked for."""

    def write_hls(self, model: ModelGraph, is_multigraph: bool = False) -> None:
        """Plan (unless a plan was given) and write kernels, units, top and ROM files."""
        value = model.config.get_config_value
        graph = graph_of(model)
        cache = value("CacheDir")
        write_files(
            graph,
            plan_of(model),
            Path(model.config.get_output_dir()),
            jobs=value("Jobs"),
            xls_timeout_s=value("XlsTimeout"),
            cache_dir=Path(cache) if cache else None,
            progress=value("Progress"),
        )


class ShiftBackend(Backend):  # type: ignore[misc]
    """Shift-based accumulators on power-of-two scales; one streaming unit per layer."""

    def __init__(self) -> None:
        super().__init__(NAME)
        self.register_pass("from_keras", FromKeras)
        # The flow's name must not begin with the back end's: hls4ml would add no prefix then.
        self._flow = register_flow("ir", ["shift:from_keras"], requires=None, backend=NAME)
        self.writer = get_writer(NAME)

    def create_initial_config(
        self,
        target: str = "xc7z020",
        engine: str = "xls",
        ii_cycles: int = DEFAULT_II_CYCLES,
        layers: Mapping[str, Mapping[str, Any]] | None = None,
        plan_file: str | None = None,
        jobs: int = 2,
        xls_timeout_s: float = 600,
        cache_dir: str | None = None,
        progress: Callable[[str, float], None] | None = None,
        **unknown: Any,
    ) -> dict[str, Any]:
        """Options of the back end.

        Args:
            target: a device of config.yaml.
            ii_cycles: cycles between two frames that the planner aims at.
            layers: overrides by layer name: {'conv2d': {'pe': 8, 'simd': 10}}.
            plan_file: a saved HwPlan that replaces planning.

        Raises:
            ConfigError: an option that does not exist, or an engine that is not available.
        """
        if engine not in ENGINES:
            raise ConfigError(f"engine {engine!r} is not available; choose one of {ENGINES}.")
        _check_overrides(layers or {})
        if unknown:
            raise ConfigError(
                f"back end {NAME!r} has no option {sorted(unknown)}.\n"
                "  Its options: target, engine, ii_cycles, layers, plan_file, jobs, xls_timeout_s, "
                "cache_dir."
            )
        return {
            "Engine": engine,
            "Target": target,
            "TargetCycles": ii_cycles,
            "Layers": dict(layers or {}),
            "PlanFile": plan_file,
            "Jobs": jobs,
            "XlsTimeout": xls_timeout_s,
            "CacheDir": cache_dir,
            "Progress": progress,
            "IOType": "io_stream",
            "HLSConfig": {},
        }

    def get_default_flow(self) -> str:
        """Our only flow: no stock optimizer runs."""
        return str(self._flow)

    def get_writer_flow(self) -> str:
        """Writing needs no further passes."""
        return str(self._flow)

    def create_layer_class(self, layer_class: type) -> type:
        """Layers are used as they are."""
        return layer_class

    def convert_precision_string(self, precision: str) -> FixedPrecisionType:
        """hls4ml asks for the default precision; all real types come from the IntGraph."""
        from hls4ml.backends.fpga.fpga_backend import FPGABackend

        return FPGABackend.convert_precision_string(precision)

    def write(self, model: ModelGraph) -> None:
        """Write the project folder."""
        _refuse_foreign_flows(model)
        self.writer.write_hls(model)

    def compile(self, model: ModelGraph) -> None:
        """Check that the network can be planned; integer inference needs no compiler."""
        _refuse_foreign_flows(model)
        plan_of(model)

    def predict(self, model: ModelGraph, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Dequantised outputs [n, ...] of integer inference on float inputs [n, ...]."""
        _refuse_foreign_flows(model)
        graph = graph_of(model)
        out = run(graph, _input_codes(graph, x))
        real = dequantise(out, graph.output.y)
        return np.asarray(real.reshape(len(real), -1) if out.shape[1:3] == (1, 1) else real)

    def build(
        self,
        model: ModelGraph,
        x: NDArray[np.floating[Any]] | None = None,
        frames: int = RANDOM_FRAMES,
        simulate: bool = True,
        synth: bool = False,
        **unknown: Any,
    ) -> dict[str, Any]:
        """Write, compile with XLS, simulate `frames` frames of `x` (random codes without it).

        Returns:
            'plan', and 'sim' and 'synth' where they were asked for.
        """
        if unknown:
            raise ConfigError(f"build() has no option {sorted(unknown)}.")
        self.write(model)
        folder = Path(model.config.get_output_dir())
        return _build(model, folder, x, frames, simulate, synth)


def _check_overrides(layers: Mapping[str, Mapping[str, Any]]) -> None:
    allowed = [field.name for field in fields(Override)]
    for name, layer in layers.items():
        unknown = sorted(set(layer) - set(allowed))
        if unknown:
            raise ConfigError(
                f"layers[{name!r}] has no option {unknown}; its options: {', '.join(allowed)}."
            )


def plan_of(model: ModelGraph) -> HwPlan:
    """The plan of a ModelGraph: the one given as `plan_file`, or a new one."""
    value = model.config.get_config_value
    if value("PlanFile"):
        return load_plan(Path(value("PlanFile")))
    overrides = {name: Override(**layer) for name, layer in value("Layers").items()}
    target = load_config().target(value("Target"))
    return plan(graph_of(model), target, value("TargetCycles"), overrides)


def _input_codes(graph: IntGraph, x: NDArray[np.floating[Any]]) -> IntArray:
    """Codes [n, h, w, c] of float inputs; axes of size 1 may be absent, no other may differ."""
    values = np.asarray(x, np.float64)
    given, needed = (
        [n for n in shape if n != 1] for shape in (values.shape[1:], graph.input_shape)
    )
    if values.ndim < 2 or given != needed:
        raise DataError(
            f"inputs of {graph.name!r} have shape {values.shape}, "
            f"not (n, {', '.join(map(str, graph.input_shape))})."
        )
    if not np.isfinite(values).all():
        raise DataError(f"inputs of {graph.name!r} hold NaN or infinity.")
    return quantise_input(values, graph.input_type).reshape((-1, *graph.input_shape))


def _build(
    model: ModelGraph,
    folder: Path,
    x: NDArray[np.floating[Any]] | None,
    frames: int,
    simulate: bool,
    synth: bool,
) -> dict[str, Any]:
    from flow.simulate import StallSettings
    from flow.simulate import simulate as simulate_project
    from flow.synth import synthesise

    graph, hw_plan, project = graph_of(model), plan_of(model), load_project(folder)
    report: dict[str, Any] = {"plan": hw_plan}
    if simulate:
        if x is None:
            low, high = graph.input_type.lo, graph.input_type.hi + 1
            codes = np.random.default_rng(1).integers(low, high, (frames, *graph.input_shape))
        else:
            codes = _input_codes(graph, x[:frames])
        report["sim"] = simulate_project(
            project, graph, hw_plan, codes, folder / "sim", frames=frames,
            stalls=StallSettings(30, 30, (1,)),
        )  # fmt: skip
    if synth:
        value = model.config.get_config_value
        report["synth"] = synthesise(
            project, hw_plan.target, folder / "synth", jobs=value("Jobs"), timeout_s=1800
        )
    return report


def _refuse_foreign_flows(model: ModelGraph) -> None:
    """`hls_config={'Flows': ...}` would replace our flow, and with it the exact semantics."""
    if model.config.flows != [get_flow()]:
        raise ConfigError(
            f"hls_config['Flows'] = {model.config.flows} is not supported by back end {NAME!r}.\n"
            "  Leave 'Flows' out: stock optimizers change what quantizers mean."
        )


def get_flow() -> str:
    """Full name of the back end's flow."""
    return f"{NAME.lower()}:ir"
