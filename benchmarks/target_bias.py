"""How far surface area and largest diameter are off, on bodies whose size is known: ours beside other ways to measure.

    python benchmarks/target_bias.py [--bodies 8]

Balls at random places of the grid, and ellipsoids of 24 x 8 x 8 mm turned at random, as masks of voxels. Surface: Crofton's
formula (`SurfaceArea`) beside the triangles of marching cubes. Diameter: between the middles of voxel faces
(`LargestDiameter`) beside the middles and the corners of voxels.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation
from skimage.measure import marching_cubes, mesh_surface_area

from caveat.inference.engine.study_grid import GridElement
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.targets.drawn import Drawn
from caveat.inference.targets.largest_diameter import LargestDiameter
from caveat.inference.targets.surface_area import SurfaceArea

SPACINGS_MM = ((1.0, 1.0, 1.0), (2.5, 0.8, 0.8))
RADII_MM = (2.0, 3.0, 5.0, 10.0, 20.0)
HALF_AXES_MM = np.array([12.0, 4.0, 4.0])
SURFACE, DIAMETER = SurfaceArea("surface", "", (1,)), LargestDiameter("diameter", "", (1,))


def main() -> None:
    """Print a table of errors, mean and standard deviation over the bodies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bodies", type=int, default=8, help="of each kind (default 8)")
    options = parser.parse_args()
    random = np.random.default_rng(0)
    rows = []
    for spacing, radius in itertools.product(SPACINGS_MM, RADII_MM):
        balls = [ellipsoid(np.full(3, radius), spacing, random) for _ in range(options.bodies)]
        shown = (f"{radius:g} mm", f"{' x '.join(map(str, spacing))} mm")
        rows.append((*shown, *surfaces(balls, spacing, 4 * math.pi * radius**2), *diameters(balls, spacing, 2 * radius)))
    for spacing in SPACINGS_MM:
        bodies = [ellipsoid(HALF_AXES_MM, spacing, random) for _ in range(options.bodies)]
        shown = ("24 x 8 x 8 mm", f"{' x '.join(map(str, spacing))} mm")
        rows.append((*shown, *surfaces(bodies, spacing, prolate_surface(*HALF_AXES_MM[:2])), *diameters(bodies, spacing, 24.0)))
    head = ("radius, or axes", "voxels", "surface: Crofton", "triangles", "diameter: faces", "middles", "corners")
    print(markdown_table(head, rows))


def ellipsoid(half_axes: np.ndarray, spacing: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """Voxels whose middle lies inside, turned and moved at random."""
    turn = Rotation.random(random_state=random).as_matrix()
    reach = [math.ceil(half_axes.max() / step) + 2 for step in spacing]
    axes = [(np.arange(-n, n + 1) + random.uniform(-0.5, 0.5)) * step for n, step in zip(reach, spacing, strict=True)]
    place = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) @ turn
    return ((place / half_axes) ** 2).sum(axis=-1) <= 1


def prolate_surface(long: float, short: float) -> float:
    """Surface of an ellipsoid with two equal axes. Args: half of the axes."""
    eccentricity = math.sqrt(1 - (short / long) ** 2)
    return 2 * math.pi * short**2 * (1 + long / short / eccentricity * math.asin(eccentricity))


def surfaces(masks: Sequence[np.ndarray], spacing: tuple[float, ...], truth: float) -> list[str]:
    """Errors in per cent: of Crofton's formula, of triangles."""
    return [
        in_words([100 * (measure(mask, spacing) / truth - 1) for mask in masks], "%") for measure in (target(SURFACE), triangles)
    ]


def diameters(masks: Sequence[np.ndarray], spacing: tuple[float, ...], truth: float) -> list[str]:
    """Errors in mm: of middles of faces, of middles of voxels, of their corners."""
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
    ways = (target(DIAMETER), between(np.zeros((1, 3))), between(corners))
    return [in_words([measure(mask, spacing) - truth for mask in masks], "mm") for measure in ways]


def target(one: SurfaceArea | LargestDiameter) -> Callable[[np.ndarray, tuple[float, ...]], float]:
    """As the package measures it."""

    def measure(mask: np.ndarray, spacing: tuple[float, ...]) -> float:
        element = GridElement(math.prod(spacing), "mm3", spacing)
        return one.of(Drawn.of_labels(element, mask.astype(np.uint8), 2, mask.size))

    return measure


def triangles(mask: np.ndarray, spacing: tuple[float, ...]) -> float:
    """Marching cubes at one half, as in PyRadiomics and the IBSI."""
    vertices, faces, *_ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5, spacing=spacing)
    return mesh_surface_area(vertices, faces)


def between(offsets: np.ndarray) -> Callable[[np.ndarray, tuple[float, ...]], float]:
    """Largest distance of points of voxels. Args: offsets: (points, axes), of each voxel, from its middle."""

    def measure(mask: np.ndarray, spacing: tuple[float, ...]) -> float:
        points = (np.argwhere(mask)[:, None] + offsets).reshape(-1, 3) * spacing
        return pdist(points[ConvexHull(points, qhull_options="QJ").vertices]).max()

    return measure


def in_words(errors: Sequence[float], unit: str) -> str:
    """Mean and standard deviation."""
    return f"{np.mean(errors):+.1f} {unit} (sd {np.std(errors):.1f})"


if __name__ == "__main__":
    main()
