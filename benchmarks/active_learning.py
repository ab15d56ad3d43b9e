"""Which image to annotate next: does a score of doubt need fewer labels than chance? Measured off line, on hippocampi.

    .venv-label/bin/python benchmarks/active_learning.py run      # of an environment made by `make monai-label`
    .venv-label/bin/python benchmarks/active_learning.py table    # benchmarks/results/active_learning.json

The annotator begins with 4 subjects drawn by chance. After each training of a small network on all labels so far, 4 more of the
70 training subjects are asked for, three times, by one of the strategies; those with a score look at 24 candidates drawn by
chance, the same for all:

random               by chance
MONAI Label          its own epistemic score (`EpistemicScoring.entropy_volume` of five passes): the network in training mode, as
                     its infer tasks have it with `train_mode`, so dropout masks are new in every window and BatchNorm drifts
disagreement         ours: 1 - pooled pairwise Dice of five draws, one mask a draw
mutual information   ours: of the same draws, mean over voxels that may be the structure

Every strategy has the same first network, budget and seed. Dice, mean of both parts, on one scan of each of the 36 subjects of
the part `calibration`, on which nothing here trains or chooses; each training keeps its best epoch on `early_stopping`. The
budget was fixed before the first run.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from frame import DATA, LISTS, ROOT, parsed_bundle, step_parser
from monai.inferers import sliding_window_inference

from caveat.bundle_folders import shipped_bundles
from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.metrics.overlap import dice
from caveat.inference.reducers.agreement import Agreement
from caveat.inference.reducers.information import Information
from caveat.inference.reducers.moments import Moments
from caveat.inference.stored.list_part import read_entries
from caveat.monai_label.doubts import MAY_BE
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.weights.pack_members import read_checkpoint
from caveat.train_bundle import train_bundle

BUNDLE = shipped_bundles()["hippocampus_volume"]
LIST = LISTS / "hippocampus.json"
OUT = ROOT / "out" / "active_learning"
RESULT = ROOT / "benchmarks" / "results" / "active_learning.json"
SEEDS = (0, 1, 2)
FIRST, MORE, ROUNDS, CANDIDATES = 4, 4, 3, 24
BUDGET = {"epochs": 12, "iterations": 50, "batch": 2}
AUGMENTATION = [
    {"_target_": "RandAffined", "keys": ["image", "label"], "prob": 1.0, "spatial_size": "@window", "rotate_range": [0.3] * 3}
    | {"scale_range": [0.15] * 3, "translate_range": [4] * 3, "mode": ["bilinear", "nearest"], "padding_mode": "border"},
    {"_target_": "RandFlipd", "keys": ["image", "label"], "prob": 0.5, "spatial_axis": 0},
    {"_target_": "RandGaussianNoised", "keys": "image", "prob": 0.3, "std": 0.2},
    {"_target_": "SelectItemsd", "keys": ["image", "label"]},
]
"""The cheap half of the bundle's own."""
CHANNELS = [8, 16, 24, 32]
WINDOW = (32, 48, 32)
DRAWS = PASSES = 5
RANDOM, THEIRS, DISAGREEMENT, INFORMATION = "random", "MONAI Label", "disagreement", "mutual information"

Entry = dict[str, Any]
Images = dict[str, tuple[torch.Tensor, np.ndarray]]
"""By unit: the image as the network takes it, (1, 1, *spatial), and its labels on the same grid."""


def main() -> None:
    """Run one step."""
    steps = {"run": run, "table": table}
    steps[step_parser(__doc__, steps).parse_args().step]()


def run() -> None:
    """Every seed and strategy, each round once; what is there already is left as it is."""
    pool, judged = one_scan_each("training"), one_scan_each("calibration")
    images = load(pool), load(judged)
    for seed in SEEDS:
        for name in STRATEGIES:
            learn(seed, name, pool, *images)


def one_scan_each(part: str) -> dict[str, Entry]:
    """By unit: its first scan."""
    found: dict[str, Entry] = {}
    for entry in read_entries(LIST, part):
        found.setdefault(entry["unit"], entry)
    return found


def load(entries: dict[str, Entry]) -> Images:
    """Preprocessed as the bundle does it."""
    config = parsed_bundle(BUNDLE, None, {"device": torch.device("cpu")})
    preprocess = config.get_parsed_content("preprocessing")
    loaded = {}
    for unit, entry in entries.items():
        study = preprocess({"image": str(DATA / entry["image"]), "label": str(DATA / entry["label"][0])})
        loaded[unit] = study["image"].as_tensor()[None], study["label"][0].numpy().astype(np.uint8)
    return loaded


def learn(seed: int, name: str, pool: dict[str, Entry], of_pool: Images, judged: Images) -> None:
    """One strategy from its first labels to its last."""
    chance = random.Random(seed)
    labelled = chance.sample(sorted(pool), FIRST)
    for round_ in range(ROUNDS + 1):
        # The first labels and network are the same for all.
        folder = OUT / f"seed{seed}" / ("first" if round_ == 0 else f"{name.replace(' ', '_')}{round_}")
        network = trained(folder, [pool[unit] for unit in labelled], seed)
        if not (folder / "dice.json").is_file():
            found = {unit: mean_dice(network, *image) for unit, image in judged.items()}
            text = json.dumps({"labelled": labelled, "dice": found}, indent=1) + "\n"
            (folder / "dice.json").write_text(text, encoding="utf-8")
            print(folder.relative_to(OUT), f"{np.mean(list(found.values())):.4f}", flush=True)
        rest = {unit: image for unit, (image, _) in of_pool.items() if unit not in labelled}
        labelled = [*labelled, *STRATEGIES[name](network, rest, random.Random(f"{seed} {round_}"))]


