"""Run a bundle's inference workflow, exactly as `python -m monai.bundle run` does."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

from .inference.answers.study_evaluator import refusal_behind
from .reasons import StudyRefused


def run_bundle(bundle: Path, configs: Sequence[Path], overrides: Mapping[str, Any]) -> tuple[dict[str, int], int]:
    """Run `inference.yaml` with overlays and overrides, in this process.

    Returns:
        How many studies were measured, empty and refused, and how many of the refused failed unexpectedly.
    """
    with refusals_unwrapped():
        workflow = load_workflow(bundle, configs, overrides)
        *_, counts = workflow.run()
    unexpected = workflow.parser.get_parsed_content("evaluator").unexpected
    workflow.finalize()
    return counts, unexpected


def load_workflow(bundle: Path, configs: Sequence[Path], overrides: Mapping[str, Any]) -> ConfigWorkflow:
    """The workflow, ready to run. Raises: StudyRefused: WRONG_USAGE for impossible draws; others behind a RuntimeError."""
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
    check_draws(workflow)
    return workflow


@contextmanager
def refusals_unwrapped() -> Iterator[None]:
    """A parser wraps what its expressions raise: weights or an output that are refused come out as they went in."""
    try:
        yield
    except RuntimeError as error:
        refusal = refusal_behind(error)
        if refusal.code == "UNEXPECTED_ERROR":
            raise
        raise refusal from error


def check_draws(workflow: ConfigWorkflow) -> None:
    """Refuse more draws than the sampler has before the first study. Raises: StudyRefused: WRONG_USAGE."""
    inferer, network = (workflow.parser.get_parsed_content(name) for name in ("inferer", "network"))
    try:
        inferer.resolve_draws(network)
    except ValueError as error:
        raise StudyRefused("WRONG_USAGE", str(error)) from error


def quieten_libraries() -> None:
    """Third-party notices are no results; those of a study could quote its file."""
    warnings.filterwarnings("ignore")
    roots = ("ignite", "monai", "NvImgCodec", "nibabel", "PIL", "matplotlib")
    for name in (*roots, *logging.root.manager.loggerDict):
        if name.split(".")[0] in roots:
            logging.getLogger(name).setLevel(logging.ERROR)
