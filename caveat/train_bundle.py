"""Run a bundle's training workflow, as `python -m monai.bundle run` does with inference.yaml, train.yaml and overlays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

from .exit_status import RunFailed
from .inference.answers.study_evaluator import refusal_behind


def train_bundle(bundle: Path, overlays: Sequence[str], overrides: Mapping[str, Any]) -> Path:
    """Train to the end of the budget.

    Args:
        overlays: names of configs of the bundle, read over inference.yaml and train.yaml.
        overrides: of the config. Paths are `Path`, never text: the parser evaluates text that begins with "$".

    Returns:
        the checkpoint with the best value of the early stopping part.

    Raises:
        StudyRefused: WRONG_USAGE where the list lacks what is needed, or the folder holds another training.
        RunFailed: no network was the best.
    """
    warnings.filterwarnings("ignore")  # notices of libraries are no news of a training
    configs = bundle / "configs"
    workflow = ConfigWorkflow(
        config_file=[str(configs / f"{name}.yaml") for name in ("inference", "train", *overlays)],
        meta_file=str(configs / "metadata.json"),
        logging_file=str(configs / "logging.conf"),
        workflow_type="train",
        bundle_root=str(bundle),
        **overrides,
    )
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
