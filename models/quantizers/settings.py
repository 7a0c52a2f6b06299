"""Settings that QKeras' quantizers (0.9.0) have but do not save."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from qkeras.quantizers import BaseQuantizer

UNSAVED = {
    "quantized_bits": ("scale_axis",),
    "quantized_hswish": ("scale_axis",),
    "quantized_relu": ("is_quantized_clip",),
}


def keep_settings(model: tf.keras.Model) -> tf.keras.Model:
    """Make the quantizers of a model save all their settings; call it before `model.save`.

    Without it the file lacks `scale_axis` and `is_quantized_clip`, and what is loaded computes
    something else. QKeras itself reads the fuller file.
    """
    for layer in model.layers:
        for quantizer in quantizers(layer):
            if type(quantizer).__name__ in UNSAVED:
                quantizer.get_config = _complete(quantizer)
    return model


def quantizers(layer: Any) -> list[Any]:
    """The quantizer objects of a layer, each once."""
    found = [value for value in vars(layer).values() if isinstance(value, BaseQuantizer)]
    return list({id(quantizer): quantizer for quantizer in found}.values())


def doubtful_settings(model: tf.keras.Model, config: dict[str, Any]) -> Iterator[str]:
    """Say where a loaded model may differ from the one that was saved.

    Args:
        config: the file's architecture; a setting that stands in it is no doubt.
    """
    layers = config["config"]
    listed = layers["layers"] if isinstance(layers, dict) else layers
    saved = {entry["config"]["name"]: str(entry["config"]) for entry in listed}
    for layer in model.layers:
        text = saved.get(layer.name, "")
        for quantizer in quantizers(layer):
            doubt = _doubt(layer, quantizer, text)
            if doubt:
                yield (
                    f"layer {layer.name!r}: {doubt}; if so, call "
                    "models.quantizers.keep_settings(model) before model.save."
                )


def _doubt(layer: Any, quantizer: Any, text: str) -> str | None:
    by_channel = quantizer is getattr(layer, "depthwise_quantizer_internal", None)
    if by_channel and _one_scale(layer, quantizer) and "scale_axis" not in text:
        return (
            f"its {quantizer} has one scale for all channels. QKeras does not save scale_axis, "
            "with which it may have been trained"
        )
    bound = getattr(quantizer, "relu_upper_bound", None)
    if bound is None or not getattr(quantizer, "is_quantized_clip", False):
        return None
    if bound < 2.0 ** int(quantizer.integer) and "is_quantized_clip" not in text:
        return (
            f"its relu_upper_bound={bound} has no effect, as QKeras loads it. QKeras does not save "
            "is_quantized_clip=False, with which it may have been trained"
        )
    return None


def _one_scale(layer: Any, quantizer: Any) -> bool:
    is_automatic = isinstance(getattr(quantizer, "alpha", None), str)
    channels = int(layer.depthwise_kernel.shape[2])
    stock = type(quantizer).__name__ == "quantized_bits"
    return stock and is_automatic and quantizer.scale_axis is None and channels > 1


def _complete(quantizer: Any) -> Any:
    plain, names = quantizer.get_config, UNSAVED[type(quantizer).__name__]
    return lambda: {**plain(), **{name: getattr(quantizer, name) for name in names}}
