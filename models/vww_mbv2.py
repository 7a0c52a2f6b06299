"""Visual wake words: MobileNetV2, width 1, with a 1x1 convolution as its classifier.

Sandler et al. 2018, table 2; the first block keeps its 1x1 expansion, to as many channels.
"""

from models.layers import Layers, Tensor

INPUT_SHAPE = (96, 96, 3)  # RGB, 0..1
CLASSES = 2
STAGES = (  # expansion, channels, blocks, stride of the first
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip


def network(make: Layers) -> tuple[Tensor, Tensor]:
    """Return input and logits."""
    inputs = make.input(INPUT_SHAPE)
    x = make.quantizer(inputs)
    x = make.quantizer(make.relu(make.conv(x, 32, 3, strides=2), 6.0))
    for expansion, filters, blocks, strides in STAGES:
        for block in range(blocks):
            x = _inverted_residual(make, x, expansion, filters, 1 if block else strides)
    x = make.quantizer(make.relu(make.conv(x, 1280, 1), 6.0))
    x = make.quantizer(make.average(x))
    x = make.quantizer(make.conv(x, CLASSES, 1, batchnorm=False))
    return inputs, make.flatten(x)


def _inverted_residual(
    make: Layers, x: Tensor, expansion: int, filters: int, strides: int
) -> Tensor:
    """1x1 expansion, depthwise 3x3, 1x1 projection; beside a shortcut where shapes are equal.

    The source of the widths does not say which of the two quantizers before an addition is the
    shortcut's; as in ic, the second one is taken to be.
    """
    channels = int(x.shape[-1])
    y = make.quantizer(make.relu(make.conv(x, channels * expansion, 1), 6.0))
    y = make.quantizer(make.relu(make.depthwise(y, 3, strides), 6.0))
    y = make.quantizer(make.conv(y, filters, 1))
    if strides != 1 or channels != filters:
        return y
    return make.quantizer(make.add(make.quantizer(x), y))
