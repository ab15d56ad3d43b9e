"""Case: what one study says of one measurement or landmark, and its truth where it is known."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from caveat.reasons import StudyRefused

from ...transforms.files.answers import measurements_of
from .kinds.answer_kind import kind_of
from .regions.region import Value


@dataclass(frozen=True)
class Case:
    """What a conformity score may look at. Numbers are in the measurement's unit, places in mm.

    Args:
        study: name of its folder. unit: what is exchangeable, such as "subject 012"; "" for a study that is being predicted.
        sha256: of the image.
        value: of the reported mask; the landmark's (axes,) coordinates; or the probability of each class.
        draws: value of every draw.
        scores: the study's scores by name; None where one is undefined.
        beside: draws of the study's other measurements by name.
        truth: None where it is not known.
        stratum: what the data list says of the study, such as how far it was degraded; "" where it says nothing.
        fold: number of the network that has not seen the study, from 0, where the data list names one.
        preparation: of the image, such as "with skull"; "" where the bundle tells none apart.
        name: of the measurement or landmark.
        covariance: of a landmark, (axes, axes) in mm2: of heat map and draws.
        outside: whether the image does not show the landmark. It counts with the position it was decoded to: it never gets a
            region, but to leave out what was not found would make the others' regions too small.
        at_most: the largest value that there can be on the image's grid, which ends an interval; None where nothing is known.
        counted: whether it may enter a record: what is not an answer (see `Target.found`), such as a volume of 0, is no
            measurement and never gets an interval. A landmark always does.
        draw_scores: of the scores that are a mean over the draws, one number a draw.
    """

    study: str
    unit: str
    sha256: str
    value: Value
    draws: tuple[Value, ...]
    scores: Mapping[str, float | None] = field(default_factory=dict)
    beside: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    truth: Value | None = None
    stratum: str = ""
    fold: int | None = None
    preparation: str = ""
    name: str = ""
    covariance: tuple[tuple[float, ...], ...] | None = None
    outside: bool = False
    at_most: float | None = None
    counted: bool = True
    draw_scores: Mapping[str, Sequence[float | None]] = field(default_factory=dict)

    @property
    def number(self) -> float:
        """The value of a measurement."""
        return float(self.value)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The draws of a measurement."""
        return self.draws

    @property
    def place(self) -> np.ndarray:
        """The position of a landmark, (axes,) mm."""
        return np.array(self.value, dtype=float)

    @property
    def found(self) -> bool:
        """Whether it may get a region."""
        return self.counted and not self.outside

    def of_network(self, index: int, networks: int) -> Case:
        """What one of several networks says, by its own draws alone: their mean, and they (see `Sampler.members`)."""
        own = self.draws[index::networks]
        said: dict[str, Any] = {"draws": own, "beside": {name: draws[index::networks] for name, draws in self.beside.items()}}
        said["draw_scores"] = {name: scores[index::networks] for name, scores in self.draw_scores.items()}
        said["scores"] = {**self.scores, **{name: mean_or_none(scores) for name, scores in said["draw_scores"].items()}}
        value = tuple(np.mean(own, axis=0).tolist()) if isinstance(self.value, tuple) else statistics.fmean(own)
        return replace(self, value=value, **said)


def mean_or_none(scores: Sequence[float | None]) -> float | None:
    """None where one of them is undefined."""
    known = [score for score in scores if score is not None]
    return statistics.fmean(known) if len(known) == len(scores) else None


def case_of(entry: Mapping[str, Any], result: Mapping[str, Any], **more: Any) -> Case:
    """What one result says of one component.

    Args:
        entry: of `answers`. more: what the result does not say.

    Raises:
        StudyRefused: NON_FINITE_DRAWS.
    """
    facts = kind_of(entry).facts(entry)
    numbers = np.concatenate([np.ravel(facts[name]) for name in ("value", "draws", "covariance") if name in facts])
    if not np.isfinite(numbers).all():
        raise StudyRefused("NON_FINITE_DRAWS", f"{(~np.isfinite(numbers)).sum()} of {numbers.size}")
    about: dict[str, Any] = {"study": "", "unit": "", "sha256": "", "name": entry["name"], **more}
    about |= {
        "scores": result["study_scores"],
        "draw_scores": result.get("draw_scores", {}),
        "preparation": preparation_of(result),
    }
    others = [other for other in measurements_of(result) if other["name"] != entry["name"]]
    about["beside"] = {other["name"]: tuple(other["draws"]["values"]) for other in others}
    return Case(**about, **facts)


def preparation_of(result: Mapping[str, Any]) -> str:
    """How the image was prepared, "" where the bundle does not look at it."""
    return str(result.get("input", {}).get("preparation", ""))
