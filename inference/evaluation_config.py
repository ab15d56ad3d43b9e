"""A bundle's evaluate.yaml as objects. It is read over inference.yaml beside it: measurements and classes stand in one place."""

from __future__ import annotations

from pathlib import Path

from monai.bundle import ConfigParser

from .evaluate import Evaluation
from .interval_evaluation.settings import IntervalEvaluation


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


def read_interval_evaluation(path: Path) -> IntervalEvaluation | None:
    """Build what the entry `intervals` describes; None where there is none.

    Args:
        path: of evaluate.yaml.

    Raises:
        TypeError: the entry is no `IntervalEvaluation`.
    """
    parser = _read(path)
    if "intervals" not in parser:
        return None
    intervals = parser.get_parsed_content("intervals")
    if not isinstance(intervals, IntervalEvaluation):
        raise TypeError(f"{path.name}: entry `intervals` is {type(intervals).__name__}, expected IntervalEvaluation")
    return intervals


def _read(path: Path) -> ConfigParser:
    parser = ConfigParser()
    inference = path.with_name("inference.yaml")
    parser.read_config([*([inference] if inference.is_file() else []), path])
    return parser
