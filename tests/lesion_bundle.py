"""The bundle of lung lesions with small networks: what its configs do, whether it is trained or not."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
import yaml
from monai.bundle import ConfigParser

from caveat.networks.weights.state_dicts import save_weights

(SOURCE,) = (Path(__file__).resolve().parents[1] / "bundles").glob("*lung_lesions")
SMALL = {"channels": [4, 6], "units": [1, 1]}
WRITERS = [
    {"_target_": "caveat.transforms.writers.result_json.ResultJsonWriter"},
    {"_target_": "caveat.transforms.writers.hypotheses.HypothesesWriter"},
]
"""What is read here; reports and previews would take most of the time."""


def small_bundle(folder: Path, sure: bool = True) -> Path:
    """A copy of the configs with random weights for the samplers `probabilistic_unet` and `low_rank_logits`.

    Args:
        folder: where it is made.
        sure: False for a probabilistic U-Net to which every outline is equally likely: 1/2 a voxel, prior and posterior N(0, 1).
    """
    bundle = folder / "lung_lesions"
    shutil.copytree(SOURCE / "configs", bundle / "configs")
    (bundle / "models").mkdir()
    for name in ("inference", "low_rank_logits"):
        config = bundle / "configs" / f"{name}.yaml"
        settings = yaml.safe_load(config.read_text(encoding="utf-8"))
        if name == "inference":
            settings["backbone"] |= SMALL
            settings["sampler_def"] |= {"encoder_channels": [4, 4], "latent": 2}
            settings["inferer"] |= {"roi_size": [64, 64, -1], "draws": 4}
            settings["writers"] = WRITERS
        config.write_text(yaml.safe_dump(settings | {"weights_sha256": "not yet"}, sort_keys=False), encoding="utf-8")
        model = bundle / "models" / ("model.pt" if name == "inference" else f"{name}.pt")
        sha256 = save_weights(weights_of(bundle, name, sure or name != "inference"), model)
        config.write_text(yaml.safe_dump(settings | {"weights_sha256": sha256}, sort_keys=False), encoding="utf-8")
    return bundle


def weights_of(bundle: Path, name: str, sure: bool) -> dict[str, torch.Tensor]:
    """Random weights of a sampler of slices, named as in the network that measures volumes."""
    parser = ConfigParser()
    parser.read_config([str(bundle / "configs" / "inference.yaml"), str(bundle / "configs" / f"{name}.yaml")])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sampler = parser.get_parsed_content("sampler_def")
    if not sure:
        for layer in (sampler.backbone.head, sampler.prior_encoder.gaussian, sampler.posterior_encoder.gaussian):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return {f"sampler.{key}": tensor for key, tensor in sampler.state_dict().items()}
