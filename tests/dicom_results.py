"""A finished study of a DICOM series, as the inferer and the way back leave it, and what stands in the objects made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dicom_grid import THRESHOLD
from pydicom import Dataset

from caveat.transforms.study.load_study import LoadStudyd
from caveat.transforms.writers.example_study import example_study

CODES = {
    "classes": {
        "1": {
            "category": ["91723000", "SCT", "Anatomical Structure"],
            "type": ["5366008", "SCT", "Hippocampus"],
            "modifier": ["255549009", "SCT", "Anterior"],
        },
        "2": {
            "category": ["91723000", "SCT", "Anatomical Structure"],
            "type": ["5366008", "SCT", "Hippocampus"],
            "region": ["12738006", "SCT", "Brain"],
        },
    },
    "measurements": {name: ["118565006", "SCT", "Volume"] for name in ("both", "first", "second")},
}
PROMISE = {
    "kind": "interval",
    "promise": "marginal",
    "level": 0.9,
    "record": "4ec0" * 16,
    "date": None,
    "truth": "as one rater draws it",
    "n": 36,
    "networks": None,
    "proven": 0.9,
    "unit": "subject",
    "score": "Size",
    "sides": "two-sided",
}


def measured(paths: Sequence[Path], kinds: Sequence[str] = ("dicom",)) -> dict[str, Any]:
    """The phantom's ellipsoid in two parts, cut along the first axis, with their volumes: of both with an interval, of the first
    without, of the second none was found."""
    loaded = LoadStudyd(keys="image", kinds=kinds, allow_gaps=True, allow_tilt=True)({"image": [str(path) for path in paths]})
    image = loaded["image"]
    inside = image[0].numpy() > THRESHOLD
    labels = np.where(np.arange(inside.shape[0])[:, None, None] < inside.shape[0] // 2, 1, 2) * inside
    millilitres = [float((labels == label).sum() * abs(np.linalg.det(image.affine[:3, :3].numpy())) / 1000) for label in (1, 2)]
    promised = PROMISE | {"lower": sum(millilitres) - 0.5, "upper": sum(millilitres) + 0.75}
    answers = [
        answer("both", [1, 2], sum(millilitres), promised),
        answer("first", [1], millilitres[0], None),
        answer("second", [2], None, None),
    ]
    study = example_study("nifti")
    result = study["result"] | {"answers": answers, "classes": ["background", "first", "second"]}
    result["lesions"] = [
        {"unit": "mL", "value": 1.25, "existence": 0.75, "draws": answers[1]["draws"], "centre": [1.0, 2.0, 3.0]}
    ]
    result["bundle"] = {"name": "phantom", "version": "1.0.0", "weights_sha256": "ab" * 32}
    result["input"] = {"spacing_mm": image.meta["spacing_mm"]}
    mask = torch.as_tensor(labels[None].astype(np.uint8))
    found = {"input": image, "segmentation": mask, "result": result}
    return {"name": "x", "number": 1, **found, **{key: loaded[key] for key in ("dicom_files", "dicom_sha256")}}


def answer(name: str, classes: list[int], value: float | None, region: dict[str, Any] | None) -> dict[str, Any]:
    """A measurement."""
    said = "nothing found; this is not a measurement of zero" if value is None else f"{value:.3f} mL"
    about = {"kind": "measurement", "name": name, "title": name, "unit": "mL", "classes": classes, "statement": f"{name}: {said}"}
    draws = {"n": 3, "mean": value, "sd": None if value is None else 0.125, "values": [value] * 3}
    return about | {
        "value": value,
        "value_on_input_grid": value,
        "draws": draws,
        "region": region,
        "simultaneous_region": None,
    }


def content(item: Dataset) -> Iterator[Dataset]:
    """Every content item of a report, whatever the depth."""
    for inner in item.get("ContentSequence", ()):
        yield inner
        yield from content(inner)


def name_of(item: Dataset) -> str:
    """What an item's concept is called."""
    return item.ConceptNameCodeSequence[0].CodeMeaning


def texts(report: Dataset) -> str:
    """All sentences and coded values of a report."""
    words = [item.TextValue for item in content(report) if item.ValueType == "TEXT"]
    coded = [item.ConceptCodeSequence[0] for item in content(report) if item.ValueType == "CODE"]
    return json.dumps([*words, *(str(code.get("CodeValue") or code.get("LongCodeValue")) for code in coded)])


def numbers(report: Dataset, name: str) -> list[tuple[float | None, str]]:
    """Value and unit of the numbers of a name, in their order."""
    measured = (item.MeasuredValueSequence for item in content(report) if item.ValueType == "NUM" and name_of(item) == name)
    first = (values[0] if values else None for values in measured)
    return [
        (None, "") if one is None else (float(one.NumericValue), one.MeasurementUnitsCodeSequence[0].CodeValue) for one in first
    ]
