"""The hls4ml back end `Shift` itself: flow pass, writer, back end class.

Imported by `flow.emit.hls4ml_backend` only after hls4ml: hls4ml loads its plug-ins while it is
being imported itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hls4ml.backends.backend import Backend
from hls4ml.model.flow import register_flow
from hls4ml.model.optimizer import ModelOptimizerPass
from hls4ml.model.types import FixedPrecisionType
from hls4ml.writer.writers import Writer, get_writer
from numpy.typing import NDArray

from flow.emit import _shift_vitis, _shift_xls
from flow.emit._shift_layers import ShiftNetwork, graph_of, layer_list
from flow.emit._shift_model import frames_of, input_codes, plan_of
from flow.emit._shift_options import check_build_options, initial_config
from flow.emit.hls4ml_backend import NAME
from flow.errors import ConfigError
from flow.graph.arithmetic import dequantise
from flow.graph.engine import Engine

if TYPE_CHECKING:  # hls4ml.model.graph is not there yet while plug-ins load
    from hls4ml.model.graph import ModelGraph

RANDOM_FRAMES = 8
STOCK_DEFAULTS = {"Precision": "fixed<16,6>", "ReuseFactor": 1}  # what hls4ml fills in


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
        """Plan (unless a plan was given) and write all that the engine needs."""
        if model.config.get_config_value("Engine") == "vitis":
            _shift_vitis.write(model)
        else:
            _shift_xls.write(model)


class ShiftBackend(Backend):  # type: ignore[misc]
    """Shift-based accumulators on power-of-two scales; one streaming unit per layer."""

    def __init__(self) -> None:
        super().__init__(NAME)
        self.register_pass("from_keras", FromKeras)
        # The flow's name must not begin with the back end's: hls4ml would add no prefix then.
        self._flow = register_flow("ir", ["shift:from_keras"], requires=None, backend=NAME)
        self.writer = get_writer(NAME)

    def create_initial_config(self, **options: Any) -> dict[str, Any]:
        """Options of the back end; see `_shift_options.initial_config`."""
        return initial_config(**options)

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
        _refuse_foreign_settings(model)
        self.writer.write_hls(model)

    def compile(self, model: ModelGraph) -> str | None:
        """Engine 'vitis': compile the C simulation with g++ and return the library's path.

        Engine 'xls': check that the network can be planned; the kernels of integer inference are
        compiled once for all networks.
        """
        _refuse_foreign_settings(model)
        if model.config.get_config_value("Engine") == "vitis":
            return str(_shift_vitis.compile_model(model).path)
        plan_of(model)
        return None

    def predict(self, model: ModelGraph, x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Dequantised outputs [n, ...] for float inputs [n, ...].

        Engine 'vitis' runs the compiled C simulation, engine 'xls' fast integer inference.
        """
        _refuse_foreign_settings(model)
        graph = graph_of(model)
        codes = input_codes(graph, x)
        if model.config.get_config_value("Engine") == "vitis":
            out = _shift_vitis.run_model(model, codes)
        else:
            out = Engine(graph).run(codes)
        real = dequantise(out, graph.output.y)
        return np.asarray(real.reshape(len(real), -1) if out.shape[1:3] == (1, 1) else real)

    def build(
        self,
        model: ModelGraph,
        x: NDArray[np.floating[Any]] | None = None,
        frames: int = RANDOM_FRAMES,
        **options: Any,
    ) -> dict[str, Any]:
        """Write the project and run the engine on `frames` frames of `x` (random codes without it).

        Args:
            options: engine 'xls': simulate=True, synth=False (Yosys). Engine 'vitis': hls4ml's
                reset, csim=True, synth, cosim, validation, export, vsynth; all but csim, which g++
                does, need Vitis HLS on PATH.

        Returns:
            'plan', and the result of each step that was asked for, by the step's name ('sim' for
            simulate). AMD's tools give 'report', a `flow.synth.vitis.VitisSynth` with their figures
            and the bench of their Verilog, and 'hls4ml', hls4ml's own dictionary of the reports.
        """
        engine = str(model.config.get_config_value("Engine"))
        check_build_options(engine, options)
        self.write(model)
        codes = frames_of(graph_of(model), x, frames)
        report: dict[str, Any] = {"plan": plan_of(model)}
        if engine == "vitis":
            return report | _shift_vitis.build_model(model, codes, options)
        return report | _shift_xls.build_model(model, codes, **options)


def _refuse_foreign_settings(model: ModelGraph) -> None:
    """Refuse `hls_config`: its flows would replace ours, and nothing here reads the rest.

    hls4ml itself fills in Model with its defaults.
    """
    if model.config.flows != [get_flow()]:
        raise ConfigError(
            f"hls_config['Flows'] = {model.config.flows} is not supported by back end {NAME!r}.\n"
            "  Leave 'Flows' out: stock optimizers change what quantizers mean."
        )
    given: dict[str, Any] = model.config.config.get("HLSConfig", {})
    ignored = [key for key in given if key not in ("Flows", "Model") and given[key]]
    ignored += [
        f"Model.{key}"
        for key, value in given.get("Model", {}).items()
        if value not in (None, False, STOCK_DEFAULTS.get(key))
    ]
    if ignored:
        raise ConfigError(
            f"hls_config settings {', '.join(ignored)} have no effect in back end {NAME!r}.\n"
            "  Leave them out: widths follow from the quantizers and weights; folds from ii_cycles "
            "and layers."
        )


def get_flow() -> str:
    """Full name of the back end's flow."""
    return f"{NAME.lower()}:ir"
