"""What tests of wrapping share: tiny networks with random weights, and the command in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from monai.networks.nets import UNet
from phantoms import ellipsoid

from caveat.bundle_folders import CONFIG_HOME
from caveat.cli import main

ARGUMENTS: dict[str, Any] = {
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 3,
    "channels": [4, 8],
    "strides": [2],
    "num_res_units": 1,
    "norm": "batch",
}
STATED = ("--classes", "background,front,back", "--roi", "12,12,12", "--multiple", "2", "--intensities", "zscore")


def write_image(path: Path, factor: int = 1) -> Path:
    """A small volume with its axes along the world's: 16 x 14 x 12 voxels of 1 x 1 x 2 mm. Args: factor: of its intensities."""
    nibabel.save(nibabel.Nifti1Image(factor * ellipsoid((16, 14, 12)), np.diag([1.0, 1.0, 2.0, 1.0])), path)
    return path


def unet(seed: int = 0, **changed: Any) -> UNet:
    """A tiny network with random weights, in evaluation mode."""
    torch.manual_seed(seed)
    return UNet(**{**ARGUMENTS, **changed}).eval()


def network_options(*weights: Path, **changed: Any) -> list[str]:
    """How the command is told of such networks."""
    arguments = json.dumps({**ARGUMENTS, **changed})
    return ["--network", "monai.networks.nets:UNet", "--arguments", arguments, "--weights", *map(str, weights)]


def wrap(folder: Path, *options: str) -> Path:
    """`caveat wrap` into a folder. Returns: the folder."""
    assert call(folder, *options) == 0
    return folder


def call(folder: Path, *options: str) -> int:
    """`caveat wrap` in this process, with a list of bundles of its own. Returns: the exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(folder.parent / "config"))
        return main(["wrap", "-o", str(folder), *options])
