"""What every object says of the program that made it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sr.codedict import Code

from ..files.arrays import plain
from .identifiers import made_of

ALGORITHM_FAMILY = Code("123110", "DCM", "Artificial Intelligence")
MANUFACTURER = "caveat developers"
"""By which our own objects are known, with the form of their identifiers: others may write these words too."""
SAMPLING = ("sampler", "source", "draws", "seed", "roi_size", "overlap", "blending", "precision", "device")
"""Of the sampling, what stands in an object."""


def about_the_maker(study: Mapping[Hashable, Any]) -> dict[str, Any]:
    """The module General Equipment, as arguments of highdicom's constructors."""
    result = plain(study["result"])
    versions = result.get("run", {}).get("versions", {})
    bundle = result.get("bundle", {})
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": f"caveat {bundle.get('name', '')}".strip()[:64],
        "software_versions": f"caveat {versions.get('caveat', 'unknown')}, bundle {bundle.get('version', 'unknown')}"[:64],
        "device_serial_number": "0",
    }


def parameters_of(result: Mapping[str, Any]) -> dict[str, str]:
    """Weights and sampling, by name."""
    bundle, sampling = result.get("bundle", {}), result.get("sampling", {})
    known = {"weights_sha256": bundle.get("weights_sha256"), **{key: sampling.get(key) for key in SAMPLING}}
    return {key: str(value) for key, value in known.items() if value not in (None, "")} or {"weights_sha256": "unknown"}


def tracking(result: Mapping[str, Any], source: Dataset, name: str) -> dict[str, Any]:
    """Name and identifier of one structure in one series, the same in every object and run of a bundle."""
    bundle = str(result.get("bundle", {}).get("name", "caveat"))
    return {"tracking_id": f"{bundle} {name}"[:64], "tracking_uid": made_of("tracking", source.SeriesInstanceUID, bundle, name)}
