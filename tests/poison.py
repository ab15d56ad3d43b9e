"""A bundle that some studies kill: what they do to the process that measures them is told by their file's name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from lesion_bundle import small_bundle
from phantoms import write_lung_crop

POINT = ("--point", "-12,-12,5")


class Poisond:
    """A transform before all others. Calls for help with the name of the file, as a library would."""

    def __call__(self, data: Mapping[Hashable, Any]) -> Mapping[Hashable, Any]:
        name = Path(data["image"]).name
        if "crash" in name:
            os.write(2, f"segmentation fault in {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
        if "once" in name and not (mark := Path(data["image"]).with_suffix(".died")).exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if "hang" in name:
            time.sleep(3600)
        if "greedy" in name:
            held = [np.ones(2**27) for _ in range(64)]  # 64 GiB, one after the other
            raise RuntimeError(f"{name} held {len(held)}")
        if "slow" in name:
            time.sleep(3)
        if "raises" in name:
            raise RuntimeError(f"{name} is wrong")
        return data


def poisoned_bundle(folder: Path) -> Path:
    """The small bundle of lung lesions with `Poisond` in front. Returns: its folder."""
    bundle = small_bundle(folder)
    config = bundle / "configs" / "inference.yaml"
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    settings["preprocessing"]["transforms"].insert(0, {"_target_": "poison.Poisond"})
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return bundle


def write_crops(folder: Path, *names: str) -> Path:
    """A crop of each name; one of "broken" is cut. Returns: the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        crop = write_lung_crop(folder / f"{name}.nii.gz", seed=seed)
        (folder / f"{name}_label.nii.gz").unlink()
        if "broken" in name:
            crop.write_bytes(crop.read_bytes()[:1000])
    return folder


def state(out: Path) -> dict[str, bytes]:
    """Every output but the journal, by its path."""
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "journal.jsonl")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}
