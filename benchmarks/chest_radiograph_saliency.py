"""Where the maps of chest_radiograph_maps.py point, what they are worth, and whether their spread knows when they miss.

    python benchmarks/chest_radiograph_saliency.py      # after chest_radiograph_maps.py; a few minutes

Prints the tables of bundles/chest_radiograph/docs/README.md. One radiologist's boxes on 44 films of 42 patients; everything is on
the inner film (256 x 256 of its middle 192), so a box is what of it lies there. Intervals are by bootstrap over patients.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import chest_radiograph_maps as maps
import chest_radiograph_predict as chest
import frame
import numpy as np
import torch
from chest_radiograph_acquisition import cell, resampled
from frame import DATA
from scipy import ndimage

from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.metrics.auc import auroc
from caveat.inference.metrics.rank_correlation import spearman
from caveat.inference.reducers.evidence import strongest
from caveat.networks.draws.draw import Draw, first_draws

INNER = 192
ZOOM = maps.SIDE / INNER
SMOOTH = 6 * ZOOM
"""Of the prior: 6 pixels of the film."""
SHARES = np.linspace(0, 1, 6)
"""Of the film that deletion has taken, or insertion brought."""
COARSE = 16
"""Pixels of a block whose ranks are compared between maps."""
MORE_DRAWS = 20
Map = np.ndarray


@dataclass(frozen=True)
class Drawn:
    """Of the draws' maps their mean, standard deviation, and the share of draws in which a pixel is among the strongest tenth."""

    mean: Map
    sd: Map
    share: Map

    @classmethod
    def of(cls, stored: Mapping[str, Map], method: str) -> Drawn:
        """One method's of a film."""
        return cls(*(stored[f"{method}, {which}"] for which in ("mean", "sd", "share")))


LookedAt = Mapping[str, tuple[Sequence[Drawn], np.ndarray]]
"""Maps of each film, and the boxes on their grid, by method."""


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    entries = [entry for entry in maps.boxed_entries() if (maps.OUT / f"{maps.name_of(entry)}.npz").is_file()]
    boxes = np.stack([mask_of(maps.name_of(entry)) for entry in entries])
    units = np.array([entry["unit"] for entry in entries])
    stored = []
    for entry in entries:
        with np.load(maps.OUT / f"{maps.name_of(entry)}.npz") as file:
            stored.append({name: file[name].astype(np.float32) for name in file.files})
    looked_at = {method: ([Drawn.of(one, method) for one in stored], boxes) for method in maps.METHODS}
    whole = np.stack([mask_of(maps.name_of(entry), whole_film=True) for entry in entries])
    looked_at |= {
        f"evidence, {MORE_DRAWS} draws": (evidence_of(entries, None), boxes),
        f"evidence of the whole film's network, {MORE_DRAWS} draws": (evidence_of(entries, "whole_film"), whole),
    }
    print(pointing_table(looked_at, units, folds_of(entries)), "\n")
    print(knows_table(looked_at, units), "\n")
    print(sanity_table(stored), "\n")
    print(agreement_table(stored), "\n")
    print(deletion_table(entries, stored, units))


