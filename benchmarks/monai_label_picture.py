"""docs/images/monai_label_levels.jpg: a mask and its nested levels as a viewer gets them from `caveat label`.

python benchmarks/monai_label_picture.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import skimage
from frame import ROOT
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch
from PIL import Image

import caveat
from caveat.bundle_folders import shipped_bundles
from caveat.monai_label.segments import LEVELS, class_names, nested, reported

BUNDLE = "retinal_vessels"
PHOTOGRAPH = Path(skimage.__file__).parent / "data" / "retina.jpg"
OUT = ROOT / "docs" / "images" / "monai_label_levels.jpg"
ROWS, COLUMNS = slice(480, 800), slice(520, 960)
COLOURS = ("#0072b2", "#f0e442", "#ffffff")
"""Of voxels that all draws, most draws, any draw give."""


def main() -> None:
    """Measure the photograph that scikit-image carries, and draw a part of it."""
    plt.switch_backend("agg")
    result = caveat.load(BUNDLE, keep_draws=True).measure(PHOTOGRAPH)
    names = class_names(shipped_bundles()[BUNDLE])
    shown = {BUNDLE: reported(result, names).labels, f"{BUNDLE}_levels": nested(result, list(names)).labels}
    photograph = np.asarray(Image.open(PHOTOGRAPH))[ROWS, COLUMNS]
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
    for axis, (title, labels) in zip(axes, {"the photograph": None, **shown}.items(), strict=True):
        axis.imshow(photograph)
        axis.set_title(title, fontsize=10)
        axis.axis("off")
        if labels is not None:
            axis.imshow(painted(labels[ROWS, COLUMNS]))
    keys = [Patch(color=colour, label=f"vessel, {level}") for colour, level in zip(COLOURS, LEVELS, strict=True)]
    axes[2].legend(handles=keys, loc="lower right", fontsize=8)
    figure.savefig(OUT, dpi=100, pil_kwargs={"quality": 85})


def painted(labels: np.ndarray) -> np.ndarray:
    """RGBA: a colour a value, nothing where there is none."""
    colours = np.array([(0, 0, 0, 0), *(to_rgba(colour, 0.8) for colour in COLOURS)])
    return colours[labels]


if __name__ == "__main__":
    main()
