"""Visual wake words (is there a person?): MobileNetV1, width 0.25, of MLPerf-Tiny."""

from models.layers import Layers, Tensor

INPUT_SHAPE = (96, 96, 3)  # RGB, 0..1
CLASSES = 2
# Channels behind each depthwise and pointwise pair, and the stride of the former.
BLOCKS = (
    (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (128, 1), (128, 1),
    (128, 1), (256, 2), (256, 1),
)  # fmt: skip


def network(make: Layers) -> tuple[Tensor, Tensor]:
    """Return input and logits."""
    inputs = make.input(INPUT_SHAPE)
    x = make.quantizer(inputs)
    x = make.quantizer(make.relu(make.conv(x, 8, 3, strides=2)))
    for filters, strides in BLOCKS:
        x = make.quantizer(make.relu(make.depthwise(x, 3, strides)))
        x = make.quantizer(make.relu(make.conv(x, filters, 1)))
    x = make.flatten(make.quantizer(make.average(x)))
    return inputs, make.quantizer(make.dense(x, CLASSES))
