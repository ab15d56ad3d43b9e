"""A bundle's evaluate.yaml as an `Evaluation`."""

from __future__ import annotations

from pathlib import Path

from monai.bundle import ConfigParser

from .evaluate import Evaluation


def read_evaluation(path: Path) -> Evaluation:
    """Read the config and build what its entry `evaluation` describes.

    Args:
        path: of evaluate.yaml.

    Raises:
        TypeError: the entry is no `Evaluation`.
    """
    parser = ConfigParser()
    parser.read_config(path)
    evaluation = parser.get_parsed_content("evaluation")
    if not isinstance(evaluation, Evaluation):
        raise TypeError(f"{path.name}: entry `evaluation` is {type(evaluation).__name__}, expected Evaluation")
    return evaluation
