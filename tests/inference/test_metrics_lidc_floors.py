"""On real nodules, the floors that an independent script found (README of the data set)."""

import numpy as np
import pytest

from caveat.inference.metrics.diversity import diversity
from caveat.inference.metrics.energy_distance import energy_distance, energy_distances
from caveat.inference.metrics.mask_distance import MaskDistances, mask_distances
from caveat.inference.metrics.reference_samplers import reference_draws, resampled
from caveat.inference.metrics.strata import means_by_stratum, raters_that_marked

ALL, FOUR_OF_FOUR = "all", "4 of 4"
FOUND = {  # form V, and the slices: all in which a rater drew, and those in which four of four did
    "majority (>= half) repeated": {ALL: 0.205, FOUR_OF_FOUR: 0.144},
    "union repeated": {ALL: 0.384, FOUR_OF_FOUR: 0.294},
    "intersection repeated": {ALL: 0.391, FOUR_OF_FOUR: 0.351},
    "empty repeated": {ALL: 1.490, FOUR_OF_FOUR: 1.772},
    "one rater repeated, mean": {ALL: 0.295, FOUR_OF_FOUR: 0.228},
    "raters resampled, 4 draws": {ALL: 0.075, FOUR_OF_FOUR: 0.057},
    "raters resampled, 8 draws": {ALL: 0.037, FOUR_OF_FOUR: 0.029},
    "raters resampled, 16 draws": {ALL: 0.018, FOUR_OF_FOUR: 0.014},
    "raters, pairs of two": {ALL: 0.413, FOUR_OF_FOUR: 0.304},
}
RESAMPLINGS = range(0, 400_000, 100_000)
"""Seeds beyond the slice's: the mean over 701 slices of one resampling has a standard error of 0.002."""


def slices_with_outlines(file):
    """Raters' masks (M, rows, columns) and patient of each slice in which a rater drew."""
    data = {name: file[name] for name in ("id", "shape_zyx", "n_readers", "mask_off", "masks_packed")}
    for i, name in enumerate(data["id"]):
        shape = (int(data["n_readers"][i]), *map(int, data["shape_zyx"][i]))
        packed = data["masks_packed"][data["mask_off"][i] : data["mask_off"][i + 1]]
        masks = np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).astype(bool)
        yield from ((masks[:, z], str(name).split("_")[0]) for z in range(shape[1]) if masks[:, z].any())


def floors(raters, seed):
    """Energy distance of every reference, form V, of one slice; of the resampled raters the mean over some resamplings."""
    rows = reference_draws(raters, 1, seed)
    again = [resampled(raters, 16, seed + beyond) for beyond in RESAMPLINGS]
    energies = [energy_distances(mask_distances(draws, raters), (4, 8, 16)) for draws in again]
    among = mask_distances(raters, raters).raters
    each = [MaskDistances(among[[j]], np.zeros((1, 1)), among) for j in range(len(raters))]
    scores = {f"raters resampled, {n} draws": mean_of(energies, f"energy distance V, {n} draws") for n in (4, 8, 16)}
    scores |= {name: energy_distance(mask_distances(draws, raters), "V") for name, draws in rows.items() if name in FOUND}
    scores["one rater repeated, mean"] = float(np.mean([energy_distance(one, "V") for one in each]))
    return scores | {"raters, pairs of two": diversity(among)}


def mean_of(energies, name):
    """Mean of one figure over resamplings."""
    return float(np.mean([energy[name] for energy in energies]))


@pytest.mark.slow
def test_floors_of_the_test_split(shared_data):
    with np.load(shared_data / "lidc_nodules" / "test.npz") as file:
        found = [(floors(raters, seed), raters, unit) for seed, (raters, unit) in enumerate(slices_with_outlines(file))]
    units = [unit for _, _, unit in found]
    marked = [f"{raters_that_marked(raters)} of {len(raters)}" for _, raters, _ in found]
    every_rater = marked.count("3 of 3") + marked.count(FOUR_OF_FOUR)
    assert (len(found), every_rater, marked.count(FOUR_OF_FOUR), len(set(units))) == (1477, 1155, 701, 108)
    for name, expected in FOUND.items():
        values = [scores[name] for scores, _, _ in found]
        means = means_by_stratum(values * 2, [ALL] * len(found) + marked, units * 2, resamples=10)
        for stratum, mean in expected.items():
            assert means[stratum]["mean"] == pytest.approx(mean, abs=0.002), (name, stratum)
    assert (means["3 of 3"]["n"], means["2 of 4"]["n"]) == (marked.count("3 of 3"), marked.count("2 of 4"))
