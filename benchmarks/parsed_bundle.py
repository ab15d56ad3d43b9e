"""A bundle's config as a benchmark reads parts of it: network, inferer, preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from caveat.commands.sampling_options import choose_configs


def parsed_bundle(bundle: Path, sampler: str | None, overrides: dict[str, Any]) -> ConfigParser:
    """Args: bundle: its folder. sampler: None for the bundle's own. overrides: of entries of the config, by their id."""
    config = ConfigParser()
    config.read_config([str(path) for path in choose_configs(bundle, sampler)])
    config.read_meta(str(bundle / "configs" / "metadata.json"))
    config.update({"bundle_root": str(bundle), **overrides})
    return config
