"""Power-of-two quantizers for QKeras layers, and their exact integer export.

    QActivation(quantized_bits_featuremap(8, alpha="auto_po2", keep_negative=0))
    QConv2D(
        ...,
        kernel_quantizer=quantized_bits_po2(4),
        bias_quantizer=quantized_bits_po2(31, scale_axis="element"),
    )

Both are ordinary QKeras objects: load a saved model with `custom_objects=CUSTOM_OBJECTS`.
"""

from typing import Any

from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D
from qkeras.qlayers import Clip

from models.quantizers.codes import (
    FeatureMapCodes,
    NotCalibrated,
    NotFrozen,
    QuantizerError,
)
from models.quantizers.featuremap import quantized_bits_featuremap
from models.quantizers.weights import quantized_bits_po2

CUSTOM_OBJECTS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        QActivation,
        QConv2D,
        QDense,
        QDepthwiseConv2D,
        Clip,
        quantized_bits_featuremap,
        quantized_bits_po2,
    )
}

__all__ = [
    "CUSTOM_OBJECTS",
    "FeatureMapCodes",
    "NotCalibrated",
    "NotFrozen",
    "QuantizerError",
    "quantized_bits_featuremap",
    "quantized_bits_po2",
]
