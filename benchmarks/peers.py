"""What draws cost beside other libraries: torch-uncertainty, MONAI's test-time augmentation, ONNX Runtime.

    python -m venv peers && peers/bin/pip install -e . 'torch-uncertainty[cpu]==0.13.0' onnx onnxruntime onnxscript
    peers/bin/python benchmarks/peers.py [--turns N]

A 3-D UNet of MONAI's on a crop of the hippocampus, the same weights on both sides, in turns in one process, one thread, CPU
seconds, medians of the ratios of turns. Weights are random: what a pass costs does not depend on them. The others' draws become
the same numbers as ours by the statistics of `naive_loop.py`; MONAI's test-time augmentation has its own: mode, mean, deviation.
Rows go into results/peers.json, and a table is printed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from frame import DATA
from monai.data.test_time_augmentation import TestTimeAugmentation as MonaiAugmentation
from monai.networks.nets import UNet
from monai.transforms import Compose, RandFlipd, RandScaleIntensityd, RandShiftIntensityd
from naive_loop import statistics_of
from onnxruntime import InferenceSession, SessionOptions
from torch_uncertainty.methods import deep_ensembles, mc_dropout
from turns import take_turns

from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.reducers.agreement import Agreement
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.information import Information
from caveat.inference.reducers.moments import Moments
from caveat.inference.targets.volume import Volume
from caveat.networks.draws.sampler import Sampler
from caveat.networks.samplers.dropout_network import DropoutNetwork
from caveat.networks.samplers.ensemble import Ensemble
from caveat.networks.samplers.test_time_augmentation import TestTimeAugmentation
from caveat.transforms.study.load_study import LoadStudyd

RESULTS = Path(__file__).parent / "results" / "peers.json"
DRAWS, MEMBERS, CLASSES = 16, 5, ("background", "anterior", "posterior")
HEADINGS = ["work", "peer", "caveat", "ratio: median (range)"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    study = crop()
    rows = [[title, *str(take_turns(peer, ours, turns)).split(" | ")] for title, peer, ours in pairs(study)]
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(markdown_table(HEADINGS, rows))


def crop() -> torch.Tensor:
    """The first crop of the hippocampus set, (1, 1, x, y, z), normalised, padded to the network's stride."""
    image = LoadStudyd("image")({"image": str(min((DATA / "hippocampus" / "images").glob("*.nii.gz")))})["image"].as_tensor()
    image = (image - image.mean()) / image.std()
    padding = [amount for size in reversed(image.shape[1:]) for amount in (0, -size % 8)]
    return torch.nn.functional.pad(image[None].float(), padding)


def unet(seed: int, dropout: float) -> UNet:
    """As MONAI's bundles have them: residual units, instance normalisation."""
    torch.manual_seed(seed)
    return UNet(3, 1, len(CLASSES), (16, 32, 64, 128), (2, 2, 2), num_res_units=2, dropout=dropout).eval()


def pairs(study: torch.Tensor) -> Sequence[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    """Title, the peer, ours."""
    unsure, members = unet(0, 0.2), [unet(seed, 0.0) for seed in range(MEMBERS)]
    at_once, in_turn = (mc_dropout(unet(0, 0.2), DRAWS, on_batch=on_batch).eval() for on_batch in (True, False))
    dropout, ensemble = caveat(DropoutNetwork(unsure), DRAWS, study), caveat(Ensemble(members), 0, study)
    together = deep_ensembles(members).eval()
    sessions = [session(member, study) for member in members]
    turned = TestTimeAugmentation(members[0], 3, intensity=0.1)
    return (
        ("dropout 16: torch-uncertainty, all draws in one batch", lambda: stacked(at_once(study)), dropout),
        ("dropout 16: torch-uncertainty, in a loop", lambda: stacked(in_turn(study)), dropout),
        ("ensemble 5: torch-uncertainty", lambda: stacked(together(study)), ensemble),
        ("ensemble 5: ONNX Runtime", lambda: stacked(torch.cat([answer(study) for answer in sessions])), ensemble),
        ("test-time augmentation 16: MONAI", augmented(members[0], study), caveat(turned, DRAWS, study)),
    )


def caveat(sampler: Sampler, draws: int, study: torch.Tensor) -> Callable[[], Any]:
    """The study in one window, reduced as a bundle of volumes does."""
    target = Volume("volume", "Both parts", (1, 2))
    reducers = [Moments(), Information(), Extent([target]), Agreement()]
    inferer = SamplingInferer((-1, -1, -1), list(CLASSES), reducers, draws=draws)
    sampler.eval()
    return lambda: inferer(study, sampler)


def stacked(logits: torch.Tensor) -> Any:
    """The peers' draws, (draws, classes, *spatial), to the same numbers."""
    return statistics_of(logits.softmax(dim=1))


def session(member: UNet, study: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """A member in ONNX Runtime."""
    file = io.BytesIO()
    torch.onnx.export(member, (study,), file, dynamo=False, input_names=["image"], output_names=["logits"])
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    engine = InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    return lambda windows: torch.as_tensor(engine.run(None, {"image": windows.numpy()})[0])


def augmented(network: UNet, study: torch.Tensor) -> Callable[[], Any]:
    """As its documentation has it; mirrored and changed as ours are."""
    changes = Compose(
        [
            *(RandFlipd("image", prob=0.5, spatial_axis=axis) for axis in range(3)),
            RandScaleIntensityd("image", prob=1.0, factors=0.1),
            RandShiftIntensityd("image", prob=1.0, offsets=0.1),
        ]
    )
    augment = MonaiAugmentation(
        changes, 1, 0, lambda windows: network(windows).softmax(dim=1), orig_key="image", nearest_interp=False, progress=False
    )
    return lambda: augment({"image": study[0]}, num_examples=DRAWS)


if __name__ == "__main__":
    main()
