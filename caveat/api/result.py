"""What a study came to, in a program of one's own."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai.data import MetaTensor

from ..transforms.drawing.views import Scene
from ..transforms.files.arrays import plain
from ..transforms.writers.report_html import ReportHtmlWriter

LABELS = {"segmentation": "segmentation", "draws": "samples", "hypotheses": "ordered_hypotheses"}
NOT_MAPS = frozenset({"image", "input", "label", "scene", "hypotheses", *LABELS.values()})


@dataclass(frozen=True)
class Answer:
    """One measurement or landmark.

    Args:
        name, unit, statement: the last is the sentence that may be quoted.
        value: a number, or a landmark's coordinates in mm; None where nothing was found, which is no measurement of zero.
        draws: value of each draw.
        interval: lower and upper end, None for one that is open; of a measurement with a record that holds for it, else None.
        region: as `result.json` has it, of landmarks too; None where nothing is promised.
    """

    name: str
    unit: str
    statement: str
    value: float | tuple[float, ...] | None
    draws: tuple[Any, ...]
    interval: tuple[float | None, float | None] | None
    region: Mapping[str, Any] | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Answer:
        """Args: entry: of `answers`."""
        value, region = entry["value"], entry.get("region")
        ends = (region["lower"], region["upper"]) if region and region["kind"] == "interval" else None
        draws = tuple((entry.get("draws") or {}).get("values") or ())
        place = tuple(value) if isinstance(value, list | tuple) else value
        return cls(entry["name"], entry["unit"], entry["statement"], place, draws, ends, region)


class Result:
    """Answers, maps and what a report says. A notebook shows the report.

    Args:
        study: as a writer gets it.

    Attributes:
        status: "OK" or "NOTHING_FOUND".
        answers: by name, in the bundle's order.
        flags: reason codes of what to look at.
        segmentation: labels on the image's own grid, (1, *spatial); None of landmarks.
        draws: label map of each draw, there too, (draws, *spatial); None where `caveat.load` was not asked to keep them.
        hypotheses: (hypotheses, *spatial) that a person may choose from, as the result's table numbers them; None without it.
        maps: probability and uncertainty by name, (channels, *spatial), there too.
    """

    def __init__(self, study: Mapping[Hashable, Any]) -> None:
        self._study = dict(study)
        self._facts: dict[str, Any] = plain(study["result"])
        self.status: str = self._facts["status"]
        self.answers = {entry["name"]: Answer.of(entry) for entry in self._facts["answers"]}
        self.flags = tuple(self._facts["flags"])
        labels = {name: self._on_input(key) if key in study else None for name, key in LABELS.items()}
        self.segmentation, self.draws, self.hypotheses = labels.values()
        self.maps = {str(name): self._on_input(name) for name, value in study.items() if _is_map(name, value)}

    def __getitem__(self, name: str) -> Answer:
        return self.answers[name]

    @property
    def first(self) -> Answer:
        """The bundle's first answer."""
        return next(iter(self.answers.values()))

    @property
    def statement(self) -> str:
        """Of every answer a line."""
        return "\n".join(dict.fromkeys(answer.statement for answer in self.answers.values()))

    def to_dict(self) -> dict[str, Any]:
        """What `result.json` holds."""
        return plain(self._facts)

    def report(self) -> str:
        """The report, one page of HTML that needs nothing else."""
        with tempfile.TemporaryDirectory() as folder:
            ReportHtmlWriter().write({**self._study, "scene": Scene(self._study)}, Path(folder))
            return (Path(folder) / "report.html").read_text(encoding="utf-8")

    def show(self) -> None:
        """Show the report in a notebook."""
        from IPython.display import display

        display(self)

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.report())}" width="100%" height="700" style="border: 0"></iframe>'

    def __repr__(self) -> str:
        return f"Result({self.status}: {'; '.join(self.statement.splitlines())})"

    def _on_input(self, name: Hashable) -> MetaTensor:
        """A map with the affine of the image as it came."""
        value, image = self._study[name], self._study["input"]
        values = value.as_tensor() if isinstance(value, MetaTensor) else value
        return MetaTensor(values, affine=image.affine)


def _is_map(name: Hashable, value: Any) -> bool:
    return name not in NOT_MAPS and hasattr(value, "ndim") and value.ndim > 2
