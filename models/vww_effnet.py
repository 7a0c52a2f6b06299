"""Visual wake words: EfficientNet-B0, whose blocks squeeze and excite their channels.

Tan and Le 2019, table 1. There is a quantizer on both sides of every swish and sigmoid.
"""

from string import ascii_lowercase

from models.layers import Layers, Tensor

INPUT_SHAPE = (96, 96, 3)  # RGB, 0..1
CLASSES = 2
STAGES = (  # expansion, channels, blocks, stride of the first, kernel
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip
SQUEEZE = 4  # channels of a block's input for one of its squeeze-and-excite's inner ones


def network(make: Layers) -> tuple[Tensor, Tensor]:
    """Return input and logits."""
    inputs = make.input(INPUT_SHAPE)
    x = make.quantizer(inputs)
    x = _swish(make, make.conv(x, 32, 3, strides=2, name="stem_conv"))
    for number, (expansion, filters, blocks, strides, kernel) in enumerate(STAGES, 1):
        for block in range(blocks):
            name = f"block{number}{ascii_lowercase[block]}_"
            x = _block(make, x, name, expansion, filters, 1 if block else strides, kernel)
    x = _swish(make, make.conv(x, 1280, 1, name="top_conv"))
    x = make.flatten(make.quantizer(make.average(x)))
    return inputs, make.quantizer(make.dense(x, CLASSES, name="predictions"))


def _block(
    make: Layers, x: Tensor, name: str, expansion: int, filters: int, strides: int, kernel: int
) -> Tensor:
    """Expansion, depthwise convolution, squeeze-and-excite, projection; beside a shortcut."""
    channels, y = int(x.shape[-1]), x
    if expansion != 1:
        y = _swish(make, make.conv(y, channels * expansion, 1, name=f"{name}expand_conv"))
    y = _swish(make, make.depthwise(y, kernel, strides, name=f"{name}dwconv"))
    y = _squeeze_excite(make, y, name, channels // SQUEEZE)
    y = make.quantizer(make.conv(y, filters, 1, name=f"{name}project_conv"))
    if strides != 1 or channels != filters:
        return y
    return make.quantizer(make.add(y, x))


def _squeeze_excite(make: Layers, x: Tensor, name: str, inner: int) -> Tensor:
    """Scale every channel by a factor in 0..1 that is a function of all channels' means."""
    channels = int(x.shape[-1])
    y = make.quantizer(make.average(x))
    y = _swish(make, make.conv(y, inner, 1, batchnorm=False, name=f"{name}se_reduce"))
    y = make.quantizer(make.conv(y, channels, 1, batchnorm=False, name=f"{name}se_expand"))
    y = make.quantizer(make.function(y, "sigmoid"))
    return make.quantizer(make.multiply(x, y))


def _swish(make: Layers, x: Tensor) -> Tensor:
    return make.quantizer(make.function(make.quantizer(x), "swish"))
