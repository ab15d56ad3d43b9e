"""The tables of bundles/cephalometric_landmarks/docs/README.md, from stored predictions.

    python benchmarks/cephalograms_tables.py models      # single networks, ensembles of 3 and 5, dropout, the junior rater
    python benchmarks/cephalograms_tables.py landmarks   # each landmark: the ensemble beside the raters
    python benchmarks/cephalograms_tables.py certainty   # does a score know of the error?
    python benchmarks/cephalograms_tables.py montage     # the worst and the most uncertain images, out/cephalograms/montage.png

After `cephalograms_predict.py unseen`. Against the senior rater, mm, means over all landmarks; intervals by bootstrap over
patients. An ensemble of k is the mean of its first k members' positions;
member 0 is the dropout network. `clean_test` is test 1 without the images that repeat
an exposure or show a patient of the training half; `official_test` is all of it, and leaks.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from cephalograms_predict import BUNDLE, LIST, OUT
from frame import DATA, ROOT, step_parser
from left_out import with_interval

from caveat.inference.evaluation.evaluation_config import read_evaluation
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.metrics.radial_error import radial_errors
from caveat.inference.metrics.rank_correlation import spearman
from caveat.inference.stored.list_part import read_entries, results_by_sha256
from caveat.inference.stored.stored_study import StoredStudy

PARTS = ("clean_test", "official_test")
SETTINGS = read_evaluation(BUNDLE / "configs" / "evaluate.yaml")
BOOTSTRAP = {"level": SETTINGS.level, "resamples": SETTINGS.resamples, "seed": SETTINGS.seed}
NAMES = SETTINGS.truths.names
WITHOUT = NAMES.index("Soft tissue pogonion")
WITHIN = (2, 2.5, 3, 4)
MEMBERS = (3, 5)
SHOWN = 6
"""Images in each row of the montage."""


def main() -> None:
    """Print one table, or write the montage."""
    tables = {"models": models, "landmarks": landmarks, "certainty": certainty, "montage": montage}
    tables[step_parser(__doc__, tables).parse_args().step]()


@cache
def read(sampler: str, part: str) -> list[dict[str, Any]]:
    """Per image: unit, entry, result; draws (landmarks, draws, axes) and each rater's positions (landmarks, axes), mm."""
    entries = read_entries(LIST, part)
    stored = results_by_sha256(OUT / sampler, {entry["sha256"] for entry in entries})
    images = []
    for entry in entries:
        folder, result = stored[entry["sha256"]]
        truths = SETTINGS.truths.read(entry, DATA, StoredStudy(folder.name, result))
        positions = {truth.rater: np.array([truth.positions[name] for name in NAMES]) for truth in truths}
        draws = np.array([point["draws"]["values"] for point in result["answers"]])
        images.append({"unit": entry["unit"], "entry": entry, "result": result, "draws": draws, **positions})
    return images


def errors_of(sampler: str, part: str, draws: slice = slice(None)) -> tuple[np.ndarray, list[str]]:
    """Radial errors of the mean over some draws. Returns: (images, landmarks) mm, and the images' units."""
    images = read(sampler, part)
    found = np.array([image["draws"][:, draws].mean(axis=1) for image in images])
    return radial_errors(found, np.array([image["senior"] for image in images])), [image["unit"] for image in images]


def junior_errors(part: str) -> tuple[np.ndarray, list[str]]:
    """The other rater on the same images."""
    images = read("ensemble", part)
    found, truth = (np.array([image[rater] for image in images]) for rater in ("junior", "senior"))
    return radial_errors(found, truth), [image["unit"] for image in images]


def models() -> None:
    """The original's three models, ensembles of several sizes, and the junior rater."""
    for part in PARTS:
        rows = {f"one network, seed {k - 1}": errors_of("ensemble", part, slice(k, k + 1)) for k in range(1, 5)}
        rows |= {"the dropout network, dropout off": errors_of("single", part)}
        rows |= {f"ensemble of {count}": errors_of("ensemble", part, slice(count)) for count in MEMBERS}
        rows |= {"channel dropout, 15 draws": errors_of("dropout", part), "junior rater": junior_errors(part)}
        units = rows["junior rater"][1]
        print(f"\n{part}: {len(units)} images of {len(set(units))} patients\n")
        head = ["", "mean", "median", *(f"within {distance} mm" for distance in WITHIN), "mean without landmark 16"]
        print(markdown_table(head, [[name, *cells(*found)] for name, found in rows.items()]))


