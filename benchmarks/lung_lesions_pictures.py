"""Pictures of the lung lesion bundle's page, from stored draws.

    CAVEAT_DATA=prepared python benchmarks/lung_lesions_pictures.py grid --sampler probabilistic_unet
    CAVEAT_DATA=prepared python benchmarks/lung_lesions_pictures.py latent

grid      image, raters and eight draws of typical, best and worst test slices: those around the median of the energy distance
          (form V, all draws), and at its two ends, of different patients; out/lung_lesions/grid_SAMPLER.png
latent    what the probabilistic U-Net draws along the two directions of its latent that change the area most, in standard
          deviations of the prior, for the typical slices; out/lung_lesions/latent.png

Needs `lung_lesions_table.py --part test -o out/lung_lesions_table` for the distances. Every picture shows the middle 32 mm.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from frame import parsed_bundle
from lung_lesions_draws import LIST, WINDOW
from lung_lesions_slices import OUT, slices_of
from lung_lesions_table import energy_name, most_draws
from matplotlib.axes import Axes
from monai.bundle import ConfigParser
from monai.transforms import CenterSpatialCropd, Compose

from caveat.bundle_folders import find_bundle
from caveat.inference.stored.list_part import read_entries
from caveat.networks.samplers.latent_slices import LatentSlices
from caveat.transforms.study.discover import DATA_ROOT

TABLE = OUT.parent / "lung_lesions_table" / "table.json"
PART = "test"
EACH = 3
"""Slices of each kind."""
DRAWS_SHOWN = 8
MIDDLE = slice(16, 80)
"""Of 96 elements of 0.5 mm."""
STEPS = (-2, -1, 0, 1, 2)
"""Standard deviations of the prior."""
COLOURS = ("tab:red", "tab:orange", "tab:cyan", "tab:green")


def main() -> None:
    """Draw one picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", choices=("grid", "latent"))
    parser.add_argument("--bundle", default="lung_lesions", help="name or folder (default: the shipped one)")
    parser.add_argument("--sampler", default="probabilistic_unet", help="folder of draws that chooses, and that the grid shows")
    options = parser.parse_args()
    chosen = choose(options.sampler)
    config = parsed_bundle(find_bundle(options.bundle), None, {"device": "$torch.device('cpu')"})
    path = OUT / ("latent.png" if options.picture == "latent" else f"grid_{options.sampler}.png")
    if options.picture == "grid":
        draw_grid(options.sampler, chosen, config, path)
    else:
        draw_latent(chosen["typical"], config, path)
    print(path.relative_to(OUT.parent.parent))


def choose(sampler: str) -> dict[str, list[tuple[str, float]]]:
    """Slices with their energy distance: "typical", "best", "worst", each of different patients."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["rows"][sampler]
    energy = energy_name("V", most_draws(rows))
    found = sorted((row["metrics"][energy], row["slice"], row["unit"]) for row in rows)
    middle = sorted(found, key=lambda row: abs(row[0] - found[len(found) // 2][0]))
    return {"typical": of_different_units(middle), "best": of_different_units(found), "worst": of_different_units(found[::-1])}


def of_different_units(rows: list[tuple[float, str, str]]) -> list[tuple[str, float]]:
    """The first few, one a patient. Args: rows: energy distance, slice, patient."""
    first: dict[str, tuple[str, float]] = {}
    for energy, name, unit in rows:
        first.setdefault(unit, (name, energy))
    return list(first.values())[:EACH]


def image_of(name: str, config: ConfigParser) -> torch.Tensor:
    """The slice that the networks saw, (96, 96). Args: name: of a slice."""
    nodule, _, number = name.split()
    (entry,) = [entry for entry in read_entries(LIST, PART) if Path(entry["image"]).name == f"{nodule}.nii.gz"]
    loaded = config.get_parsed_content("preprocessing")
    root = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
    return Compose([loaded, CenterSpatialCropd("image", WINDOW)])({"image": str(root / entry["image"])})["image"].as_tensor()[
        0, ..., int(number)
    ]


def draw_grid(sampler: str, chosen: dict[str, list[tuple[str, float]]], config: ConfigParser, path: Path) -> None:
    """A row a slice: the image, the raters' outlines on it, and a draw in each further picture."""
    stored = {case.name: case for case in slices_of(OUT / PART / sampler)}
    rows = [(kind, stored[name], energy) for kind, names in chosen.items() for name, energy in names]
    figure, axes = plt.subplots(
        len(rows), 2 + DRAWS_SHOWN, figsize=(1.5 * (2 + DRAWS_SHOWN), 1.62 * len(rows)), layout="constrained"
    )
    for line, (kind, case, energy) in zip(axes, rows, strict=True):
        image = image_of(case.name, config)
        show(line[0], image)
        line[0].set_title(f"{kind}, {energy:.2f}", fontsize=8)
        show(line[1], image)
        for rater, colour in zip(case.raters, COLOURS, strict=False):
            outline(line[1], rater, colour)
        line[1].set_title(f"{case.unit}: {case.raters.any(axis=(1, 2)).sum()} of {len(case.raters)} drew", fontsize=6)
        for axis, draw in zip(line[2:], case.draws, strict=False):
            show(axis, image)
            outline(axis, draw, "yellow")
        for axis in line:
            axis.axis("off")
    figure.savefig(path, dpi=90)


