"""How a result was made, as rows a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .gate_rows import score_title

SOURCES = {
    "model": "the model: what it has not learned",
    "rater": "the reading: how people would differ",
    "image": "the image: seen in several ways",
}
KINDS = {
    "picture": "picture",
    "nifti": "NIfTI volume",
    "dicom": "DICOM series",
    "radiograph": "DICOM radiograph",
    "metaimage": "MetaImage volume",
    "nrrd": "NRRD volume",
}


def provenance(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows of a table.

    Args:
        result: what result.json holds; of a refused study much is empty.

    Returns:
        Name and text of each fact that is known.
    """
    bundle, sampling, given = (result[key] for key in ("bundle", "sampling", "input"))
    rows = [
        ("Bundle", f"{bundle.get('name', '')} {bundle.get('version', '')}".strip()),
        ("Labels it learned from", bundle.get("truth")),
        ("Weights, sha256", bundle.get("weights_sha256")),
        ("Sampler", sampling.get("sampler")),
        ("What varies between draws", SOURCES.get(sampling.get("source", ""), sampling.get("source"))),
        ("Draws", sampling.get("draws")),
        ("Seed", sampling.get("seed")),
        ("Windows", _windows(sampling)),
        ("Temperature of the link", sampling.get("temperature")),
        ("Precision and device", ", ".join(str(sampling[key]) for key in ("precision", "device") if sampling.get(key))),
        *(_score(name, value) for name, value in result["study_scores"].items() if value is not None),
        ("Image", _image(given)),
        ("Side of the body", given.get("body_side") and f"{given['body_side']} (DICOM header)"),
        ("Region measured", _region(given)),
        ("Spacing", _spacing(given)),
        ("Image, sha256", given.get("sha256")),
        ("Calibration records, checksum", ", ".join(_records(result))),
        ("Other settings", _settings(result["run"].get("settings", {}), sampling)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in result["run"].get("versions", {}).items())),
    ]
    return [(name, str(value)) for name, value in rows if value is not None and value != ""]


def _records(result: Mapping[str, Any]) -> list[str]:
    """Checksums of the records behind intervals and regions, each once."""
    promises = [answer.get("region") for answer in result["answers"]]
    return list(dict.fromkeys(promise["record"] for promise in promises if promise and promise.get("record")))


def _settings(settings: Mapping[str, Any], sampling: Mapping[str, Any]) -> str:
    """What was set beside the sampling; what is off or not stated says nothing."""
    said = {name: value for name, value in settings.items() if name not in sampling and value not in (None, False)}
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in said.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"(sha256 {value.get('sha256', '')})"
    return times(value) if isinstance(value, list) else str(value)


def _windows(sampling: Mapping[str, Any]) -> str:
    if not sampling.get("roi_size"):
        return ""
    if max(sampling["roi_size"]) <= 0:
        return "the whole image"
    window = " × ".join(f"{size:g}" if size > 0 else "all" for size in sampling["roi_size"])
    return f"{window}, overlap {sampling.get('overlap')}, {sampling.get('blending')} blending"


def _score(name: str, value: float) -> tuple[str, str]:
    title, meaning = score_title(name)
    return title, f"{value:.3f} ({meaning})" if meaning else f"{value:.3f}"


def _image(given: Mapping[str, Any]) -> str:
    kind = KINDS.get(given.get("kind", ""), given.get("kind", ""))
    return f"{kind}, {times(given['shape'])}" if given.get("shape") else ""


def _region(given: Mapping[str, Any]) -> str:
    """The box that was measured, such as "x 4 to 44, y -10 to 44, z 0 to 40 mm (around the point stated)"."""
    crop = given.get("crop")
    if not crop:
        return ""
    faces = [f"{number:g}" for number in crop["box_mm"]]
    spans = ", ".join(f"{axis} {faces[2 * i]} to {faces[2 * i + 1]}" for i, axis in enumerate("xyz"))
    return f"{spans} mm ({'around the point stated' if crop['source'] == 'point' else 'the box stated'})"


def _spacing(given: Mapping[str, Any]) -> str:
    if not given:
        return ""
    if not given.get("spacing_mm") or not given.get("spacing_source"):
        return "unknown: sizes are in pixels or voxels"
    return f"{times(given['spacing_mm'])} mm ({given['spacing_source']})"


def times(numbers: list[float]) -> str:
    """Sizes along axes. Returns: such as "384 × 384"."""
    return " × ".join(f"{n:g}" for n in numbers)
