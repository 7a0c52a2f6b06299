"""Keyword spotting: the DS-CNN of MLPerf-Tiny."""

from models.layers import Layers, Tensor

INPUT_SHAPE = (49, 10, 1)  # frames, MFCC, channel; real values (code - zero_point) * scale
CLASSES = 12
BLOCKS = 4
FILTERS = 64


def network(make: Layers) -> tuple[Tensor, Tensor]:
    """Return input and logits."""
    inputs = make.input(INPUT_SHAPE)
    x = make.quantizer(inputs)
    x = make.quantizer(make.relu(make.conv(x, FILTERS, (10, 4), (2, 2))))
    for _ in range(BLOCKS):
        x = make.quantizer(make.relu(make.depthwise(x, 3)))
        x = make.quantizer(make.relu(make.conv(x, FILTERS, 1)))
    x = make.flatten(make.quantizer(make.average(x)))
    return inputs, make.quantizer(make.dense(x, CLASSES))
