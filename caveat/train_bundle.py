"""Run a bundle's training workflow, as `python -m monai.bundle run` does with inference.yaml, train.yaml and overlays."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from monai.bundle import ConfigWorkflow

from .bundle_folders import shipped_bundles
from .exit_status import RunFailed
from .inference.answers.study_evaluator import refusal_behind
from .inference.training.training import SETTINGS

PLACES = frozenset({"bundle_root", "ckpt_dir", "dataset_dir", "device", "list_file", "start"})
"""Entries of a config that change nothing of what is learned, or of which the budget knows better."""
HOW_FAR = "max_epochs"
"""Where this process ends; the budget says where the training does."""
REFERENCE = re.compile(r"[@%](\w+(?:(?:::|#)\w+)*)")


def settings_sha256(config: Mapping[str, Any]) -> str:
    """sha256 of what a training is made of: its entry of the config, with overlays, and all that it refers to.

    A training goes on only with the settings that it was begun with; another measurement in the config, or another place of the
    images, makes no other training.
    """
    found: dict[str, Any] = {}
    waiting = ["training"]
    while waiting:
        name = waiting.pop()
        if name in found or name in PLACES or name not in config:
            continue
        found[name] = _without(HOW_FAR, config[name])
        text = json.dumps(found[name], sort_keys=True, default=str)
        waiting += [reference.replace("::", "#").partition("#")[0] for reference in REFERENCE.findall(text)]
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()


def _without(name: str, value: Any) -> Any:
    """A part of a config without the entries of a name."""
    if isinstance(value, Mapping):
        return {key: _without(name, one) for key, one in value.items() if key != name}
    return [_without(name, one) for one in value] if isinstance(value, list) else value


def train_bundle(bundle: Path, overlays: Sequence[str], overrides: Mapping[str, Any]) -> Path:
    """Train to the end of the budget.

    Args:
        overlays: names of configs of the bundle, read over inference.yaml and train.yaml.
        overrides: of the config. Paths are `Path`, never text: the parser evaluates text that begins with "$".

    Returns:
        the checkpoint with the best value of the early stopping part, or the last one where the training has no validator.

    Raises:
        StudyRefused: WRONG_USAGE where the list lacks what is needed, or the folder holds another training.
        RunFailed: no network was the best.
    """
    warnings.filterwarnings("ignore")  # notices of libraries are no news of a training
    configs = bundle / "configs"
    stated = configs / "logging.conf"
    if not stated.is_file():  # as in a bundle that is made of settings alone: the shipped ones all say the same
        stated = shipped_bundles()["hippocampus_volume"] / "configs" / "logging.conf"
    workflow = ConfigWorkflow(
        config_file=[str(configs / f"{name}.yaml") for name in ("inference", "train", *overlays)],
        meta_file=str(configs / "metadata.json"),
        logging_file=str(stated),
        workflow_type="train",
        bundle_root=str(bundle),
        **overrides,
    )
    workflow.parser[f"training#budget#{SETTINGS}"] = settings_sha256(cast(dict[str, Any], workflow.parser.config))
    workflow.initialize()
    try:
        workflow.run()
    except RuntimeError as error:  # a parser wraps what its expressions raise
        refusal = refusal_behind(error)
        if refusal.code == "UNEXPECTED_ERROR":
            raise
        raise refusal from error
    workflow.finalize()
    best = Path(workflow.parser.get_parsed_content("ckpt_dir")) / "best.pt"
    if not best.is_file():
        raise RunFailed("no validation gave a number, so there is no best network")
    return best
