"""Run a bundle's inference workflow, exactly as `python -m monai.bundle run` does."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

from .inference.study_evaluator import refusal_behind


def run_bundle(bundle: Path, configs: Sequence[Path], overrides: Mapping[str, Any]) -> tuple[dict[str, int], int]:
    """Run `inference.yaml` with overlays and overrides.

    Returns:
        How many studies were measured, empty and refused, and how many of the refused failed unexpectedly.
    """
    quieten_libraries()
    workflow = ConfigWorkflow(
        config_file=[str(path) for path in configs],
        meta_file=str(bundle / "configs" / "metadata.json"),
        logging_file=False,
        workflow_type="infer",
        bundle_root=str(bundle),
        **overrides,
    )
    workflow.initialize()
    try:
        *_, counts = workflow.run()
    except RuntimeError as error:  # a parser wraps what its expressions raise: weights or an output that are refused
        refusal = refusal_behind(error)
        raise (error if refusal.code == "UNEXPECTED_ERROR" else refusal) from error
    unexpected = workflow.parser.get_parsed_content("evaluator").unexpected
    workflow.finalize()
    return counts, unexpected


def quieten_libraries() -> None:
    """Third-party notices are no results; those of a study could quote its file."""
    warnings.filterwarnings("ignore")
    for name in ("ignite", "monai", "NvImgCodec", "nibabel.global", "PIL", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