def folds_of(entries: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Number of each film's fold; -1 on films of the test."""
    return np.array([entry.get("fold", -1) for entry in entries])


@torch.no_grad()
def evidence_of(entries: Sequence[Mapping[str, Any]], overlay: str | None) -> list[Drawn]:
    """The evidence of a network that has not seen the film, in more draws than the other methods can have."""
    config = frame.parsed_bundle(chest.BUNDLE, overlay, {})
    prepare, sampler = config.get_parsed_content("preprocessing"), config.get_parsed_content("network")
    out = []
    for entry in entries:
        sampler.only = entry.get("fold")
        film = prepare({"image": DATA / entry["image"]})["image"][None].as_tensor()
        draws = torch.stack([maps.evidence(maps.OneDraw(sampler, draw), film) for draw in first_draws(MORE_DRAWS, 0)])
        share = torch.stack([strongest(one) for one in draws]).float().mean(dim=0)
        out.append(Drawn(draws.mean(dim=0).numpy(), draws.std(dim=0).numpy(), share.numpy()))
    return out


def mask_of(film: str, whole_film: bool = False) -> np.ndarray:
    """What of a film's boxes lies on the inner film, or on all of it, bool (256, 256)."""
    rows, columns = np.indices((maps.SIDE, maps.SIDE)) + 0.5
    if not whole_film:
        rows, columns = (place / ZOOM + (256 - INNER) / 2 for place in (rows, columns))
    out = np.zeros((maps.SIDE, maps.SIDE), bool)
    with maps.BOXES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["file"].endswith(f"{film}.jpg"):
                x, y, w, h = (float(row[key]) for key in "xywh")
                out |= (columns >= x) & (columns < x + w) & (rows >= y) & (rows < y + h)
    return out


def hit(values: Map, box: np.ndarray) -> float:
    """Whether the largest value lies in a box: the pointing game of Zhang et al. 2018; ties in their share."""
    return float(box[values == values.max()].mean())


def energy(values: Map, box: np.ndarray) -> float:
    """Share of what is above 0 that lies in a box; of a map without any that of the box."""
    positive = np.clip(values, 0, None)
    return float(positive[box].sum() / positive.sum()) if positive.sum() > 0 else float(box.mean())


def shuffled(
    values: Sequence[Map], boxes: np.ndarray, units: np.ndarray, figure: Callable[[Map, np.ndarray], float]
) -> np.ndarray:
    """Of each film's boxes the mean figure of the maps of other patients' films."""
    every = np.array([[figure(one, box) for one in values] for box in boxes])
    others = units[:, None] != units[None]
    return (every * others).sum(axis=1) / others.sum(axis=1)


def mean_cell(values: np.ndarray, units: np.ndarray, sign: str = "") -> str:
    """A mean over films with its interval over patients."""
    return cell(resampled(units, lambda chosen: float(values[chosen].mean())), sign)


def pointing_table(looked_at: LookedAt, units: np.ndarray, folds: np.ndarray) -> str:
    """A row a method, and the prior."""
    rows = []
    for method, (drawn, boxes) in looked_at.items():
        means = [one.mean for one in drawn]
        row = [method]
        for figure in (hit, energy):
            own = np.array([figure(one, box) for one, box in zip(means, boxes, strict=True)])
            other = shuffled(means, boxes, units, figure)
            row += [mean_cell(own, units), f"{other.mean():.3f}", mean_cell(own - other, units, "+")]
        rows.append(row)
    boxes = next(iter(looked_at.values()))[1]
    prior = [ndimage.gaussian_filter(boxes[folds != fold].mean(axis=0), SMOOTH) for fold in folds]
    of_prior = [np.array([figure(one, box) for one, box in zip(prior, boxes, strict=True)]) for figure in (hit, energy)]
    rows.append(
        [
            "where boxes of the other folds lie, smoothed",
            mean_cell(of_prior[0], units),
            "-",
            "-",
            mean_cell(of_prior[1], units),
            "-",
            "-",
        ]
    )
    rows.append(["chance: share of the inner film in a box", f"{boxes.mean():.3f}", "-", "-", f"{boxes.mean():.3f}", "-", "-"])
    head = [
        f"mean map of {maps.DRAWS} draws, {len(units)} films",
        "hit",
        "of other films' maps",
        "hit less that",
        "energy in the box",
        "of other films' maps",
        "energy less that",
    ]
    return markdown_table(head, rows)


def knows_table(looked_at: LookedAt, units: np.ndarray) -> str:
    """Does the spread over draws know when the map misses? AUROC of the spread for a miss."""
    rows = []
    for method, (drawn, boxes) in looked_at.items():
        missed = np.array([hit(one.mean, box) < 0.5 for one, box in zip(drawn, boxes, strict=True)])
        disagreement = np.array([1 - one.share[strongest_of(one.mean)].mean() for one in drawn])
        spread = np.array([one.sd.mean() / max(float(np.ptp(one.mean)), 1e-6) for one in drawn])
        row = [method, f"{missed.sum()} of {len(missed)}"]
        for score in (disagreement, spread):
            row.append(cell(resampled(units, lambda chosen, score=score, missed=missed: auroc(score[chosen], missed[chosen]))))  # type: ignore[misc]
        rows.append(row)
    return markdown_table(
        ["method", "films missed", "AUROC of the draws' disagreement", "AUROC of their standard deviation"], rows
    )


def strongest_of(values: Map) -> np.ndarray:
    """The tenth of a map that is largest, bool."""
    return values >= np.quantile(values, 0.9)


def coarse(values: Map) -> np.ndarray:
    """Means of blocks: what lies within one is below what any of the maps resolves."""
    side = maps.SIDE // COARSE
    return values.reshape(side, COARSE, side, COARSE).mean(axis=(1, 3)).ravel()


def sanity_table(stored: Sequence[Mapping[str, Map]]) -> str:
    """Rank correlation of a map with that of the same network, its last stages and last layer shuffled."""
    rows = []
    for method in maps.METHODS:
        pairs = [(one[f"{method}, off"], one[f"{method}, shuffled"]) for one in stored if f"{method}, off" in one]
        ranks = [spearman(coarse(own), coarse(other)) for own, other in pairs]
        films = [spearman(coarse(own), coarse(pairs[number - 1][0])) for number, (own, _) in enumerate(pairs)]
        rows.append([method, f"{np.mean(ranks):+.2f}", f"{min(ranks):+.2f} to {max(ranks):+.2f}", f"{np.mean(films):+.2f}"])
    return markdown_table([f"method ({len(pairs)} films)", "with shuffled weights", "of films", "with another film's map"], rows)


def agreement_table(stored: Sequence[Mapping[str, Map]]) -> str:
    """Mean rank correlation between methods, over films."""
    names = list(maps.METHODS)
    ranks = {
        (a, b): np.mean([spearman(coarse(one[f"{a}, mean"]), coarse(one[f"{b}, mean"])) for one in stored])
        for a in names
        for b in names
    }
    return markdown_table(["", *names], [[a, *(f"{ranks[a, b]:.2f}" if a != b else "-" for b in names)] for a in names])


@torch.no_grad()
def deletion_table(entries: Sequence[Mapping[str, Any]], stored: Sequence[Mapping[str, Map]], units: np.ndarray) -> str:
    """Areas under the probability of pneumonia while a map's strongest places are made grey, or brought onto grey; less those of
    another film's map. Petsiuk et al. 2018."""
    config = frame.parsed_bundle(chest.BUNDLE, None, {})
    prepare, sampler = config.get_parsed_content("preprocessing"), config.get_parsed_content("network")
    found: dict[str, list[list[float]]] = {method: [] for method in maps.METHODS}
    for number, entry in enumerate(entries):
        sampler.only = entry.get("fold")
        network = maps.OneDraw(maps.without_dropout(sampler), Draw(0, 0))
        film = prepare({"image": DATA / entry["image"]})["image"][None].as_tensor()
        for method in maps.METHODS:
            own, other = (stored[place][f"{method}, mean"] for place in (number, number - 1))
            found[method].append([*areas(network, film, own), *areas(network, film, other)])
    rows = []
    for method, of_films in found.items():
        values = np.array(of_films)
        cells = [mean_cell(values[:, column], units) for column in (0, 1)]
        rows.append(
            [
                method,
                cells[0],
                mean_cell(values[:, 0] - values[:, 2], units, "+"),
                cells[1],
                mean_cell(values[:, 1] - values[:, 3], units, "+"),
            ]
        )
    head = [
        "method",
        "deletion (lower is better)",
        "less another film's map",
        "insertion (higher is better)",
        "less another film's map",
    ]
    return markdown_table(head, rows)


def areas(network: maps.OneDraw, film: torch.Tensor, values: Map) -> tuple[float, float]:
    """Area under deletion and under insertion."""
    smooth = ndimage.gaussian_filter(values, COARSE / 2)
    place = torch.as_tensor(np.argsort(np.argsort(-smooth.ravel())).reshape(smooth.shape) / smooth.size)
    taken = torch.stack([place < share for share in SHARES])[:, None]
    grey = torch.full_like(film, maps.GREY)
    p = [
        network(torch.where(where, a, b)).softmax(dim=1)[:, maps.PNEUMONIA].numpy()
        for where, a, b in ((taken, grey, film), (taken, film, grey))
    ]
    return float(np.trapezoid(p[0], SHARES)), float(np.trapezoid(p[1], SHARES))


if __name__ == "__main__":
    main()
