"""Distillation: a loss on true labels and on a teacher's softened ones, and mixing of samples."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_TEACHER_BATCH = 500

Floats = NDArray[np.float32]
Teacher = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Distillation:
    """Weights of the loss."""

    temperature: float = 2.0
    hard_share: float = 0.2  # weight of the true labels; the rest is the teacher's


def teacher_of(float_model: tf.keras.Model) -> Teacher:
    """Return a function from inputs [n, ...] to the float model's class probabilities."""
    forward = tf.function(lambda x: float_model(x, training=False), reduce_retracing=True)

    def probabilities(x: Floats) -> Floats:
        starts = range(0, len(x), _TEACHER_BATCH)
        return np.concatenate([forward(x[at : at + _TEACHER_BATCH]).numpy() for at in starts])

    return probabilities


def soften(probabilities: Floats, temperature: float) -> Floats:
    """Return softmax(log(p) / temperature) over the last axis."""
    powered = np.power(np.maximum(probabilities, 1e-12), 1.0 / temperature)
    result: Floats = powered / powered.sum(-1, keepdims=True)
    return result


def targets(labels: Floats, probabilities: Floats, how: Distillation) -> Floats:
    """Return [n, 2 * classes]: label distribution, then the teacher's softened one."""
    return np.concatenate([labels, soften(probabilities, how.temperature)], axis=1)


def loss(how: Distillation) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return the loss on `targets` and logits: cross-entropy plus T**2 times KL divergence.

    Source: Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2.
    """
    temperature, hard = how.temperature, how.hard_share

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


def mixup(
    x: Floats, labels: Floats, share: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Blend a `share` of the samples [n, ...] and their label distributions with another's.

    Source: Zhang et al. 2018, "mixup: beyond empirical risk minimization".
    """
    mixed = rng.random(len(x)) < share
    weight = np.where(mixed, rng.beta(0.5, 0.5, len(x)), 1.0).astype(np.float32)
    partner = rng.permutation(len(x))
    return (
        _blend(x, x[partner], weight.reshape(-1, *[1] * (x.ndim - 1))),
        _blend(labels, labels[partner], weight[:, None]),
    )


def _blend(one: Floats, other: Floats, weight: Floats) -> Floats:
    return (weight * one + (1.0 - weight) * other).astype(np.float32)
