"""A bundle's evaluate.yaml as an `Evaluation`."""

from __future__ import annotations

from pathlib import Path

from monai.bundle import ConfigParser

from .evaluate import Evaluation


def read_evaluation(path: Path) -> Evaluation:
    """Read the config and build what its entry `evaluation` describes.

    It is read over inference.yaml beside it, so that measurements and names of classes stand in one place.

    Args:
        path: of evaluate.yaml.

    Raises:
        TypeError: the entry is no `Evaluation`.
    """
    parser = ConfigParser()
    inference = path.with_name("inference.yaml")
    parser.read_config([*([inference] if inference.is_file() else []), path])
    evaluation = parser.get_parsed_content("evaluation")
    if not isinstance(evaluation, Evaluation):
        raise TypeError(f"{path.name}: entry `evaluation` is {type(evaluation).__name__}, expected Evaluation")
    return evaluation
