"""What the page is told of a finished run, and which of its files it may fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..reasons import REASONS, StudyRefused
from ..transforms.drawing.class_colours import CLASS_COLOURS
from ..transforms.files.stored_result import read_result
from ..transforms.output.listed_studies import listed_run
from ..transforms.output.study_seal import NAME as SEAL
from ..transforms.study.study_name import ANONYMOUS


def found_studies(run: Path) -> tuple[list[dict[str, Any]], dict[tuple[int, str], Path]]:
    """Studies in the order of their numbers, and the files of each by (number, name): a path is looked up, never put together.

    Args:
        run: folder of a run with `--anonymous-names`.
    """
    folders = sorted((path for path in run.glob(f"{ANONYMOUS}*") if path.is_dir()), key=lambda path: (len(path.name), path.name))
    studies: list[dict[str, Any]] = []
    files: dict[tuple[int, str], Path] = {}
    for folder in folders:
        result = read_result(folder)
        if result is None:
            continue
        number = int(folder.name.removeprefix(ANONYMOUS))
        names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != SEAL)
        files |= {(number, name): folder / name for name in names}
        studies.append(told(number, result, names))
    return studies, files


def count_studies(run: Path) -> int:
    """How many studies a run is of, done or not; 0 where it came to no list of them."""
    try:
        return len(listed_run(run).studies)
    except StudyRefused:
        return 0


def told(number: int, result: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A study as a page shows it. Args: number: of the study. result: that is stored. names: of its files."""
    measured = result["status"] == "OK"
    return {
        "number": number,
        "status": result["status"],
        "statements": [answer["statement"] for answer in result["answers"] if measured and answer["statement"]],
        "reasons": result["reasons"],
        "notes": [reason_of(code) for code in result["flags"] if code in REASONS],
        "labels": _labels(result["classes"]),
        "points": [_point(answer) for answer in result["answers"] if measured and _is_on_picture(answer)],
        "files": names,
    }


def reason_of(code: str) -> dict[str, str]:
    """A code as a result states it."""
    return {"code": code, "message": REASONS[code].meaning, "what_to_do": REASONS[code].what_to_do}


def _labels(classes: Sequence[str]) -> list[dict[str, str]]:
    """Name and colour of each label behind the background, as the report has them."""
    return [{"name": name, "colour": CLASS_COLOURS[at % len(CLASS_COLOURS)]} for at, name in enumerate(classes[1:])]


def _is_on_picture(answer: Mapping[str, Any]) -> bool:
    return answer["kind"] == "landmark" and len(answer.get("index_on_input_grid") or ()) == 2


def _point(answer: Mapping[str, Any]) -> dict[str, Any]:
    row, column = answer["index_on_input_grid"]
    return {"name": answer["title"], "row": row, "column": column}
