"""Training batches for distillation: augmented clips with a teacher's soft labels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.data import KwsSet

_TEACHER_BATCH = 500

Teacher = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Augmentation and loss of one training."""

    temperature: float = 2.0
    hard_share: float = 0.2  # weight of the true labels; the rest is the teacher's
    max_shift_frames: int = 3
    noise: float = 0.4  # standard deviation, in MFCC units
    mask_share: float = 0.3  # clips with up to `mask_frames` frames replaced by their mean
    mask_frames: int = 6
    mixup_share: float = 0.4  # clips mixed with another
    passes: int = 4  # augmented copies of each clip per epoch


def teacher_of(float_model: tf.keras.Model) -> Teacher:
    """Return a function from inputs [n, ...] to the float model's class probabilities."""
    forward = tf.function(lambda x: float_model(x, training=False), reduce_retracing=True)

    def probabilities(x: NDArray[np.float32]) -> NDArray[np.float32]:
        starts = range(0, len(x), _TEACHER_BATCH)
        return np.concatenate([forward(x[at : at + _TEACHER_BATCH]).numpy() for at in starts])

    return probabilities


def soften(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return softmax(log(p) / temperature) over the last axis."""
    powered = np.power(np.maximum(probabilities, 1e-12), 1.0 / temperature)
    result: NDArray[np.float32] = powered / powered.sum(-1, keepdims=True)
    return result


def targets(
    labels: NDArray[np.float32], probabilities: NDArray[np.float32], recipe: Recipe
) -> NDArray[np.float32]:
    """Return [n, 2 * classes]: label distribution, then the teacher's softened one."""
    return np.concatenate([labels, soften(probabilities, recipe.temperature)], axis=1)


def loss(recipe: Recipe) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return the loss on `targets` and logits: cross-entropy plus T**2 times KL divergence.

    Source: Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2.
    """
    temperature, hard = recipe.temperature, recipe.hard_share

    def distillation(target: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        labels, soft = tf.split(target, 2, axis=-1)
        hard_loss = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
        log_student = tf.nn.log_softmax(logits / temperature)
        log_teacher = tf.math.log(tf.maximum(soft, 1e-12))
        divergence = tf.reduce_sum(soft * (log_teacher - log_student), axis=-1)
        return hard * hard_loss + (1.0 - hard) * temperature**2 * divergence

    return distillation


def accuracy(target: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return 1.0 per sample whose greatest logit is at the most likely label."""
    classes = logits.shape[-1]
    hit = tf.equal(tf.argmax(target[:, :classes], -1), tf.argmax(logits, -1))
    return tf.cast(hit, tf.float32)


def epoch(
    data: KwsSet, classes: int, teacher: Teacher, recipe: Recipe, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return one epoch of shuffled augmented inputs [n * passes, 49, 10, 1] and `targets`.

    `data.x` is [n, variants, 49, 10]; each copy draws its own variant.
    """
    index = np.concatenate([rng.permutation(len(data)) for _ in range(recipe.passes)])
    variant = rng.integers(data.x.shape[1], size=len(index))
    chosen = KwsSet(data.x[index, variant], data.y[index], data.scale, data.zero_point, None)
    x = augment(chosen.real(), recipe, rng)
    labels = np.eye(classes, dtype=np.float32)[chosen.y]
    mixed = rng.random(len(x)) < recipe.mixup_share
    weight = np.where(mixed, rng.beta(0.5, 0.5, len(x)), 1.0).astype(np.float32)
    partner = rng.permutation(len(x))
    x = _blend(x, x[partner], weight[:, None, None, None])
    labels = _blend(labels, labels[partner], weight[:, None])
    return x, targets(labels, teacher(x), recipe)


def augment(
    x: NDArray[np.float32], recipe: Recipe, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return [n, frames, mfcc, 1] shifted in time, with noise and masked frames."""
    count, frames = x.shape[:2]
    shift = rng.integers(-recipe.max_shift_frames, recipe.max_shift_frames + 1, size=(count, 1))
    source = np.clip(np.arange(frames) + shift, 0, frames - 1)  # edge frames repeat
    shifted = np.take_along_axis(x, source[:, :, None, None], axis=1)
    noisy = shifted + rng.normal(0.0, recipe.noise, x.shape).astype(np.float32)
    length = rng.integers(1, recipe.mask_frames + 1, size=(count, 1))
    start = rng.integers(0, frames, size=(count, 1))
    at = np.arange(frames)
    masked = (at >= start) & (at < start + length) & (rng.random((count, 1)) < recipe.mask_share)
    mean = noisy.mean(axis=1, keepdims=True)
    return np.where(masked[:, :, None, None], mean, noisy).astype(np.float32)


def _blend(
    one: NDArray[np.float32], other: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    return (weight * one + (1.0 - weight) * other).astype(np.float32)
