"""How likely an outline is under a bundle's model: its workflow up to the network, with the outline beside the image."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.bundle import ConfigParser

from .inference.answers.report_on_input_grid import touches_border
from .inference.answers.study_evaluator import refusal_behind
from .inference.likelihood.rater_likelihood import RaterLikelihood
from .networks.latent.posterior_sampler import PosteriorSampler
from .reasons import StudyRefused
from .transforms.study.inspect_study import inspect_study


def score_outline(
    bundle: Path,
    configs: Sequence[Path],
    overrides: Mapping[str, Any],
    image: str | Sequence[str],
    outline: Path,
    samples: int,
    draws: int,
) -> dict[str, Any]:
    """Log-likelihood of an outline, and its rank among the model's own draws.

    Args:
        bundle: its folder. configs: inference.yaml and overlays. overrides: of the config.
        image: path or paths of one study.
        outline: a mask on the image's grid: 1 inside, 0 outside.
        samples: latents of the posterior.
        draws: of the model that the outline is ranked among.

    Returns:
        as `caveat score -o` writes it; `flags` are reason codes.

    Raises:
        StudyRefused: NO_POSTERIOR, EMPTY_OUTLINE, LABEL_WITHOUT_CLASS, LABEL_OFF_GRID, and whatever keeps image or outline from
            being read correctly.
    """
    parser = ConfigParser()
    parser.read_config([str(path) for path in configs])
    parser.read_meta(str(bundle / "configs" / "metadata.json"))
    parser.update({"bundle_root": str(bundle), **overrides})
    try:
        network, inferer = (parser.get_parsed_content(name) for name in ("network", "inferer"))
        if not isinstance(network, PosteriorSampler):
            raise StudyRefused("NO_POSTERIOR", type(network).__name__)
        check_outline(outline)
        study = parser.get_parsed_content("preprocessing")({"image": image, "label": str(outline)})
    except RuntimeError as error:  # parsers and transforms wrap what is raised in them
        refusal = refusal_behind(error)
        if refusal.code == "UNEXPECTED_ERROR":
            raise
        raise refusal from error
    label = study["label"].as_tensor()
    if not bool(label.any()):
        raise StudyRefused("EMPTY_OUTLINE", "none of it lies in the region that is measured")
    return {
        "bundle": parser.get_parsed_content("bundle_facts"),
        "sampling": {"sampler": type(network).__name__, "sampler_settings": network.settings, "seed": inferer.seed},
        "image_sha256": study["image"].meta["input_sha256"],
        "outline_sha256": hashlib.sha256(outline.read_bytes()).hexdigest(),
        "grid": list(label.shape[1:]),
        "outline_voxels": int(label.sum()),
        **figures(RaterLikelihood(inferer, samples), study["image"].as_tensor()[None], label[None], network.eval(), draws),
        "flags": [*study["image"].meta.get("flags", []), *(["TOUCHES_BORDER"] if touches_border(label[0]) else [])],
    }


def figures(
    likelihood: RaterLikelihood, image: torch.Tensor, label: torch.Tensor, network: PosteriorSampler, draws: int
) -> dict[str, Any]:
    """Args: image: (1, C, *spatial). label: (1, 1, *spatial). Returns: log likelihood in nats, its samples, and the rank."""
    device = next(network.parameters()).device
    image, label = image.to(device), label.to(device)
    found = likelihood.score(image, label, network)
    rank = likelihood.rank(image, label, network, draws)
    return {
        "log_likelihood": found.nats,
        "unit": "nats",
        "samples": likelihood.samples,
        "effective_samples": found.effective_samples,
        "rank": {"less_likely_draws": rank.below, "draws": rank.draws},
    }


def check_outline(path: Path) -> None:
    """Refuse what would be scored as another outline than was drawn.

    Raises:
        StudyRefused: LABEL_WITHOUT_CLASS for values other than 0 and 1; EMPTY_OUTLINE; and of a file that cannot be read.
    """
    voxels = inspect_study(path).image.voxels
    other = int(np.count_nonzero((voxels != 0) & (voxels != 1)))
    if other:
        raise StudyRefused("LABEL_WITHOUT_CLASS", f"{other} voxels of the outline are neither 0 nor 1")
    if not voxels.any():
        raise StudyRefused("EMPTY_OUTLINE", f"{voxels.size} voxels, all of them 0")
