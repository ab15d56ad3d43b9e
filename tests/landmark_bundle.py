"""The bundle of landmarks with small networks of random weights: what its configs do, whether it is trained or not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
import yaml
from monai.bundle import ConfigParser

from caveat.networks.weights.state_dicts import save_weights

(SOURCE,) = (Path(__file__).resolve().parents[1] / "bundles").glob("*cephalometric_landmarks")
SMALL = {"channels": [4, 6, 8], "units": [1, 1, 1]}
WRITERS = [{"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"}]
"""What is read here; reports and previews would take most of the time."""


def small_bundle(folder: Path) -> Path:
    """A copy of the configs, no calibration, 64 elements along the longest side, result.json alone. Returns: its folder."""
    bundle = folder / "cephalometric_landmarks"
    shutil.copytree(SOURCE / "configs", bundle / "configs")
    (bundle / "models").mkdir()
    config = bundle / "configs" / "inference.yaml"
    settings = yaml.safe_load(config.read_text(encoding="utf-8")) | {"longest_side": 64, "writers": WRITERS}
    settings["backbone"] |= SMALL
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sha256 = save_weights(weights_of(bundle), bundle / "models" / "model.pt")
    config.write_text(yaml.safe_dump(settings | {"weights_sha256": sha256}, sort_keys=False), encoding="utf-8")
    return bundle


def weights_of(bundle: Path) -> dict[str, Any]:
    """Random weights of the bundle's ensemble; its first member's are what the other samplers take."""
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.yaml"))
    return parser.get_parsed_content("network_def").state_dict()