def draw_latent(chosen: list[tuple[str, float]], config: ConfigParser, path: Path) -> None:
    """A plane of the latent for each slice."""
    network: LatentSlices = config.get_parsed_content("network").eval()
    figure, axes = plt.subplots(1, EACH, figsize=(5 * EACH, 5.2), layout="constrained")
    for axis, (name, _) in zip(axes, chosen, strict=True):
        image = image_of(name, config)
        masks, directions = latent_plane(network, image)
        picture = np.concatenate([np.concatenate([image.numpy().T[MIDDLE, MIDDLE]] * len(STEPS), axis=1)] * len(STEPS), axis=0)
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
        axis.contour(
            np.concatenate([np.concatenate(row, axis=1) for row in masks]), levels=[0.5], colors="yellow", linewidths=0.8
        )
        size = picture.shape[0] / len(STEPS)
        axis.set_xticks([size * (number + 0.5) for number in range(len(STEPS))], [f"{step:+d}" for step in STEPS])
        axis.set_yticks([size * (number + 0.5) for number in range(len(STEPS))], [f"{step:+d}" for step in STEPS])
        axis.set_xlabel(f"latent {directions[0]}, standard deviations of the prior")
        axis.set_ylabel(f"latent {directions[1]}")
        axis.set_title(name, fontsize=9)
    figure.savefig(path, dpi=80)


@torch.no_grad()
def latent_plane(network: LatentSlices, image: torch.Tensor) -> tuple[list[list[np.ndarray]], tuple[int, int]]:
    """Masks (rows of the second direction, columns of the first) and the numbers of the two directions."""
    window = image[None, None]
    prior = network.sampler.prior(window)
    count = prior.mean.shape[1]

    def masks_at(offsets: torch.Tensor) -> torch.Tensor:
        """Args: offsets: in standard deviations, (n, latent). Returns: bool (n, x, y)."""
        logits = network.sampler.logits(window.expand(len(offsets), -1, -1, -1), prior.at(offsets))
        return logits[:, 1] > logits[:, 0]

    ends = masks_at(2 * torch.cat([torch.eye(count), -torch.eye(count)])).sum(dim=(1, 2)).float()
    change = (ends[:count] - ends[count:]).abs()
    first, second = (int(number) for number in change.argsort(descending=True, stable=True)[:2])
    offsets = torch.zeros(len(STEPS), len(STEPS), count)
    offsets[..., first], offsets[..., second] = torch.tensor(STEPS).float(), torch.tensor(STEPS).float()[:, None]
    masks = masks_at(offsets.flatten(0, 1)).unflatten(0, (len(STEPS), len(STEPS))).numpy()
    return [[mask.T[MIDDLE, MIDDLE] for mask in row] for row in masks], (first, second)


def show(axis: Axes, image: torch.Tensor) -> None:
    """Args: image: (x, y), shown with x to the right."""
    axis.imshow(image.numpy().T[MIDDLE, MIDDLE], cmap="gray", vmin=0, vmax=1)


def outline(axis: Axes, mask: np.ndarray, colour: str) -> None:
    """Args: mask: bool (x, y); where it is empty nothing is drawn."""
    if mask[MIDDLE, MIDDLE].any():
        axis.contour(mask.T[MIDDLE, MIDDLE], levels=[0.5], colors=colour, linewidths=0.9)


if __name__ == "__main__":
    main()
