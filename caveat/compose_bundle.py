"""From a bundle's own settings and the base settings that all bundles share to the configs that MONAI runs: `make bundles`.

A bundle keeps in `settings/` what is its own. Its configs are whole all the same, so that `python -m monai.bundle run` takes one
folder as it is; they are written by this file alone. Layers are merged by MONAI's own rule for several config files: a later one
replaces, "a::b" reaches into what stands there, "+a" adds to it.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

import yaml
from monai.bundle import ConfigParser

from .bundle_folders import read_metadata, settings_of
from .transforms.objects.codes import BundleCodes

BASE = Path(str(files("caveat.inference"))) / "settings"
HEADER = "# Written by `make bundles` from settings/{name} and the base settings in inference/settings: change those.\n"


def compose(source: Path) -> str:
    """A config as text. Args: source: in a bundle's `settings/`; its `base` names the layers below it, the lowest first."""
    layers = yaml.safe_load(source.read_text(encoding="utf-8"))["base"]
    config = ConfigParser.load_config_files([*(BASE / f"{layer}.yaml" for layer in layers), source])
    del config["base"]
    return HEADER.format(name=source.name) + yaml.safe_dump(config, sort_keys=False, width=130, default_flow_style=None)


def composed_configs(bundle: Path) -> dict[Path, str]:
    """Path and text of every config that is made of the bundle's settings."""
    return {bundle / "configs" / source.name: compose(source) for source in sorted((bundle / "settings").glob("*.yaml"))}


def check_codes(bundle: Path) -> None:
    """Whether all that a bundle answers has its DICOM codes, where it has the layer `dicom`.

    Raises:
        ValueError: see `BundleCodes.check`.
    """
    config = settings_of(bundle)
    if "dicom" in config:
        measured = {one["name"]: one["classes"] for one in config.get("measurements", ())}
        BundleCodes.of(read_metadata(bundle)["dicom"]).check(config["class_names"] if measured else (), measured)


def main(bundles: list[str]) -> None:
    """Write the configs of these bundle folders, and check their codes."""
    for bundle in map(Path, bundles):
        for path, text in composed_configs(bundle).items():
            path.write_text(text, encoding="utf-8")
        check_codes(bundle)


if __name__ == "__main__":
    main(sys.argv[1:])
