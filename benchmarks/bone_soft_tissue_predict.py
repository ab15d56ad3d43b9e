"""Weights, predictions and the threshold record behind the tables of the bone bundle.

    CAVEAT_DATA=prepared python benchmarks/bone_soft_tissue_predict.py STEP [--bundle FOLDER]

pack         after training: the five folds' checkpoints into models/, prints the sha256 for the config; the images that they
             have seen into calibration/seen.json
pilot        accuracy of the pilot's networks (train_wide.yaml) and of those that they began with, on the bodies that stopped both
temperature  the temperature of the link, of each fold's network on the bodies that stopped its training, all together; and what
             one a class would add on other folds than those it is fitted on
folds        each fold's network on the bodies of its fold
ensemble     the five networks together on the bodies that no network sees
kind         limits beyond which an image is flagged, from the ensemble on one image of each body that its networks have seen
others       how many real films are flagged, how many simulated ones of bodies that no network has seen, and their scores
record       the threshold record, from the step folds, valid for the step ensemble
compared     other networks of fewer steps (configs/train_NAME.yaml, checkpoints NAME_foldK), out of fold, where they are trained

Writes below out/, which git ignores; what is there is not predicted again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import frame
import numpy as np
import tifffile
import torch
import yaml
from frame import DATA, FOLDS, MAPS, PREPARED, RESULT, ROOT, SEGMENTATION
from PIL import Image

from caveat.bundle_folders import find_bundle
from caveat.inference.calibration.calibrate_threshold import THRESHOLDS, OutOfFold, fold_losses, units_of
from caveat.inference.calibration.record_file import write_record
from caveat.inference.calibration.temperature import LabelledLogits, fit_temperature
from caveat.inference.calibration.threshold_record import ThresholdRecord, identity_of_threshold
from caveat.inference.gate.image_scores import image_scores
from caveat.inference.gate.kind_limits import KindLimits, build_kind_limits, read_kind_settings
from caveat.inference.stored.list_part import read_entries, results_by_sha256
from caveat.transforms.study.discover import studies_from_list

OUT = ROOT / "out" / "bone_soft_tissue"
CHECKPOINTS = frame.CHECKPOINTS / "bone_soft_tissue"
SOFT_TISSUE, COUNTED = 2, (1, 3)
"""Class of the threshold, and those whose pixels its loss counts: open beam and bone."""
BOUND = 0.25
PILOT = (1, 2)
"""Folds of the pilot."""
THIN = 7
VIEWS_A_BODY = 8
FILMS = slice(20, 30)
"""By name; the first twenty of each set had been looked at when the check of the noise was added."""
COMPARED = {
    "unet": "U-Net (default), 300 steps",
    "xnet": "XNet16 k3, 300 steps",
    "segnet": "SegNet, 300 steps",
    "dice": "U-Net, Dice in place of cross-entropy, 300 steps",
}
WRITERS = (SEGMENTATION, MAPS, RESULT)


def main() -> None:
    """Run one step."""
    steps = {"pack": pack_networks, "pilot": judge_pilot, "temperature": fit, "folds": predict_folds}
    steps |= {"ensemble": predict_ensemble, "record": write, "kind": limit_kind, "others": judge_others}
    steps |= {"compared": predict_compared}
    options = frame.step_parser(__doc__, steps, "bundles/bone_soft_tissue").parse_args()
    steps[options.step](find_bundle(options.bundle))


def list_of(fold: int) -> Path:
    """The data list of a fold."""
    return PREPARED / f"bone_radiographs_fold{fold}.json"


def pack_networks(bundle: Path) -> None:
    """One file of weights, and what they have seen."""
    frame.pack_weights(bundle, (CHECKPOINTS / f"fold{fold}" for fold in FOLDS))
    frame.pack_weights(bundle, [CHECKPOINTS / "xnet_fold1"], "xnet.pt")
    frame.write_seen(bundle, frame.seen_by_fold(map(list_of, FOLDS)))


def judge_pilot(bundle: Path) -> None:
    """Accuracy in the true field, body by body, and its mean, without the further views and with them."""
    found: dict[str, list[float]] = {"shipped": [], "wide": []}
    for fold in PILOT:
        wide = frame.weights_of(CHECKPOINTS / f"wide_fold{fold}", OUT) | {"fold": 1}  # the only one of its file
        for name, weights in (("shipped", {}), ("wide", wide)):
            bodies = accuracies(logits_of(bundle, fold, **weights))
            print(name, fold, {body: round(accuracy, 4) for body, accuracy in bodies.items()}, flush=True)
            found[name] += bodies.values()
    print({name: round(float(np.mean(all_bodies)), 4) for name, all_bodies in found.items()})


def accuracies(studies: Mapping[str, Sequence[LabelledLogits]]) -> dict[str, float]:
    """Share of the pixels in the true fields of a body that a network calls right. Args: studies: by body."""
    found = {}
    for body, images in studies.items():
        labels = torch.cat([image.labels for image in images])
        said = torch.cat([image.logits[0].argmax(dim=0) for image in images])
        found[body] = float((said == labels)[labels > 0].float().mean())
    return found


def logits_of(bundle: Path, fold: int, **weights: Any) -> dict[str, list[LabelledLogits]]:
    """What a network says of the bodies that stop a fold's training. Args: weights: in place of the fold's shipped network.
    Returns: images by body, one draw each."""
    config = frame.parsed_bundle(bundle, "single", {"fold": fold, "device": "$torch.device('cpu')"} | weights)
    network, preprocessing = (config.get_parsed_content(name) for name in ("network", "preprocessing"))
    found: dict[str, list[LabelledLogits]] = {}
    for entry in read_entries(list_of(fold), "early_stopping"):
        study = preprocessing({"image": str(PREPARED / entry["image"]), "label": str(PREPARED / entry["label"][0])})
        with torch.no_grad():
            logits = network(study["image"][None].as_tensor())  # (1, classes, rows, columns): one draw
        labels = study["label"][0].as_tensor().flatten().long()
        found.setdefault(entry["unit"], []).append(LabelledLogits(logits.flatten(2), labels))
    return found


def fit(bundle: Path) -> None:
    """Print the temperature that minimises the negative log likelihood of single networks on their stopping bodies, and what one
    a class adds: each fitted on some folds and judged on the others, by every seventh pixel."""
    folds = [[*chain(*logits_of(bundle, fold).values())] for fold in FOLDS]
    print(fit_temperature([*chain(*folds)]), flush=True)
    thin = [[LabelledLogits(one.logits[..., ::THIN], one.labels[::THIN]) for one in fold] for fold in folds]
    for fitted, judged in (([0, 2, 4], [1, 3]), ([1, 3], [0, 2, 4])):
        known, other = ([*chain(*(thin[index] for index in half))] for half in (fitted, judged))
        temperature, by_class = fit_temperature(known).temperature, fit_by_class(known)
        print(
            f"nats a pixel of other folds: one {nll(other, temperature):.4f}, one a class {nll(other, by_class):.4f}: {by_class}"
        )


def fit_by_class(studies: Sequence[LabelledLogits]) -> torch.Tensor:
    """Temperatures of the classes' logits that minimise the negative log likelihood of single draws, (classes,)."""
    logarithm = torch.zeros(studies[0].logits.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([logarithm], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nll(studies, logarithm.exp())
        loss.backward()
        return loss

    optimizer.step(closure)
    return logarithm.detach().exp()


def nll(studies: Sequence[LabelledLogits], temperature: float | torch.Tensor) -> torch.Tensor:
    """Negative log likelihood of the labels, nats a pixel. Args: temperature: one, or one a class."""
    logits, labels = torch.cat([study.logits[0] for study in studies], dim=1).T, torch.cat([study.labels for study in studies])
    return torch.nn.functional.cross_entropy(logits / temperature, labels)


def predict_folds(bundle: Path) -> None:
    """Single networks, out of fold."""
    for fold in FOLDS:
        studies = studies_from_list(list_of(fold), "test")
        frame.predict(bundle, OUT / f"fold{fold}_test", studies, "single", WRITERS, fold=fold, risk=None)


def predict_ensemble(bundle: Path) -> None:
    """The bundle's own sampler on the bodies that no network has seen."""
    frame.predict(bundle, OUT / "ensemble_kept_out", studies_from_list(list_of(1), "kept_out"), None, WRITERS, risk=None)


def limit_kind(bundle: Path) -> None:
    """The limits of kind.yaml, from one image a body: what a fold tests the networks of the others have seen."""
    images = [PREPARED / entry["image"] for fold in FOLDS for entry in read_entries(list_of(fold), "test")[::VIEWS_A_BODY]]
    limits = build_kind_limits(scored(bundle, images), read_kind_settings(bundle / "configs" / "kind.yaml"))
    limits.write(bundle / "calibration" / limits.file_name)
    print(limits.file_name, [f"{limit.name} {limit.direction} {limit.threshold:.4g}" for limit in limits.limits])


def scored(bundle: Path, images: Sequence[Path]) -> list[dict[str, Any]]:
    """Study scores of images, by the ensemble. Returns: what limits are made of and held against, an entry an image."""
    config = frame.parsed_bundle(bundle, None, {"device": "$torch.device('cpu')"})
    network, preprocessing, inferer, facts = map(
        config.get_parsed_content, ("network", "preprocessing", "inferer", "bundle_facts")
    )
    results = []
    for image in images:
        study = preprocessing({"image": str(image)})["image"]
        scores = json.loads(inferer(study[None], network)["result"])["study_scores"] | image_scores(study[0].numpy())
        results.append({"status": "OK", "study_scores": scores, "bundle": facts})
    return results


def judge_others(bundle: Path) -> None:
    """Images of another kind, and of the same kind: flags, and least, median and most of the scores that the limits look at."""
    (place,) = (bundle / "calibration").glob(KindLimits.pattern)
    limits = KindLimits.read(place)
    real = {name: sorted((DATA / name / "images").iterdir())[FILMS] for name in ("cephalograms", "chest_xray")}
    simulated = {"kept out": [PREPARED / entry["image"] for entry in read_entries(list_of(1), "kept_out")]}
    for name, images in (real | simulated).items():
        scores = [result["study_scores"] for result in scored(bundle, images)]
        flagged = sum(bool(limits.broken_by(one)) for one in scores)
        spread = {limit.name: np.quantile([one[limit.name] for one in scores], [0, 0.5, 1]).round(4) for limit in limits.limits}
        print(f"{name}: {flagged} of {len(scores)} flagged; {spread}", flush=True)


def predict_compared(bundle: Path) -> None:
    """Networks of the comparison on the bodies of their fold, and what an image costs."""
    compared = []
    for name, title in COMPARED.items():
        folds = [fold for fold in FOLDS if (CHECKPOINTS / f"{name}_fold{fold}" / "best.pt").is_file()]
        overlay = yaml.safe_load((bundle / "configs" / f"train_{name}.yaml").read_text(encoding="utf-8"))
        more = {"backbone": overlay["backbone"]} if "backbone" in overlay else {}
        for fold in folds:
            more |= frame.weights_of(CHECKPOINTS / f"{name}_fold{fold}", OUT) | {"fold": 1, "risk": None}
            studies = studies_from_list(list_of(fold), "test")
            frame.predict(bundle, OUT / f"{name}_fold{fold}_test", studies, "single", WRITERS, **more)
        if folds:
            parameters, seconds = cost_of(frame.parsed_bundle(bundle, None, more).get_parsed_content("backbone"))
            about = {"name": title, "predictions": f"{name}_fold{{}}_test", "folds": folds}
            compared.append(about | {"parameters": parameters, "seconds": seconds})
    if compared:  # the default's entry again, of the networks that ship
        compared.append(compared[0] | {"name": "U-Net as it ships, 3 000 steps", "predictions": "fold{}_test"})
    (OUT / "compared.json").write_text(json.dumps(compared, indent=1) + "\n", encoding="utf-8")


def cost_of(network: torch.nn.Module) -> tuple[int, float]:
    """Parameters, and CPU seconds of an image of 200 x 200 on one thread, the best of five."""
    torch.set_num_threads(1)
    image, seconds = torch.zeros(1, 3, 200, 200), []
    with torch.no_grad():
        for _ in range(5):
            start = time.process_time()
            network.eval()(image)
            seconds.append(time.process_time() - start)
    return sum(parameter.numel() for parameter in network.parameters()), min(seconds)


def write(bundle: Path) -> None:
    """The threshold record of soft tissue."""
    folds = {fold: out_of_fold(fold) for fold in FOLDS}
    result = json.loads(next((OUT / "ensemble_kept_out").glob("*/result.json")).read_text(encoding="utf-8"))
    record = ThresholdRecord(
        class_index=SOFT_TISSUE,
        class_name="soft tissue",
        loss="open beam or bone called soft tissue, of all open beam and bone,",
        bound=BOUND,
        unit="body",
        units=units_of(folds),
        thresholds=THRESHOLDS,
        losses=tuple(fold_losses(images, SOFT_TISSUE, COUNTED, BOUND) for images in folds.values()),
        identity=identity_of_threshold(result, result["bundle"], SOFT_TISSUE),
        provenance={
            "bodies": {fold: sorted({image.unit for image in images}) for fold, images in folds.items()},
            "split_sha256": hashlib.sha256((ROOT / "data_lists" / "bone_bodies.json").read_bytes()).hexdigest(),
            "made_of": "radiographs simulated from CTs",
            "truth": result["bundle"]["truth"],
        },
    )
    write_record(record, bundle / "calibration" / record.file_name)
    for risk in (0.05, 0.1):
        print(f"{100 * risk:g} %: soft tissue above {record.threshold(risk)}")


def out_of_fold(fold: int) -> list[OutOfFold]:
    """What the network of a fold says of the fold's own bodies."""
    entries = {entry["sha256"]: entry for entry in read_entries(list_of(fold), "test")}
    found = results_by_sha256(OUT / f"fold{fold}_test", set(entries))
    return [
        OutOfFold(
            entry["unit"],
            tifffile.imread(found[sha256][0] / "probability.tif")[SOFT_TISSUE],
            np.asarray(Image.open(PREPARED / entry["label"][0])),
        )
        for sha256, entry in entries.items()
    ]


if __name__ == "__main__":
    main()
