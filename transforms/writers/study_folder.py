"""One folder a study: there whole, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from caveat.reasons import REASONS, StudyRefused

from .arrays import affine_of, meta_of, plain
from .result_json import EMPTY_RESULT
from .views import Scene
from .writer import Writer


class WriteStudyd(Transform):
    """Write a finished study into a folder of its own, written aside and renamed into place when complete.

    Args:
        output_dir: made if it is not there. Also holds journal.jsonl, the only file with times.
        writers: run one after the other; an exception in one leaves no folder.
        bundle: name, version and weights_sha256 of the bundle, for the result.

    Raises:
        StudyRefused: OUTPUT_NOT_WRITABLE, when made: before any work is done.
    """

    def __init__(self, output_dir: str | Path, writers: Sequence[Writer], bundle: Mapping[str, Any] | None = None) -> None:
        self.output_dir = Path(output_dir)
        self.writers = tuple(writers)
        self.bundle = dict(bundle or {})
        self.last = time.monotonic()
        _check_writable(self.output_dir)

    def __call__(self, data: Mapping[Hashable, Any]) -> Mapping[Hashable, Any]:
        """Write one study.

        Args:
            data: `name` (of the folder), `number`, `result`, `input`, and what the writers write.

        Returns:
            The same, untouched.
        """
        result = {**EMPTY_RESULT, **plain(data["result"])}
        reasons = result["reasons"]
        if result["status"] == "NOTHING_FOUND" and not reasons:
            reasons = [reason_of(StudyRefused("NOTHING_FOUND"))]
        flags = list(dict.fromkeys([*result["flags"], *(meta_of(data).get("flags") or [])]))
        facts = result["input"] | facts_of_input(data)
        result |= {"reasons": reasons, "input": facts, "bundle": self.bundle, "flags": flags}
        study = {**data, "result": result}
        self._write({**study, "scene": Scene(study)}, self.writers)
        return data

    def refuse(self, data: Mapping[Hashable, Any], refusal: StudyRefused) -> None:
        """Write the folder of a study that cannot be measured: its reason, and nothing that could be taken for a number.

        Args:
            data: `name` and `number`; `input` where it was read.
            refusal: why.
        """
        known = facts_of_input(data) if hasattr(data.get("input"), "meta") else {}
        about = {"status": "REFUSED", "reasons": [reason_of(refusal)], "input": known, "bundle": self.bundle}
        result = {**EMPTY_RESULT, **about}
        study = {"name": data["name"], "number": data["number"], "result": result}
        self._write(study, [writer for writer in self.writers if writer.of_refusals])

    def _write(self, study: Mapping[Hashable, Any], writers: Sequence[Writer]) -> None:
        final = self.output_dir / folder_name(study["name"])
        # Cut: the longest name that a file system takes has no room for the ending.
        partial = self.output_dir / f".{final.name[:50]}.partial"
        shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
        try:
            partial.mkdir()
            for writer in writers:
                writer.write(study, partial)
            _flush(partial)
            _put_in_place(partial, final)
        except OSError as error:  # a full disk, or access lost on the way
            raise StudyRefused("OUTPUT_NOT_WRITABLE") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._note(study)

    def _note(self, study: Mapping[Hashable, Any]) -> None:
        """A line in the journal; the time is since the line before, which is what the study took."""
        now = time.monotonic()
        line = {
            "study": plain(study["number"]),
            "status": study["result"]["status"],
            "reasons": [reason["code"] for reason in study["result"]["reasons"]],
            "seconds": round(now - self.last, 3),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self.last = now
        with (self.output_dir / "journal.jsonl").open("a", encoding="ascii") as journal:
            journal.write(json.dumps(line) + "\n")


def folder_name(name: Any) -> str:
    """A study's name, where it names a folder inside the output and no other place.

    Raises:
        ValueError: it is empty, hidden, or a path.
    """
    text = str(name)
    if not text or text.startswith(".") or "/" in text or "\\" in text or "\0" in text:
        raise ValueError("a study's name must name one visible folder")
    return text


def facts_of_input(data: Mapping[Hashable, Any]) -> dict[str, Any]:
    """What the result says of the input; never its name. Args: data: `input`, a MetaTensor as LoadStudyd made it."""
    meta = meta_of(data)
    return {
        "sha256": meta.get("input_sha256", ""),
        "kind": meta.get("input_kind", ""),
        "shape": meta.get("input_shape", list(data["input"].shape[1:])),
        "spacing_mm": meta.get("spacing_mm"),
        "spacing_source": meta.get("spacing_source", ""),
        "affine": affine_of(data).tolist(),
    }


def reason_of(refusal: StudyRefused) -> dict[str, str]:
    """A refusal as an entry of `reasons`."""
    reason = REASONS[refusal.code]
    message = f"{reason.meaning}: {refusal.found}" if refusal.found else reason.meaning
    return {"code": refusal.code, "message": message, "what_to_do": reason.what_to_do}


def _check_writable(output_dir: Path) -> None:
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output_dir):
            pass
    except OSError as error:
        raise StudyRefused("OUTPUT_NOT_WRITABLE") from error


def _flush(folder: Path) -> None:
    """Onto the disk, so that a folder with its final name is whole even after a power cut."""
    for path in (*folder.iterdir(), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _put_in_place(partial: Path, final: Path) -> None:
    if not final.exists():
        os.replace(partial, final)
        return
    # A folder that is not empty cannot be replaced in one step: the old one goes aside first, and away last.
    old = partial.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    os.replace(final, old)
    os.replace(partial, final)
    shutil.rmtree(old)
