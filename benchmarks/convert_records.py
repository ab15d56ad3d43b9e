"""Convert a bundle's records of caveat 0.1 to the identity that 0.2 compares; what they promise stays, to the byte.

    python benchmarks/convert_records.py BUNDLE [--records FOLDER]        # once; the files are written in their place

Version 0.1 hashed the preprocessing by bare class names and all parameters. A file is converted where that hash, made of the
bundle's preprocessing as it is today, is the file's own: then it was made with this preprocessing, whose new hash takes the
old one's place. The sha256 of the reference of features, which holds the hash too, follows; and whether windows larger than
a study are cut down to it, new in the identity, must not matter for the record. Nothing else may change.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser
from monai.transforms import Transform

from caveat.inference.calibration.identity import _plain, _transforms, fingerprint
from caveat.inference.calibration.record_file import seal, unseal

CHANGED = {"preprocessing_sha256", "feature_reference", "clip_windows"}


def main() -> None:
    """Convert all files of the folder, or none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--records", type=Path, help="folder of records (default: the bundle's own)")
    options = parser.parse_args()
    for path, text in convert_folder(options.bundle, options.records or options.bundle / "calibration").items():
        path.write_text(text, encoding="utf-8")
        print(f"converted {path}")


def convert_folder(bundle: Path, records: Path) -> dict[Path, str]:
    """The new text of each file that has an identity. Raises: ValueError: one was made with another preprocessing."""
    config = ConfigParser()
    config.read_config(bundle / "configs" / "inference.yaml")
    config.read_meta(bundle / "configs" / "metadata.json")
    config["bundle_root"] = str(bundle)
    preprocessing = config.get_parsed_content("preprocessing")
    replaced = {hash_of_version_1(preprocessing): fingerprint(preprocessing)}
    clips = bool(config.get("inferer::clip_windows", False))
    files = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(records.glob("*.json"))}
    texts: dict[Path, str] = {}
    for path, stored in files.items():
        if isinstance(stored, dict) and "preprocessing_sha256" in stored:
            new = stored | {"preprocessing_sha256": _replace(stored["preprocessing_sha256"], replaced, path)}
            texts[path] = json.dumps(new, sort_keys=True) + "\n"
            replaced[hashlib.sha256(path.read_bytes()).hexdigest()] = hashlib.sha256(texts[path].encode()).hexdigest()
    for path, stored in files.items():
        if isinstance(stored, dict) and "identity" in stored:
            texts[path] = json.dumps(convert(stored, replaced, clips, path), indent=1, allow_nan=False) + "\n"
    return texts


def convert(stored: Mapping[str, Any], replaced: Mapping[str, str], clips: bool, path: Path) -> dict[str, Any]:
    """One record with its new identity and checksum. Raises: ValueError: see `convert_folder`."""
    facts = unseal(stored)
    old = facts["identity"]
    if clips and any(extent > 0 for extent in old["roi_size"]):
        raise ValueError(f"{path.name}: windows of {old['roi_size']} were filled up in 0.1, and are cut down to the study today")
    hashes = {key: _replace(old[key], replaced, path) for key in ("preprocessing_sha256", "feature_reference") if old.get(key)}
    new = seal(facts | {"identity": old | hashes | {"clip_windows": clips}})
    if _promised(new) != _promised(stored) or _kept(new["identity"]) != _kept(old):
        raise ValueError(f"{path.name} would promise something else")
    return new


def _promised(stored: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in stored.items() if key not in ("identity", "checksum")})


def _kept(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key not in CHANGED}


def _replace(old: str, replaced: Mapping[str, str], path: Path) -> str:
    if old not in replaced:
        raise ValueError(f"{path.name} belongs to another preprocessing, or is converted already: {old[:12]}")
    return replaced[old]


def hash_of_version_1(preprocessing: Transform) -> str:
    """What `fingerprint` was in caveat 0.1."""
    text = json.dumps(_describe(preprocessing), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _describe(transform: Transform) -> dict[str, Any]:
    kind = type(transform)
    held = {name.removeprefix("_"): value for name, value in vars(transform).items()} | vars(transform)
    parameters = [one for one in inspect.signature(kind.__init__).parameters.values() if one.name != "self"]
    left_out: Sequence[str] = getattr(kind, "not_identity", ())
    wanted = [one.name for one in parameters if one.name not in left_out]
    groups = [[_describe(inner) for inner in _transforms(value)] for value in vars(transform).values()]
    found = {name: _plain(held[name], kind) for name in wanted if name in held and not _transforms(held[name])}
    return {"class": kind.__name__, "parameters": found, "inside": sorted((group for group in groups if group), key=json.dumps)}


if __name__ == "__main__":
    main()
