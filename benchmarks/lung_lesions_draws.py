"""Draws of every sampler of the lung lesion bundle on the grid of the 2-D protocol: 0.5 mm, 96 x 96, the scanner's own slices.

    CAVEAT_DATA=prepared python benchmarks/lung_lesions_draws.py probabilistic_unet ensemble --part test

writes out/lung_lesions/PART/SAMPLER/NODULE.npz (draws, the raters' masks, the mean probability) for lung_lesions_table.py; what
is there is not drawn again. A draw is one of the whole nodule, in which every slice is drawn as it would be alone: figures of
slices are those of the published protocol. Each nodule has a seed of its own, so that a mean over nodules is one over draws as
well. What reaches beyond 48 mm (12 nodules of the set) is left out on both sides.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from frame import DATA, parsed_bundle
from lung_lesions_predict import LIST
from lung_lesions_slices import OUT
from monai.transforms import CenterSpatialCropd, Compose

from caveat.bundle_folders import find_bundle
from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.engine.labels import labels_of
from caveat.inference.stored.list_part import read_entries
from caveat.networks.draws.sampler import Sampler

WINDOW = [96, 96, -1]
STATISTICS = [{"_target_": f"caveat.inference.reducers.{name}"} for name in ("moments.Moments", "kept_draws.KeptDraws")]


def main() -> None:
    """Draw with each sampler that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samplers", nargs="+", help="as the bundle's metadata.json names them")
    parser.add_argument("--bundle", default="lung_lesions", help="name or folder (default: the shipped one)")
    parser.add_argument("--part", default="test", help="of the data list (default: test)")
    options = parser.parse_args()
    for sampler in options.samplers:
        draw_part(find_bundle(options.bundle), sampler, options.part, OUT / options.part / sampler)


def draw_part(bundle: Path, sampler: str, part: str, folder: Path) -> None:
    """Draw every nodule of a part that is not there yet; facts.json says with what, and how long a slice took."""
    config = parsed_bundle(bundle, sampler, {"reducers": STATISTICS, "inferer::roi_size": WINDOW})
    network, inferer, loaded = (config.get_parsed_content(name) for name in ("network", "inferer", "preprocessing"))
    preprocessing = Compose([loaded, CenterSpatialCropd(("image", "label"), WINDOW)])
    folder.mkdir(parents=True, exist_ok=True)
    seconds, count = 0.0, 0
    for number, entry in enumerate(read_entries(LIST, part)):
        path = folder / Path(entry["image"]).name.replace(".nii.gz", ".npz")
        if path.is_file():
            continue
        study = preprocessing({"image": str(DATA / entry["image"]), "label": [str(DATA / label) for label in entry["label"]]})
        start = time.perf_counter()
        inferer.seed = number
        drawn = draw(study["image"], study["label"].numpy() > 0, network, inferer)
        seconds, count = seconds + time.perf_counter() - start, count + drawn["draws"].shape[-1]
        np.savez_compressed(path, unit=entry["unit"], **drawn)
    if count:
        facts = {
            "weights_sha256": config.get_parsed_content("weights_sha256"),
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "temperature": inferer.link.temperature,
            "seconds_a_slice": seconds / count,
        }
        (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def draw(image: torch.Tensor, raters: np.ndarray, network: Sampler, inferer: SamplingInferer) -> dict[str, Any]:
    """Args: image: (1, x, y, z). raters: bool (raters, x, y, z). Returns: `draws` bool (draws, x, y, z), `raters` likewise,
    `probability` float16 (x, y, z)."""
    answer = inferer(image[None], network)
    return {
        "draws": labels_of(answer["samples"][0], axis=1).cpu().numpy() > 0,
        "raters": raters,
        "probability": answer["pred"][0, 1].cpu().numpy().astype(np.float16),
    }


if __name__ == "__main__":
    main()
