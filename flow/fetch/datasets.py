"""Official data sets: where they are published, their licences, what the flow makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import urlsplit

from flow.config import choose
from flow.errors import DataError


@dataclass(frozen=True, slots=True)
class Archive:
    """A published file, pinned by its content."""

    url: str
    size_bytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The last part of the URL."""
        return PurePosixPath(urlsplit(self.url).path).name


@dataclass(frozen=True, slots=True)
class Conversion:
    """What `fetch` makes of an archive."""

    file_name: str
    samples: int
    note: str  # what an accuracy on the result means


@dataclass(frozen=True, slots=True)
class Dataset:
    """The official data of a benchmark."""

    name: str  # the benchmark
    title: str
    page: str
    licence: str  # and whom to credit
    archive: Archive | None  # None: no SHA-256 of it is known
    conversion: Conversion | None  # None: the flow does not convert it yet


# Size and hash: tensorflow/datasets, tensorflow_datasets/url_checksums/speech_commands.txt. The
# hash vouches for the content, so that plain HTTP, the published address, is enough. 4,890 clips:
# the catalogue of tensorflow_datasets, split 'test'.
KWS = Dataset(
    name="kws",
    title="Speech Commands v0.02, test set",
    page="https://arxiv.org/abs/1804.03209",
    licence="CC BY 4.0; credit: Pete Warden, Google, Speech Commands (arXiv:1804.03209)",
    archive=Archive(
        "http://download.tensorflow.org/data/speech_commands_test_set_v0.02.tar.gz",
        112_563_277,
        "cc2a00c1147c2254e9be3fa0f779d8c17421dc349b86366567a8edfa9acd51df",
    ),
    conversion=Conversion(
        "kws_test.npz",
        4_890,
        # 1,884: the clips of kws_train.npz (models/weights/kws-mpq.json) that the archive holds.
        "All 4,890 clips of the Speech Commands v0.02 test set, not the 1,000 of MLPerf-Tiny: an "
        "accuracy on them is a different number. It is also optimistic for the weights shipped "
        "here, whose fine-tuning data include 1,884 of these clips.",
    ),
)

# Size and hash: wget and Keras (keras/datasets/cifar10.py), for the Python archive.
IC = Dataset(
    name="ic",
    title="CIFAR-10",
    page="https://www.cs.toronto.edu/~kriz/cifar.html",
    licence="no explicit licence; research use, cite A. Krizhevsky's report of 2009",
    archive=Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        170_498_071,
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    conversion=None,
)

# No SHA-256 of the archive named by mlcommons/tiny is published by its makers.
VWW = Dataset(
    name="vww",
    title="Visual Wake Words, from COCO 2014",
    page="https://github.com/mlcommons/tiny/tree/master/benchmark/training/visual_wake_words",
    licence="annotations CC BY 4.0 (COCO consortium); each image has its own licence on Flickr",
    archive=None,
    conversion=None,
)

# No SHA-256 is published: Zenodo gives MD5 only.
AD = Dataset(
    name="ad",
    title="ToyADMOS ToyCar, development set of DCASE 2020 task 2",
    page="https://zenodo.org/record/3678171",
    licence="non-commercial: NTT's licence of ToyADMOS, and CC BY-NC-SA 4.0",
    archive=None,
    conversion=None,
)

DATASETS: Mapping[str, Dataset] = MappingProxyType({one.name: one for one in (KWS, AD, IC, VWW)})


def fetchable(name: str) -> tuple[Dataset, Archive, Conversion]:
    """A data set that the flow can fetch, its archive and what is made of it.

    Raises:
        ConfigError: there is no data set of that name.
        DataError: the flow does not convert it yet; says where it is published.
    """
    dataset = DATASETS[choose("data set", name, DATASETS)]
    if dataset.archive is None or dataset.conversion is None:
        raise DataError(_by_hand(dataset))
    return dataset, dataset.archive, dataset.conversion


def fetch_command(name: str) -> str:
    """What the user types to fetch a data set."""
    return f"python flow/build.py fetch {name}"


def _by_hand(dataset: Dataset) -> str:
    archive = dataset.archive
    file = f"\n  File: {archive.url} (SHA-256 {archive.sha256})." if archive is not None else ""
    return (
        f"data set {dataset.name!r} ({dataset.title}) cannot be fetched: "
        "the flow does not convert it yet.\n"
        f"  Get it by hand from {dataset.page}; licence: {dataset.licence}.{file}"
    )
