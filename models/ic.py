"""Image classification: the ResNet-8 of MLPerf-Tiny."""

from models.layers import Layers, Tensor

INPUT_SHAPE = (32, 32, 3)  # RGB, 0..255
CLASSES = 10


def network(make: Layers) -> tuple[Tensor, Tensor]:
    """Return input and logits."""
    inputs = make.input(INPUT_SHAPE)
    x = make.quantizer(inputs)
    x = make.quantizer(make.relu(make.conv(x, 16, 3)))
    x = _residual(make, x, 16)
    x = _residual(make, x, 32, strides=2)
    x = _residual(make, x, 64, strides=2)
    x = make.flatten(make.quantizer(make.average(x)))
    return inputs, make.quantizer(make.dense(x, CLASSES))


def _residual(make: Layers, x: Tensor, filters: int, strides: int = 1) -> Tensor:
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the map shrinks."""
    y = make.quantizer(make.relu(make.conv(x, filters, 3, strides)))
    y = make.quantizer(make.conv(y, filters, 3))
    if strides != 1:
        x = make.quantizer(make.conv(x, filters, 1, strides, batchnorm=False))
    return make.quantizer(make.relu(make.add(x, y)))