def trained(folder: Path, labelled: Sequence[Entry], seed: int) -> DropoutSampler:
    """The network of these labels, by the bundle's own training on a small budget."""
    if not (folder / "best.pt").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        parts = {"training": [*labelled], "early_stopping": list(one_scan_each("early_stopping").values())}
        (folder / "list.json").write_text(json.dumps(parts), encoding="utf-8")
        where = {"list_file": folder / "list.json", "dataset_dir": DATA, "ckpt_dir": folder, "device": torch.device("cpu")}
        small = {"backbone#channels": CHANNELS, "train#augmentation#transforms": AUGMENTATION}
        train_bundle(BUNDLE, [], {**where, **BUDGET, **small, "seed": seed})
    backbone = parsed_bundle(BUNDLE, None, {"backbone#channels": CHANNELS}).get_parsed_content("backbone")
    backbone.load_state_dict(read_checkpoint(folder / "best.pt"))
    return DropoutSampler(backbone).eval()


@torch.no_grad()
def mean_dice(network: DropoutSampler, image: torch.Tensor, truth: np.ndarray) -> float:
    """Of the two parts, by the deterministic pass."""
    labels, everywhere = network(image)[0].argmax(0).numpy(), np.ones(truth.shape, bool)
    return float(np.mean([dice(labels == part, truth == part, everywhere) for part in (1, 2)]))


def by_chance(network: DropoutSampler, images: dict[str, torch.Tensor], chance: random.Random) -> list[str]:
    """Units to annotate next."""
    return chance.sample(sorted(images), MORE)


def highest(score: Callable[[DropoutSampler, torch.Tensor], float]) -> Callable[..., list[str]]:
    """A strategy that asks for the images of the highest score."""

    def strategy(network: DropoutSampler, images: dict[str, torch.Tensor], chance: random.Random) -> list[str]:
        candidates = chance.sample(sorted(images), CANDIDATES)
        scores = {unit: score(network, images[unit]) for unit in candidates}
        return sorted(scores, key=lambda unit: -scores[unit])[:MORE]

    return strategy


@torch.no_grad()
def epistemic_entropy(network: DropoutSampler, image: torch.Tensor) -> float:
    """MONAI Label's score, by its own function."""
    from monailabel.tasks.scoring.epistemic_v2 import EpistemicScoring

    scoring = EpistemicScoring.__new__(EpistemicScoring)
    scoring.dimension = image.ndim - 2
    network.train()
    passes = [sliding_window_inference(image, WINDOW, 1, network, overlap=0.25)[0].softmax(dim=0) for _ in range(PASSES)]
    network.eval()
    return float(np.nanmean(scoring.entropy_volume(torch.stack(passes))))


def disagreement(network: DropoutSampler, image: torch.Tensor) -> float:
    """1 - pooled pairwise Dice."""
    return 1.0 - float(json.loads(drawn(network, image)["result"])["study_scores"]["pooled_pairwise_dice"])


def mutual_information(network: DropoutSampler, image: torch.Tensor) -> float:
    """Nats a voxel that may be the structure."""
    found = drawn(network, image)
    inside = found["pred"][0, 0] <= 1 - MAY_BE
    return float(found["mutual_information"][0, 0][inside].mean()) if inside.any() else 0.0


def drawn(network: DropoutSampler, image: torch.Tensor) -> dict[str, Any]:
    """Five draws of the study."""
    classes = ("background", "anterior", "posterior")
    return SamplingInferer(WINDOW, classes, [Moments(), Information(), Agreement()], draws=DRAWS)(image, network)


STRATEGIES = {
    RANDOM: by_chance,
    THEIRS: highest(epistemic_entropy),
    DISAGREEMENT: highest(disagreement),
    INFORMATION: highest(mutual_information),
}


def table() -> None:
    """Mean Dice by number of labelled subjects, and each strategy less chance, seed by seed."""
    rows, found = [], {}
    for name in STRATEGIES:
        curves = np.array([curve(seed, name) for seed in SEEDS])  # (seeds, rounds, judged subjects)
        found[name] = curves.mean(axis=2).round(4).tolist()
        less = curves.mean(axis=2) - np.array([curve(seed, RANDOM) for seed in SEEDS]).mean(axis=2)
        later = less[:, 1:].mean(axis=1)
        compared = ["", ""] if name == RANDOM else [f"{later.mean():+.4f} {_interval(later)}", seed_by_seed(later)]
        rows.append([name, *(f"{value:.3f}" for value in curves.mean(axis=(0, 2))), *compared])
    counts = [str(FIRST + MORE * round_) for round_ in range(ROUNDS + 1)]
    print(markdown_table(["strategy", *counts, "less chance, all rounds (95 %)", "seed by seed"], rows))
    RESULT.write_text(json.dumps({"labelled": counts, "seeds": SEEDS, "dice": found}, indent=1) + "\n", encoding="utf-8")


def curve(seed: int, name: str) -> list[list[float]]:
    """Dice of every judged subject, round by round."""
    folders = ["first", *(f"{name.replace(' ', '_')}{round_}" for round_ in range(1, ROUNDS + 1))]
    stored = [json.loads((OUT / f"seed{seed}" / folder / "dice.json").read_text(encoding="utf-8")) for folder in folders]
    return [list(one["dice"].values()) for one in stored]


def _interval(differences: np.ndarray) -> str:
    """Student's, since three seeds are too few for a bootstrap."""
    from scipy.stats import t

    half = t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / np.sqrt(len(differences))
    return f"({differences.mean() - half:+.4f} to {differences.mean() + half:+.4f})"


def seed_by_seed(differences: np.ndarray) -> str:
    """The single values."""
    return ", ".join(f"{value:+.3f}" for value in differences)


if __name__ == "__main__":
    main()
