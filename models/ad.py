"""Anomaly detection: the autoencoder of MLPerf-Tiny, from one window of a log-mel spectrogram."""

from models.layers import Layers, Tensor

INPUT_SHAPE = (640,)  # 5 frames of 128 mel bins in dB, oldest first
HIDDEN = (128, 128, 128, 128, 8, 128, 128, 128, 128)


def network(make: Layers) -> tuple[Tensor, Tensor]:
    """Return input and its reconstruction."""
    inputs = make.input(INPUT_SHAPE)
    x = make.quantizer(inputs)
    for units in HIDDEN:
        x = make.quantizer(make.relu(make.dense(x, units, batchnorm=True)))
    return inputs, make.quantizer(make.dense(x, *INPUT_SHAPE))
