"""A bundle's evaluate.yaml as objects. It is read over inference.yaml beside it: measurements and classes stand in one place."""

from __future__ import annotations

from pathlib import Path

from monai.bundle import ConfigParser

from .evaluate import Evaluation
from .settings import Coverage


def read_evaluation(path: Path) -> Evaluation:
    """Build what the entry `evaluation` describes.

    Args:
        path: of evaluate.yaml.

    Raises:
        TypeError: the entry is no `Evaluation`.
    """
    evaluation = _read(path).get_parsed_content("evaluation")
    if not isinstance(evaluation, Evaluation):
        raise TypeError(f"{path.name}: entry `evaluation` is {type(evaluation).__name__}, expected Evaluation")
    return evaluation


def read_coverage(path: Path) -> Coverage | None:
    """Build what the entry `coverage` describes; None where there is none.

    Args:
        path: of evaluate.yaml.

    Raises:
        TypeError: the entry is no `Coverage`.
    """
    parser = _read(path)
    if "coverage" not in parser:
        return None
    coverage = parser.get_parsed_content("coverage")
    if not isinstance(coverage, Coverage):
        raise TypeError(f"{path.name}: entry `coverage` is {type(coverage).__name__}, expected Coverage")
    return coverage


def _read(path: Path) -> ConfigParser:
    parser = ConfigParser()
    inference = path.with_name("inference.yaml")
    parser.read_config([*([inference] if inference.is_file() else []), path])
    return parser
