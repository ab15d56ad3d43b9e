"""Pictures of the bone bundle's page, from the predictions that bone_soft_tissue_predict.py stored.

    CAVEAT_DATA=prepared python benchmarks/bone_soft_tissue_pictures.py [--bundle FOLDER]

Writes docs/examples.jpg: of each body that no network saw one radiograph from the front and one from the side, what its CT says,
what the ensemble says, with what is undecided at 10 %, where it is wrong, and the entropy.
"""

from __future__ import annotations

import argparse

import matplotlib
import numpy as np
from bone_soft_tissue_pixels import Body, bodies_of
from bone_soft_tissue_predict import OUT, PREPARED, SOFT_TISSUE
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap

from caveat.bundle_folders import find_bundle
from caveat.inference.calibration.threshold_record import read_threshold_records
from caveat.transforms.study.load_study import LoadStudyd

matplotlib.use("Agg")
FRONT, SIDE = 0, 4
RISK = 0.1
COLOURS = ListedColormap(["#222222", "#56b4e9", "#e69f00", "#f7f7f7", "#cc79a7"])
"""Collimator, open beam, soft tissue, bone, undecided."""
TITLES = ("radiograph", "CT", f"ensemble, undecided at {100 * RISK:g} % pink", "wrong", "entropy, 0 to 1.2 nats")


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", default="bundles/bone_soft_tissue", help="name or folder")
    bundle = find_bundle(parser.parse_args().bundle)
    (record,) = read_threshold_records(bundle / "calibration")
    bodies = bodies_of(OUT / "ensemble_kept_out", 1, "kept_out")
    figure, axes = plt.subplots(2 * len(bodies), len(TITLES), figsize=(9, 3.7 * len(bodies)))
    rows = [(body, view) for body in bodies for view in (FRONT, SIDE)]
    for row, (body, view) in zip(axes, rows, strict=True):
        draw(row, body, view, record.threshold(RISK))
    for axis, title in zip(axes[0], TITLES, strict=True):
        axis.set_title(title, fontsize=7)
    figure.tight_layout(pad=0.2)
    figure.savefig(bundle / "docs" / "examples.jpg", dpi=110, pil_kwargs={"quality": 85})


def draw(row: np.ndarray, body: Body, view: int, threshold: float) -> None:
    """One radiograph. Args: row: of axes."""
    path = PREPARED / "bone_radiographs" / f"{body.name}_{view}.dcm"
    image = LoadStudyd(keys="image", kinds=["radiograph"])({"image": str(path)})["image"][0].numpy()
    rows, columns = image.shape
    truth, probability = body.labels[view, :rows, :columns], body.probability[view, :, :rows, :columns]
    said = probability.argmax(axis=0)
    shown = np.where((said == SOFT_TISSUE) & (body.lowest[view, :rows, :columns] <= threshold), 4, said)
    entropy = -np.sum(probability * np.log(np.maximum(probability, 1e-12)), axis=0)
    row[0].imshow(image, cmap="gray")
    for axis, labels in ((row[1], truth), (row[2], shown)):
        axis.imshow(labels, cmap=COLOURS, vmin=0, vmax=4, interpolation="nearest")
    row[3].imshow(said != truth, cmap="gray")
    row[4].imshow(entropy, cmap="magma", vmin=0, vmax=1.2)
    for axis in row:
        axis.set_axis_off()
    row[0].text(3, rows - 5, body.name, color="#ffdd00", fontsize=6)


if __name__ == "__main__":
    main()
