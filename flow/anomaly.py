"""Anomaly detection on the host: clips to windows, reconstructions to scores, scores to AUC.

The network sees one window of a clip at a time and gives it back; the worse it does so, the
stranger the clip. Its score is the mean squared error over all its windows, against the *float*
input: against the quantized one, much of what is strange is lost in the first quantizer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flow.data import Samples
from flow.errors import DataError
from flow.graph import IntGraph, map_input
from flow.graph.arithmetic import dequantise
from flow.graph.engine import Engine, check_engine

WINDOW_FRAMES = 5
CLIP_BATCH = 8  # clips whose windows are computed at a time
CHECKED_WINDOWS = 8

Progress = Callable[[int, int], None]


def windows(clips: NDArray[np.float32]) -> NDArray[np.float32]:
    """All windows of WINDOW_FRAMES consecutive frames, oldest first.

    Args:
        clips: [n, frames, bins] or [n, frames, bins, 1], log-mel spectrograms in dB.

    Returns:
        [n, frames - 4, 1, 1, 5 * bins], each window as the network takes it.

    Raises:
        DataError: clips of another rank, or too short for a window.
    """
    shape = clips.shape
    if clips.ndim not in (3, 4) or shape[3:] not in ((), (1,)) or shape[1] < WINDOW_FRAMES:
        raise DataError(
            f"clips have shape {shape}, expected [n, frames, bins] with {WINDOW_FRAMES} frames "
            "or more.\n  Give log-mel spectrograms in raw form."
        )
    count, frames, bins = shape[:3]
    sliding = np.lib.stride_tricks.sliding_window_view(
        clips.reshape(count, frames, bins), WINDOW_FRAMES, axis=1
    )  # [n, windows, bins, 5]
    result = sliding.transpose(0, 1, 3, 2).reshape(count, -1, 1, 1, WINDOW_FRAMES * bins)
    return np.ascontiguousarray(result, np.float32)


def as_windows(samples: Samples) -> Samples:
    """Every window [m, 1, 1, 640] as a sample of its own, with the label of its clip."""
    cut = windows(np.asarray(samples.x, np.float32))
    return replace(samples, x=cut.reshape(-1, *cut.shape[2:]), y=np.repeat(samples.y, cut.shape[1]))


def frames_of(samples: Samples, metric: str) -> Samples:
    """What a network sees one at a time: the samples, or where clips are scored, their windows."""
    return as_windows(samples) if metric == "auc" else samples


def scores(
    inputs: NDArray[np.float32], reconstructions: NDArray[np.float32] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Score of each clip [n]: mean squared error over its windows.

    Args:
        inputs: [n, windows, ...], the float input of the network.
        reconstructions: the network's output for it, in any shape of as many elements.
    """
    flat = np.asarray(inputs, np.float64).reshape(len(inputs), -1)
    error = flat - np.asarray(reconstructions, np.float64).reshape(flat.shape)
    result: NDArray[np.float64] = np.square(error).mean(axis=1)
    return result


def integer_scores(
    graph: IntGraph, clips: NDArray[np.float32], progress: Progress = lambda done, total: None
) -> NDArray[np.float64]:
    """Score of each clip by the integer network: its codes, dequantised, against the clip.

    The fast engine runs them all, the reference a few of their windows.

    Raises:
        DataError: the clips do not fit the network, or there are none.
        Mismatch: engine and reference differ in a layer.
    """
    engine = Engine(graph)
    first = windows(clips[:1]).reshape(-1, *graph.input_shape)[:CHECKED_WINDOWS]
    check_engine(engine, map_input(graph, first))

    def reconstruct(inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        codes = map_input(graph, inputs.reshape(-1, *graph.input_shape))
        return dequantise(engine.run(codes), graph.output.y)

    return clip_scores(reconstruct, clips, progress)


def clip_scores(
    reconstruct: Callable[[NDArray[np.float32]], NDArray[np.float32] | NDArray[np.float64]],
    clips: NDArray[np.float32],
    progress: Progress = lambda done, total: None,
) -> NDArray[np.float64]:
    """Score of each clip by any network, few clips at a time.

    Args:
        reconstruct: windows [m, 1, 1, 640] to outputs of as many elements.
        progress: called with (clips done, clips in all).
    """
    parts = []
    for start in range(0, len(clips), CLIP_BATCH):
        inputs = windows(clips[start : start + CLIP_BATCH])
        outputs = reconstruct(inputs.reshape(-1, *inputs.shape[2:]))
        parts.append(scores(inputs, outputs))
        progress(start + len(inputs), len(clips))
    return np.concatenate(parts)


def auc(labels: NDArray[np.generic], values: NDArray[np.float64]) -> float:
    """Area under the ROC curve: the chance that an anomaly scores above a normal clip.

    Equal scores count half.

    Args:
        labels: [n], 0 normal and 1 anomaly.
        values: [n], scores.

    Raises:
        DataError: one of the two labels does not occur.
    """
    false, true = _roc(labels, values)
    return float(np.trapz(true, false))


def partial_auc(
    labels: NDArray[np.generic], values: NDArray[np.float64], max_fpr: float = 0.1
) -> float:
    """Area up to a false-positive rate, standardised: 0.5 by chance, 1 at best.

    Source: McClish 1989, "Analyzing a portion of the ROC curve", equation 6.
    """
    false, true = _roc(labels, values)
    inside = int(np.searchsorted(false, max_fpr, side="right"))
    end = np.interp(max_fpr, false[inside - 1 : inside + 1], true[inside - 1 : inside + 1])
    area = np.trapz(np.append(true[:inside], end), np.append(false[:inside], max_fpr))
    least = max_fpr**2 / 2
    return float(0.5 * (1 + (area - least) / (max_fpr - least)))


def _roc(
    labels: NDArray[np.generic], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False- and true-positive rates as the threshold falls, from 0 to 1."""
    positive = np.asarray(labels) == 1
    if positive.all() or not positive.any():
        raise DataError(
            f"all {len(positive)} clips have label {int(positive.any())}: an AUC needs normal "
            "clips (0) and anomalies (1).\n  Give a test set with both."
        )
    order = np.argsort(-values, kind="stable")
    last = np.append(np.diff(values[order]) != 0, True)  # of each group of equal scores
    true = np.cumsum(positive[order])[last] / positive.sum()
    false = np.cumsum(~positive[order])[last] / (~positive).sum()
    return np.insert(false, 0, 0.0), np.insert(true, 0, 0.0)
