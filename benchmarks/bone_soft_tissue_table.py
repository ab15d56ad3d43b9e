"""The tables of the bone bundle, from the predictions that bone_soft_tissue_predict.py stored.

    CAVEAT_DATA=prepared python benchmarks/bone_soft_tissue_table.py [--bundle FOLDER]

Writes docs/evaluation.md of the bundle.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np
from bone_soft_tissue_pixels import Body, Method, bodies_of, methods
from bone_soft_tissue_predict import BOUND, COUNTED, FOLDS, OUT, SOFT_TISSUE
from bone_soft_tissue_stress import stress_text
from scipy import ndimage
from sklearn.metrics import f1_score

from caveat.bundle_folders import find_bundle
from caveat.inference.calibration.calibrate_threshold import OutOfFold, false_share
from caveat.inference.calibration.threshold_record import ThresholdRecord, read_threshold_records
from caveat.inference.evaluation.markdown import markdown_table, shown
from caveat.inference.metrics.auc import auroc
from caveat.inference.metrics.calibration_error import adaptive_calibration_error, expected_calibration_error

RULES = """Made by `CAVEAT_DATA=prepared python benchmarks/bone_soft_tissue_table.py`, simulated from CTs: eight radiographs a
body. Pixels count inside the true field, between three classes; what is called collimator there is wrong. A figure of several
bodies is the mean of theirs, each of all its pixels together; limbs and trunk are never pooled. ECE and ACE: expected calibration
error of the top label, 15 equal-width bins, and adaptive, 15 equal-mass bins. AUC: each class against the others, weighted by its
share."""
SIDE_BY_SIDE = """Out of fold, the limbs of folds 1 and 2: an arm, a knee, a thigh and a hip each. Every network learned from the
same 12 bodies in 300 steps of 8 windows of 128 x 128, with the same optimiser and rate; the better of two validations on the four
stopping bodies counts. The classical method has the thresholds of the highest accuracy on those; it is sure of all it says."""
STRESS = """`caveat stress` on two views of each body that no network saw, by the ensemble: 6 images of 3 limbs, 2 of the abdomen.
What is undecided counts as soft tissue, but for the loss: the share of open beam and bone that is called soft tissue, and not
undecided, above the threshold of 10 %; a flagged image has none. Strengths stand in configs/stress.yaml."""
NAMES = {1: "open beam", 2: "soft tissue", 3: "bone"}
RISKS = (0.1, 0.05)
STRIDE = 3
"""Every third row and column counts for areas under curves: neighbours say the same."""
FIXED = (0.6, 0.8, 0.9, 0.95, 0.99)
"""Thresholds in the range that the original chose for each part of the body."""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", default="bundles/bone_soft_tissue", help="name or folder")
    bundle = find_bundle(parser.parse_args().bundle)
    out_of_fold = [body for fold in FOLDS for body in bodies_of(OUT / f"fold{fold}_test", fold, "test")]
    ensemble = bodies_of(OUT / "ensemble_kept_out", 1, "kept_out")
    records = read_threshold_records(bundle / "calibration")
    sections = [
        "# Figures\n\n" + RULES,
        "## Out of fold: one network, 20 bodies that it did not see\n\n" + body_table(out_of_fold),
        "## The ensemble on the four bodies that no network saw\n\n" + body_table(ensemble),
        "## Methods side by side\n\n" + SIDE_BY_SIDE + "\n\n" + method_table(methods(bundle)),
        "## Thresholds of soft tissue\n\n" + threshold_text(records, out_of_fold, ensemble),
        "## Bone clean-up\n\n" + clean_up_text(out_of_fold),
        "## Under stress\n\n" + STRESS + "\n\n" + stress_text(),
    ]
    (bundle / "docs" / "evaluation.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def figures(body: Body, sparse: bool = False) -> dict[str, float]:
    """Figures of one body, by name. Args: sparse: leave out what takes long."""
    probability, truth = body.in_field()
    said = probability.argmax(axis=0)
    confidence, right = probability.max(axis=0), said == truth
    out = {"accuracy": right.mean(), "weighted F1": f1_score(truth, said, labels=list(NAMES), average="weighted")}
    for index, name in NAMES.items():
        hit, true, called = (said == index) & (truth == index), truth == index, said == index
        out[f"recall {name}"] = hit.sum() / true.sum() if true.any() else np.nan
        out[f"Dice {name}"] = 2 * hit.sum() / (true.sum() + called.sum()) if true.any() else np.nan
    out["confidence - accuracy"] = confidence.mean() - right.mean()
    called = said == SOFT_TISSUE
    out["false of called soft"] = (truth != SOFT_TISSUE)[called].mean() if called.any() else 0.0
    if not sparse:
        out["ECE"] = expected_calibration_error(confidence, right)
        out["ACE"] = adaptive_calibration_error(confidence, right)
        thin, thin_truth = body.in_field(STRIDE)
        weights = [(thin_truth == index).mean() for index in NAMES]
        curves = [auroc(thin[index], thin_truth == index) for index in NAMES]
        out["AUC"] = np.nansum(np.multiply(weights, curves))
        entropy = -np.sum(thin * np.log(np.maximum(thin, 1e-12)), axis=0)
        out["entropy AUROC"] = auroc(entropy, thin.argmax(axis=0) != thin_truth)
    return out


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each figure over bodies that have it."""
    return {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}


