"""Training goes on where it was stopped, and remembers the best value so far."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from phantoms import fundus
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = ROOT / "bundles" / "retinal_vessels" / "configs"


def photographs(folder: Path) -> Path:
    """A data list of four made-up photographs with their vessels."""
    entries = []
    for seed in range(4):
        pixels, vessels, _ = fundus(450, 470, seed)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
        Image.fromarray(vessels.astype(np.uint8) * 255).save(folder / f"{seed}_vessels.png")
        entries.append({"image": f"{seed}.png", "label": [f"{seed}_vessels.png"], "unit": str(seed)})
    data_list = folder / "list.json"
    data_list.write_text(json.dumps({"training": entries[:3], "early_stopping": entries[3:]}))
    return data_list


def train(data_list: Path, checkpoints: Path, **overrides: int) -> str:
    """Run train.yaml with a tiny budget. Returns: what it printed."""
    options = {"epochs": 4, "iterations": 2, "batch": 2, "window": [64, 64], "diameter": 240, **overrides}
    command = [
        *(sys.executable, "-m", "monai.bundle", "run", "--config_file", f"['{CONFIGS}/inference.yaml','{CONFIGS}/train.yaml']"),
        *("--meta_file", str(CONFIGS / "metadata.json"), "--logging_file", str(CONFIGS / "logging.conf")),
        *("--dataset_dir", str(data_list.parent), "--list_file", str(data_list), "--ckpt_dir", str(checkpoints)),
    ]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    return answer.stdout + answer.stderr


@pytest.mark.slow
def test_training_resumes(tmp_path):
    data_list, checkpoints = photographs(tmp_path), tmp_path / "checkpoints"
    first = train(data_list, checkpoints, **{"train::trainer::max_epochs": 2})
    assert "Epoch[2] Complete" in first
    assert json.loads((checkpoints / "budget.json").read_text())["epochs"] == 4
    best = re.search(r"best value: ([\d.]+) at epoch: 2", first)[1]
    second = train(data_list, checkpoints)
    assert "Restored all variables" in second
    assert (
        "Epoch[3] Complete" in second
        and "Epoch[4] Complete" in second
        and "Epoch[1] Complete. Time" not in second.split("Trainer")[-1]
    )
    assert (checkpoints / "best.pt").is_file() and float(best) >= 0
