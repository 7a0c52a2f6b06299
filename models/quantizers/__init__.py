"""Power-of-two quantizers for QKeras layers, and their exact integer export.

    QActivation(quantized_bits_featuremap(8, alpha="auto_po2", keep_negative=0))
    QConv2D(
        ...,
        kernel_quantizer=quantized_bits_po2(4),
        bias_quantizer=quantized_bits_po2(31, scale_axis="element"),
    )

Both are ordinary QKeras objects: load a saved model with `custom_objects=CUSTOM_OBJECTS`.

QKeras' own quantizers are read by `models.quantizers.stock`; scales that are no powers of two
(`alpha='auto'`) first become constants by `freeze_auto(model)`, those of batch normalization by
`freeze_norms(model)` before.
"""

from typing import Any

from qkeras import (
    QActivation,
    QAveragePooling2D,
    QBatchNormalization,
    QConv1D,
    QConv2D,
    QConv2DBatchnorm,
    QDense,
    QDepthwiseConv2D,
    QDepthwiseConv2DBatchnorm,
    QGlobalAveragePooling2D,
)
from qkeras.qlayers import Clip, QInitializer
from qkeras.quantizers import (
    binary,
    quantized_bits,
    quantized_relu,
    quantized_sigmoid,
    quantized_tanh,
    ternary,
)

from models.quantizers.codes import (
    FeatureMapCodes,
    NotCalibrated,
    NotFrozen,
    QuantizerError,
    WeightCodes,
)
from models.quantizers.featuremap import quantized_bits_featuremap
from models.quantizers.freeze import freeze_auto
from models.quantizers.hswish import quantized_hswish
from models.quantizers.norms import freeze_norms
from models.quantizers.scaled import quantized_bits_scaled
from models.quantizers.settings import keep_settings
from models.quantizers.weights import quantized_bits_po2

CUSTOM_OBJECTS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        QActivation,
        QAveragePooling2D,
        QBatchNormalization,
        QConv1D,
        QConv2D,
        QConv2DBatchnorm,
        QDense,
        QDepthwiseConv2D,
        QDepthwiseConv2DBatchnorm,
        QGlobalAveragePooling2D,
        QInitializer,
        Clip,
        binary,
        quantized_bits,
        quantized_hswish,
        quantized_relu,
        quantized_sigmoid,
        quantized_tanh,
        ternary,
        quantized_bits_featuremap,
        quantized_bits_po2,
        quantized_bits_scaled,
    )
}

__all__ = [
    "CUSTOM_OBJECTS",
    "FeatureMapCodes",
    "NotCalibrated",
    "NotFrozen",
    "QuantizerError",
    "WeightCodes",
    "freeze_auto",
    "freeze_norms",
    "keep_settings",
    "quantized_bits_featuremap",
    "quantized_bits_po2",
    "quantized_bits_scaled",
]