def body_table(bodies: Sequence[Body]) -> str:
    """A row a body, then the means of limbs and of trunk."""
    rows = [(body, figures(body)) for body in bodies]
    table = [[f"{body.name} ({body.part})", *map(shown, row.values())] for body, row in rows]
    for name, trunk in (("limbs", False), ("trunk", True)):
        chosen = [row for body, row in rows if body.is_trunk == trunk]
        if chosen:
            table.append([f"**{name}, {len(chosen)} bodies**", *map(shown, means(chosen).values())])
    return markdown_table(["body", *rows[0][1]], table)


def method_table(compared: Sequence[Method]) -> str:
    """A row a method, limbs alone, on the same bodies; where nothing was trained to compare, a line that says so."""
    if not compared:
        return "Not made: no network of the comparison is trained."
    names = (
        "accuracy",
        "weighted F1",
        "AUC",
        *(f"recall {name}" for name in NAMES.values()),
        "confidence - accuracy",
        "entropy AUROC",
    )
    table = []
    for method in compared:
        found = means([figures(body) for body in method.bodies if not body.is_trunk])
        cost = [f"{method.parameters:,}" if method.parameters else "-", shown(method.seconds)]
        table.append([method.name, *cost, *(shown(found[name]) for name in names)])
    return markdown_table(["method", "parameters", "CPU s an image", *names], table)


def threshold_text(records: Sequence[ThresholdRecord], out_of_fold: Sequence[Body], ensemble: Sequence[Body]) -> str:
    """What is realised at each promised level, and at fixed thresholds, on the bodies that no network saw."""
    (record,) = records
    found = [(f"promised {100 * risk:g} %", record.threshold(risk)) for risk in RISKS]
    promised = [(name, threshold) for name, threshold in found if threshold is not None]
    rows = []
    for name, threshold in [("arg-max", 0.0), *promised, *((f"fixed {fixed:g}", fixed) for fixed in FIXED)]:
        for body in ensemble:
            called = (body.probability.argmax(axis=1) == SOFT_TISSUE) & (body.lowest > threshold)
            rows.append([name, shown(threshold), f"{body.name} ({body.part})", *map(shown, realised(body, called))])
    losses = []
    for body in out_of_fold:
        shares = np.mean([false_share(image, SOFT_TISSUE, COUNTED) for image in images_of(body)], axis=0)
        capped = np.minimum(shares, BOUND)
        at = [capped[record.thresholds.index(threshold)] for _, threshold in promised]
        losses.append([f"{body.name} ({body.part})", *map(shown, at)])
    head = [
        "threshold",
        "above",
        "body",
        "loss (share of open beam and bone)",
        "false of called soft",
        "recall of soft",
        "undecided",
    ]
    return (
        markdown_table(head, rows)
        + "\n\nCapped losses of the record, each body by the network that did not see it:\n\n"
        + markdown_table(["body", *(f"{name}: {threshold:g}" for name, threshold in promised)], losses)
    )


def realised(body: Body, called: np.ndarray) -> tuple[float, float, float, float]:
    """Loss, share of false among called pixels, recall, and share of arg-max soft tissue that is undecided; means over images."""
    truth = body.labels
    others, soft = np.isin(truth, COUNTED), truth == SOFT_TISSUE
    argmax = body.probability.argmax(axis=1) == SOFT_TISSUE
    sums = [array.sum(axis=(1, 2)) for array in (called & ~soft, others, called & soft, soft, called, argmax)]
    false, base, true, all_soft, all_called, all_argmax = (values.astype(float) for values in sums)
    return (
        float(np.mean(np.minimum(false / base, 1))),
        float(false.sum() / max(all_called.sum(), 1)),
        float(true.sum() / all_soft.sum()),
        float(1 - all_called.sum() / max(all_argmax.sum(), 1)),
    )


def images_of(body: Body) -> list[OutOfFold]:
    """A body's images as the record takes them."""
    return [OutOfFold(body.name, soft, labels) for soft, labels in zip(body.soft, body.labels, strict=True)]


def clean_up_text(bodies: Sequence[Body]) -> str:
    """Accuracy before and after bone is opened by a square of 10 pixels and dilated, as the original does; limbs out of fold."""
    before, after = [], []
    for body in bodies:
        if body.is_trunk:
            continue
        said = body.probability.argmax(axis=1)
        cleaned = np.stack([clean(labels) for labels in said])
        field = body.labels > 0
        before.append((said == body.labels)[field].mean())
        after.append((cleaned == body.labels)[field].mean())
    return (
        "Bone opened by a square of 10 pixels, then dilated by one, open beam and collimator left as they were; "
        f"{len(before)} limbs out of fold: accuracy {np.mean(before):.4f} before, {np.mean(after):.4f} after. It is not part of "
        "the bundle."
    )


def clean(labels: np.ndarray) -> np.ndarray:
    """See `clean_up_text`. Args: labels: (rows, columns)."""
    bone = ndimage.binary_opening(labels == 3, np.ones((10, 10)))
    grown = ndimage.binary_dilation(bone, iterations=1) & np.isin(labels, (2, 3))
    return np.where(grown, 3, np.where(labels == 3, 2, labels))


if __name__ == "__main__":
    main()