def cells(errors: np.ndarray, units: list[str]) -> list[str]:
    """One row. Args: errors: (images, landmarks)."""
    kept = np.delete(errors, WITHOUT, axis=1)
    rates = [f"{100 * (errors < distance).mean():.1f} %" for distance in WITHIN]
    return [
        with_interval(errors.mean(axis=1), units, **BOOTSTRAP),
        f"{np.median(errors):.2f}",
        *rates,
        with_interval(kept.mean(axis=1), units, **BOOTSTRAP),
    ]


def landmarks() -> None:
    """A row a landmark, on the clean test."""
    part = PARTS[0]
    (errors, units), (junior, _) = errors_of("ensemble", part), junior_errors(part)
    images = read("ensemble", part)
    offset = np.mean([image["draws"].mean(axis=1) - image["senior"] for image in images], axis=0)
    rows = [
        [
            name,
            with_interval(errors[:, i], units, **BOOTSTRAP),
            f"{np.median(errors[:, i]):.2f}",
            f"{100 * (errors[:, i] < 2.5).mean():.0f} %",
        ]
        + [f"{offset[i, 0]:+.2f}, {offset[i, 1]:+.2f}", f"{junior[:, i].mean():.2f}"]
        for i, name in enumerate(NAMES)
    ]
    head = ["landmark", "mean error, mm", "median", "within 2.5 mm", "mean offset: down, right", "junior rater"]
    print(markdown_table(head, rows))


def certainty() -> None:
    """Spearman's correlation of each image's scores with its mean error, and of each landmark's own spread with its error."""
    part = PARTS[0]
    rows = []
    for sampler in ("single", "ensemble", "dropout"):
        errors, _ = errors_of(sampler, part)
        images = read(sampler, part)
        for score in ("heatmap_activation", "mean_distance_to_mean", "heatmap_spread", "feature_distance"):
            values = [image["result"]["study_scores"].get(score) for image in images]
            own = [[point.get(score) for point in image["result"]["answers"]] for image in images]
            if None not in values:
                each = "-" if own[0][0] is None else shown(spearman(np.ravel(own), errors.ravel()))
                rows.append([sampler, score, shown(spearman(values, errors.mean(axis=1))), each])
    print(markdown_table(["sampler", "score", "images: with the mean error", "landmarks of all images: with their error"], rows))


def montage() -> None:
    """The images with the largest error and with the largest spread of the draws: senior rater, draws, their mean."""
    import matplotlib.pyplot as plt
    from PIL import Image

    images = read("ensemble", PARTS[0])
    errors = errors_of("ensemble", PARTS[0])[0].mean(axis=1)
    spread = [image["result"]["study_scores"]["mean_distance_to_mean"] for image in images]
    figure, axes = plt.subplots(2, SHOWN, figsize=(4 * SHOWN, 10), layout="constrained")
    for row, (title, order) in enumerate({"error": np.argsort(-errors), "spread": np.argsort(spread)[::-1]}.items()):
        for axis, index in zip(axes[row], order[:SHOWN], strict=True):
            image = images[index]
            spacing = image["result"]["input"]["spacing_mm"]
            axis.imshow(np.asarray(Image.open(DATA / image["entry"]["image"]).convert("L")), cmap="gray")
            for member in range(image["draws"].shape[1]):
                axis.plot(*(image["draws"][:, member] / spacing).T[::-1], "c.", markersize=2)
            axis.plot(*(image["draws"].mean(axis=1) / spacing).T[::-1], "y+", markersize=7, label="ensemble")
            axis.plot(*(image["senior"] / spacing).T[::-1], "rx", markersize=5, label="senior rater")
            axis.set_title(
                f"{title}: {image['entry']['unit']}, error {errors[index]:.1f} mm, spread {spread[index]:.1f} mm", fontsize=8
            )
            axis.axis("off")
    axes[0, 0].legend()
    figure.savefig(OUT / "montage.png", dpi=70)
    print((OUT / "montage.png").relative_to(ROOT))


if __name__ == "__main__":
    main()
