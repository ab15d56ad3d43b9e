"""What `caveat predict` says at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..reasons import REASONS

if TYPE_CHECKING:
    from ..run.run import Finished

MOST_SENTENCES = 40
NO_DICOM = "NO_DICOM_SOURCE"


def report_of(finished: Finished, output: Path) -> dict[str, Any]:
    """Counts, and of every study that is done what was measured, in the studies' order."""
    return {
        "counts": dict(finished.counts),
        "not_begun": finished.missing,
        "index": str(output / "index.html"),
        "studies": [dict(entry) for entry in _entries(finished, output)],
    }


def as_text(report: dict[str, Any]) -> str:
    """The sentences of the measurements as far as they fit a screen, then a line that counts."""
    sentences = [f"{study['name']}: {sentence}" for study in report["studies"] for sentence in study["statements"]]
    shown = sentences[:MOST_SENTENCES]
    if len(sentences) > len(shown):
        shown.append(f"and {len(sentences) - len(shown)} more in summary.csv")
    counts = report["counts"]
    parts = [f"{counts['measured']} measured", f"{counts['nothing_found']} nothing found", f"{counts['refused']} refused"]
    if report["not_begun"]:
        parts.append(f"{report['not_begun']} not begun (go on with --resume)")
    without = sum(NO_DICOM in study["flags"] for study in report["studies"])
    if without:
        shown.append(f"no DICOM objects of {without} {'study' if without == 1 else 'studies'}: {REASONS[NO_DICOM].meaning}")
    return "\n".join([*shown, f"{', '.join(parts)}; {report['index']}"])


def as_json(report: dict[str, Any]) -> str:
    """For a script."""
    return json.dumps(report, indent=1)


def _entries(finished: Finished, output: Path) -> Iterator[dict[str, Any]]:
    from ..transforms.files.stored_result import read_result

    for study in finished.studies:
        outcome = finished.outcomes.get(study["number"])
        result = read_result(output / study["name"]) if outcome else None
        if outcome and result:
            answers = result["answers"] if outcome.status == "OK" else []
            yield {
                "number": study["number"],
                "name": study["name"],
                "status": outcome.status,
                "reasons": list(outcome.reasons),
                "flags": result["flags"],
                "statements": [answer["statement"] for answer in answers],
                "answers": [{key: answer.get(key) for key in ("kind", "name", "unit", "value", "region")} for answer in answers],
                "report": str(output / study["name"] / "report.html"),
            }
