"""A bundle's evaluate.yaml as objects. It is read over inference.yaml beside it: measurements and classes stand in one place."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from monai.bundle import ConfigParser

from .evaluate import Evaluation
from .interval_evaluation.settings import IntervalEvaluation
from .region_evaluation.settings import RegionEvaluation

Settings = TypeVar("Settings", IntervalEvaluation, RegionEvaluation)


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
    return _optional(path, "intervals", IntervalEvaluation)


def read_region_evaluation(path: Path) -> RegionEvaluation | None:
    """Build what the entry `regions` describes; None where there is none. Raises: TypeError: as `read_interval_evaluation`."""
    return _optional(path, "regions", RegionEvaluation)


def _optional(path: Path, name: str, kind: type[Settings]) -> Settings | None:
    parser = _read(path)
    if name not in parser:
        return None
    found = parser.get_parsed_content(name)
    if not isinstance(found, kind):
        raise TypeError(f"{path.name}: entry `{name}` is {type(found).__name__}, expected {kind.__name__}")
    return found


def _read(path: Path) -> ConfigParser:
    parser = ConfigParser()
    inference = path.with_name("inference.yaml")
    parser.read_config([*([inference] if inference.is_file() else []), path])
    return parser
