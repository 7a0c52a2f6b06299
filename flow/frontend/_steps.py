"""The forms between a Keras model and an IntGraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flow.graph.types import Shape

Pads = tuple[int, int, int, int]  # zeros at the top, bottom, left, right
NO_PADS: Pads = (0, 0, 0, 0)
INPUT_NAME = "codes"  # of the network's input; hls4ml reserves "input"
SUMS = ("matrix", "merge")  # roles whose exact sums may leave the network without a quantizer


@dataclass(frozen=True, slots=True)
class Source:
    """One input of a step: the codes of an earlier step, reshaped, then padded with real zeros."""

    step: int
    shape: Shape  # before padding
    pads: Pads = NO_PADS

    @property
    def seen(self) -> Shape:
        """The shape that the layer sees."""
        top, bottom, left, right = self.pads
        return self.shape[0] + top + bottom, self.shape[1] + left + right, self.shape[2]


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the IntGraph: a layer, what follows it, the quantizer behind that.

    What follows are a (frozen) batch normalization and a ReLU, in this order.

    `layer` None: nothing before the quantizer (the network's input, or a second quantizer).
    `quantizer` None: the values are codes already, or are exact sums at the end of the network.
    """

    name: str
    role: str
    layer: Any
    sources: tuple[Source, ...]
    out_shape: Shape
    norm: Any = None
    relu: bool = False
    ceiling: float | None = None  # of the ReLU
    quantizer: Any = None
    quantizer_layer: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a Keras tensor while the model is read.

    Codes: `source` tells whose. Open: `open` is a step that still waits for its quantizer.
    Neither: an unquantized input (`raw` is its name), or what an unsupported layer gave.
    """

    shape: Shape | None  # None: neither [h, w, c] nor [w, c] nor [c], nor reshaped from one
    source: Source | None = None
    open: Step | None = None
    optional: bool = False  # the open step may do without a quantizer: its values are codes
    moved: Any = None  # the first layer without arithmetic that read the open step
    raw: str = ""
    last: str = ""  # the layer (a softmax) that only the host computes
