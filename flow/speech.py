"""A recording as input of the kws network, and the network's answer as words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flow.cache import hash_file
from flow.errors import RangeError
from flow.graph.arithmetic import dequantise
from flow.graph.types import IntArray, IntGraph
from models.labels import LABELS
from models.mfcc import codes, mfcc
from models.wav import read_wav


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """One second of a WAV file in the network's raw form."""

    path: Path
    codes: NDArray[np.int8]  # [1, 49, 10], for `flow.graph.map_input`
    offset_s: float  # where in the recording the second begins
    duration_s: float  # of the whole recording
    rate_hz: int  # of the recording, before resampling
    sha256: str  # of the file

    def __post_init__(self) -> None:
        self.codes.flags.writeable = False


class WordScore(NamedTuple):
    """A word and the probability 0..1 that the network gives it."""

    word: str
    probability: float


def read_speech(path: Path) -> Speech:
    """Read a WAV file and compute the codes of its loudest second.

    Raises:
        DataError: as `models.wav.read_wav`.
    """
    clip = read_wav(path)
    features = codes(mfcc(clip.pcm))[None]
    return Speech(path, features, clip.offset_s, clip.duration_s, clip.rate_hz, hash_file(path))


def word_scores(graph: IntGraph, output_codes: IntArray) -> tuple[WordScore, ...]:
    """Words and probabilities, the most probable first; equal ones in the order of the labels.

    Args:
        graph: a network with labels in `models.labels`.
        output_codes: [classes], the codes of its last node for one frame.

    Raises:
        RangeError: no labels are known for the graph, or their number is not that of the codes.
    """
    words = LABELS.get(graph.name, ())
    if output_codes.shape != (len(words),):
        raise RangeError(
            f"output codes of {graph.name!r} have shape {output_codes.shape}, "
            f"expected ({len(words)},): one for each label.\n"
            f"  models/labels.py has labels for {', '.join(LABELS)}."
        )
    logits = dequantise(output_codes, graph.output.y)
    weights = np.exp(logits - logits.max())
    probabilities = weights / weights.sum()
    order = np.argsort(-probabilities, kind="stable")
    return tuple(WordScore(words[i], float(probabilities[i])) for i in order)
