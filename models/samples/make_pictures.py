"""Make `ic.npz` and `vww.npz`: drawn pictures, for machines without real data.

    python models/samples/make_pictures.py

The licences of the real images do not let them be shipped. These are pictograms on gradients with a
texture: they exercise the whole flow with known labels, but no network was trained on drawings, so
an accuracy on them says nothing.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

ROOT = Path(__file__).resolve().parent.parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402  (the path above comes first)
import typer  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from models.images import encode_images  # noqa: E402
from models.labels import LABELS  # noqa: E402

Point = tuple[float, float]  # x to the right and y down, 0..1
Colour = tuple[int, int, int]

IC_TAKES, IC_SIZE = 4, 32  # pictures of each class
VWW_TAKES, VWW_SIZE = 8, 96
EDGE_SAMPLES = 4  # per pixel and axis, so that edges are not jagged
GRAIN = 0.8  # deviation of the noise
PATCHES = 6  # of light, along each axis
SEED = 2026
DEFAULT_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Centre and half axes."""

    centre: Point
    radius: Point
    shade: float = 1.0  # times the colour of the thing drawn

    def covers(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points lie inside."""
        (cx, cy), (rx, ry) = self.centre, self.radius
        inside: NDArray[np.bool_] = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1
        return inside


@dataclass(frozen=True, slots=True)
class Polygon:
    """A convex polygon."""

    corners: tuple[Point, ...]
    shade: float = 1.0

    def covers(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points lie inside: on one side of all edges."""
        ends = (*self.corners[1:], self.corners[0])
        sides = [
            (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            for (ax, ay), (bx, by) in zip(self.corners, ends, strict=True)
        ]
        inside: NDArray[np.bool_] = np.all(np.array(sides) >= 0, 0) | np.all(
            np.array(sides) <= 0, 0
        )
        return inside


def box(left: float, top: float, right: float, bottom: float, shade: float = 1.0) -> Polygon:
    """A rectangle."""
    return Polygon(((left, top), (right, top), (right, bottom), (left, bottom)), shade)


def four_legs(*, body: float, head: Point, neck: float) -> tuple[Ellipse | Polygon, ...]:
    """An animal that stands."""
    x, y = head
    return (
        *(box(left, 0.55, left + 0.05, 0.86, 0.8) for left in (0.27, 0.36, 0.56, 0.65)),
        Ellipse((0.47, 0.53), (0.26, body)),
        Polygon(((0.6, 0.5), (0.7, 0.56), (x + neck, y), (x - neck, y))),
        Ellipse(head, (0.1, 0.07)),
    )


WHEELS = (Ellipse((0.28, 0.7), (0.09, 0.09), 0.15), Ellipse((0.72, 0.7), (0.09, 0.09), 0.15))
PICTURES: dict[str, tuple[str, tuple[Ellipse | Polygon, ...]]] = {  # scene, what is drawn in it
    "airplane": ("sky", (
        Polygon(((0.1, 0.3), (0.24, 0.5), (0.12, 0.5)), 0.8),
        Ellipse((0.5, 0.5), (0.42, 0.07)),
        Polygon(((0.42, 0.5), (0.62, 0.5), (0.4, 0.85)), 0.7),
    )),
    "automobile": ("road", (
        Polygon(((0.32, 0.36), (0.62, 0.36), (0.75, 0.52), (0.22, 0.52)), 0.6),
        box(0.12, 0.5, 0.88, 0.7), *WHEELS,
    )),
    "bird": ("sky", (
        Polygon(((0.34, 0.5), (0.34, 0.62), (0.1, 0.44)), 0.7),
        Ellipse((0.5, 0.55), (0.23, 0.14)), Ellipse((0.71, 0.42), (0.1, 0.1)),
        Polygon(((0.79, 0.38), (0.93, 0.43), (0.79, 0.47)), 1.6),
        Polygon(((0.42, 0.5), (0.6, 0.5), (0.4, 0.2)), 0.8),
    )),
    "cat": ("room", (
        Ellipse((0.5, 0.7), (0.2, 0.24)), Ellipse((0.5, 0.38), (0.17, 0.15)),
        Polygon(((0.34, 0.34), (0.46, 0.26), (0.36, 0.12))),
        Polygon(((0.66, 0.34), (0.54, 0.26), (0.64, 0.12))),
        Ellipse((0.44, 0.37), (0.03, 0.04), 0.1), Ellipse((0.56, 0.37), (0.03, 0.04), 0.1),
    )),
    "deer": ("meadow", (
        *four_legs(body=0.11, head=(0.78, 0.28), neck=0.04),
        Polygon(((0.74, 0.24), (0.78, 0.24), (0.66, 0.03)), 0.6),
        Polygon(((0.78, 0.24), (0.82, 0.24), (0.9, 0.03)), 0.6),
    )),
    "dog": ("room", (
        *four_legs(body=0.15, head=(0.8, 0.38), neck=0.09),
        Ellipse((0.74, 0.42), (0.04, 0.1), 0.5),
        Polygon(((0.22, 0.5), (0.27, 0.55), (0.1, 0.3)), 0.9),
    )),
    "frog": ("water", (
        Ellipse((0.25, 0.76), (0.13, 0.08), 0.7), Ellipse((0.75, 0.76), (0.13, 0.08), 0.7),
        Ellipse((0.5, 0.62), (0.32, 0.2)),
        Ellipse((0.36, 0.42), (0.08, 0.08), 1.3), Ellipse((0.64, 0.42), (0.08, 0.08), 1.3),
        Ellipse((0.36, 0.42), (0.03, 0.05), 0.1), Ellipse((0.64, 0.42), (0.03, 0.05), 0.1),
    )),
    "horse": ("meadow", (
        *four_legs(body=0.17, head=(0.82, 0.25), neck=0.1),
        Polygon(((0.58, 0.42), (0.66, 0.46), (0.8, 0.16), (0.72, 0.2)), 0.3),
        Polygon(((0.2, 0.45), (0.26, 0.5), (0.14, 0.78)), 0.3),
    )),
    "ship": ("water", (
        box(0.48, 0.14, 0.52, 0.46, 0.5), box(0.32, 0.44, 0.68, 0.6, 1.4),
        Polygon(((0.08, 0.58), (0.92, 0.58), (0.8, 0.76), (0.2, 0.76))),
    )),
    "truck": ("road", (
        box(0.06, 0.24, 0.6, 0.68, 1.2),
        Polygon(((0.62, 0.4), (0.82, 0.4), (0.92, 0.68), (0.62, 0.68))),
        box(0.68, 0.44, 0.8, 0.54, 0.4), *WHEELS,
    )),
    "person": ("room", (
        box(0.4, 0.6, 0.48, 0.95, 0.4), box(0.52, 0.6, 0.6, 0.95, 0.4),
        Polygon(((0.36, 0.3), (0.64, 0.3), (0.61, 0.64), (0.39, 0.64))),
        Polygon(((0.36, 0.3), (0.42, 0.32), (0.3, 0.6), (0.25, 0.58)), 0.9),
        Polygon(((0.64, 0.3), (0.58, 0.32), (0.7, 0.6), (0.75, 0.58)), 0.9),
        Ellipse((0.5, 0.18), (0.09, 0.12), 1.5),
    )),
}  # fmt: skip
NO_PERSON = ("automobile", "cat", "deer", "ship")
SCENES: dict[str, tuple[Colour, Colour]] = {  # at the top, at the bottom
    "sky": ((90, 150, 220), (200, 220, 240)),
    "road": ((180, 200, 220), (90, 90, 90)),
    "room": ((200, 180, 150), (120, 90, 60)),
    "meadow": ((150, 190, 230), (70, 120, 50)),
    "water": ((170, 200, 220), (30, 80, 110)),
}


def main(
    folder: Annotated[Path, typer.Option(help="Folder of the files to write.")] = DEFAULT_FOLDER,
) -> None:
    """Write both sample sets."""
    make(folder)
    typer.echo("wrote ic.npz and vww.npz")


def make(folder: Path) -> None:
    """Write p (images, coded as `models.images` says), y and what is drawn, into both files."""
    rng = np.random.default_rng(SEED)
    classes = [(label, name) for label, name in enumerate(LABELS["ic"]) for _ in range(IC_TAKES)]
    _write(folder / "ic.npz", classes, IC_SIZE, rng)
    people = [
        (label, "person" if label else NO_PERSON[take % len(NO_PERSON)])
        for label in range(len(LABELS["vww"]))
        for take in range(VWW_TAKES)
    ]
    _write(folder / "vww.npz", people, VWW_SIZE, rng)


def _write(path: Path, wanted: list[tuple[int, str]], size: int, rng: np.random.Generator) -> None:
    pictures = np.stack([draw(name, size, rng) for _, name in wanted])
    np.savez_compressed(
        path,
        p=encode_images(pictures),
        y=np.array([label for label, _ in wanted], np.uint8),
        drawn=np.array([name for _, name in wanted]),
    )


def draw(name: str, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture [size, size, 3] of a thing, its place, size, colour and light drawn from `rng`."""
    scene, shapes = PICTURES[name]
    centre = (np.arange(size * EDGE_SAMPLES) + 0.5) / (size * EDGE_SAMPLES)
    y, x = np.meshgrid(centre, centre, indexing="ij")
    canvas = _gradient(scene, y)
    colour = rng.uniform(60, 200, 3)
    zoom, shift, mirrored = rng.uniform(0.9, 1.4), rng.uniform(-0.08, 0.08, 2), rng.random() < 0.5
    seen_x = (x - 0.5 - shift[0]) * zoom
    at_x, at_y = 0.5 + (-seen_x if mirrored else seen_x), 0.5 + (y - 0.5 - shift[1]) * zoom
    for shape in shapes:
        canvas[shape.covers(at_x, at_y)] = colour * shape.shade
    colours = canvas.reshape(size, EDGE_SAMPLES, size, EDGE_SAMPLES, 3).mean((1, 3))
    # rounded apart: light that is the same in all colours is coded but once
    pixels = np.rint(colours) + np.rint(_light(size, rng))[..., None]
    result: NDArray[np.uint8] = np.clip(pixels, 0, 255).astype(np.uint8)
    return result


def _gradient(scene: str, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The background [h, w, 3]."""
    top, bottom = (np.array(colour, np.float64) for colour in SCENES[scene])
    return top + (bottom - top) * y[..., None]


def _light(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Patches of light and shadow, and grain: what is added to all colours, [size, size]."""
    patches, corners = rng.uniform(-20, 20, (PATCHES, PATCHES)), np.arange(PATCHES)
    at = np.linspace(0, PATCHES - 1, size)
    rows = np.stack([np.interp(at, corners, row) for row in patches])
    smooth = np.stack([np.interp(at, corners, column) for column in rows.T], axis=1)
    lit: NDArray[np.float64] = smooth + rng.normal(0, GRAIN, (size, size))
    return lit


if __name__ == "__main__":
    typer.run(main)
