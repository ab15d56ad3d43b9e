"""One folder a study: there whole, or not at all."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from caveat.reasons import REASONS, StudyRefused

from ..drawing.views import Scene
from ..files.arrays import affine_of, meta_of, plain
from ..files.stored_result import EMPTY_RESULT, read_result
from ..files.whole_file import flush, unwritable
from ..writers.writer import Writer
from .outcome import UNSETTLED, Outcome
from .run_folder import run_identity
from .study_seal import StudySeal

logger = logging.getLogger("caveat")
OF_THE_OUTPUT = frozenset({"OUTPUT_NOT_WRITABLE", "OUTPUT_OCCUPIED", "OUTPUT_OF_ANOTHER_RUN"})
"""Codes that say nothing of the study: they end the run."""
OF_THE_SOURCE = ("image", "dicom_files", "dicom_sha256")
"""Where a refused study came from: writers of DICOM name its objects, no other looks."""


class WriteStudyd(Transform):
    """Write a finished study into a folder of its own, written aside and renamed into place when complete.

    A folder that stands there already is left as it is, and the study refused.

    Args:
        output_dir: made if it is not there.
        writers: run one after the other; an exception in one leaves no folder.
        bundle: name, version and weights_sha256 of the bundle, for the result.

    Attributes:
        facts: of the run, set where there is one: they stand in every result, and tell its folders from those of another run.

    Raises:
        StudyRefused: OUTPUT_NOT_WRITABLE, when made: before any work is done.
    """

    def __init__(self, output_dir: str | Path, writers: Sequence[Writer], bundle: Mapping[str, Any] | None = None) -> None:
        self.output_dir = Path(output_dir)
        self.writers = tuple(writers)
        self.bundle = dict(bundle or {})
        self.facts: Mapping[str, Any] = {}
        _check_writable(self.output_dir)

    def __call__(self, data: Mapping[Hashable, Any]) -> Mapping[Hashable, Any]:
        """Write one study.

        Args:
            data: `name` (of the folder), `number`, `result`, `input`, and what the writers write.

        Returns:
            The same, untouched.

        Raises:
            StudyRefused: OUTPUT_NOT_WRITABLE, OUTPUT_OCCUPIED.
        """
        study = finished(data, self._about())
        self._write({**study, "scene": Scene(study)}, self.writers)
        return data

    def refuse(self, data: Mapping[Hashable, Any], refusal: StudyRefused) -> None:
        """Write the folder of a study that cannot be measured: its reason, and nothing that could be taken for a number.

        Args:
            data: `name` and `number`; `input` where it was read.
            refusal: why.

        Raises:
            StudyRefused: the refusal itself where it is of the output; OUTPUT_NOT_WRITABLE, OUTPUT_OCCUPIED.
        """
        if refusal.code in OF_THE_OUTPUT:
            raise refusal
        known = facts_of_input(data) if hasattr(data.get("input"), "meta") else {}
        about = {"status": "REFUSED", "reasons": [reason_of(refusal)], "input": known, **self._about()}
        study: dict[Hashable, Any] = {
            "name": data["name"],
            "number": data["number"],
            "input_sha256": data.get("input_sha256", ""),
            **{key: data[key] for key in OF_THE_SOURCE if key in data},
            "result": {**EMPTY_RESULT, "flags": [], **about},
        }
        self._write(study, [writer for writer in self.writers if writer.of_refusals])

    def outcome(self, study: Mapping[str, Any], seconds: float = 0.0, reused: bool = False, edited: bool = False) -> Outcome:
        """What stands in a study's folder. Args: study: entry of `find_studies`. seconds, reused, edited: see `Outcome`."""
        result = read_result(self.output_dir / folder_name(study["name"]))
        if result is None:
            raise StudyRefused("OUTPUT_NOT_WRITABLE", "the folder of a study is gone")
        reasons = result["reasons"]
        codes, why = tuple(reason["code"] for reason in reasons), reasons[0]["message"] if reasons else ""
        return Outcome(study["number"], result["status"], codes, round(seconds, 3), reused, why, edited)

    def stands(self, study: Mapping[str, Any]) -> tuple[Outcome | None, bool]:
        """What became of a study in this run, where its folder is whole and its input is what it was; never mere existence.

        What this run wrote and is not to be trusted any more is deleted: the study is to be done again. A measurement whose input
        has become another file is neither kept nor replaced: it may be another patient's.

        Args:
            study: entry of `find_studies`, with `input_sha256`.

        Returns:
            the outcome, None where the study is to be done; and whether files of it were gone.

        Raises:
            StudyRefused: OUTPUT_OCCUPIED for a folder that this run did not write, or in which somebody put or changed something;
                OUTPUT_OF_ANOTHER_RUN for a measurement of another input.
        """
        folder = self.output_dir / folder_name(study["name"])
        if not os.path.lexists(folder) or _is_empty(folder):
            return None, False
        seal = StudySeal.read(folder)
        if folder.is_symlink() or seal is None or seal.run != run_identity(self.facts):
            raise StudyRefused("OUTPUT_OCCUPIED", f"the folder of study {study['number']} is not of this run")
        same = seal.number == study["number"] and seal.input == study["input_sha256"]
        if not same and (read_result(folder) or EMPTY_RESULT)["status"] != "REFUSED":
            raise StudyRefused(
                "OUTPUT_OF_ANOTHER_RUN", f"study {study['number']} was measured from another file than is there now"
            )
        edited = not seal.holds(folder)
        outcome = self.outcome(study, reused=True) if same and not edited else None
        if outcome is None or UNSETTLED & set(outcome.reasons):
            seal.remove(folder)
            return None, edited
        return outcome, False

    def _about(self) -> dict[str, Any]:
        """What every result of a run says alike."""
        run = {key: self.facts[key] for key in ("versions", "settings") if key in self.facts}
        return {"bundle": self.bundle, "run": run}

    def _write(self, study: Mapping[Hashable, Any], writers: Sequence[Writer]) -> None:
        lacking = [code for writer in writers for code in writer.lacks(study)]
        study["result"]["flags"] += [code for code in lacking if code not in study["result"]["flags"]]
        final = self.output_dir / folder_name(study["name"])
        partial = self.output_dir / f".{secrets.token_hex(8)}.partial"  # of this process alone
        try:
            partial.mkdir()
            objects = [writer for writer in writers if writer.of_dicom]
            if not all([_written(writer, study, partial) for writer in objects]):
                study["result"]["flags"].append("DICOM_NOT_WRITTEN")  # before the result is written, which says so
            for writer in writers:
                if not writer.of_dicom:
                    writer.write(study, partial)
            number, digest = plain(study["number"]), str(study.get("input_sha256", ""))
            seal = StudySeal.of(partial, run_identity(self.facts), number, digest)
            seal.write(partial)
            for path in (*partial.iterdir(), partial):
                flush(path)
            _put_in_place(partial, final, seal)
        except OSError as error:  # a full disk, or access lost on the way
            raise unwritable(error) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _written(writer: Writer, study: Mapping[Hashable, Any], folder: Path) -> bool:
    """Whether an object for the archive could be made. One that cannot be costs the object, not the measurement; of several
    files of one writer all or none stay. Raises: OSError: a full disk, or access lost."""
    before = set(folder.iterdir())
    try:
        writer.write(study, folder)
    except OSError:
        raise
    except Exception as error:  # headers of the series may hold what the library of objects does not take
        logger.warning("study %s: %s (%s)", study["number"], StudyRefused("DICOM_NOT_WRITTEN"), type(error).__name__)
        for path in set(folder.iterdir()) - before:
            path.unlink()
        return False
    return True


def finished(data: Mapping[Hashable, Any], about: Mapping[str, Any]) -> dict[Hashable, Any]:
    """A measured study with its whole result. Args: data: as it comes from the promises. about: what a run says of all."""
    result = {**EMPTY_RESULT, **plain(data["result"])}
    reasons = result["reasons"]
    if result["status"] == "NOTHING_FOUND" and not reasons:
        reasons = [reason_of(StudyRefused("NOTHING_FOUND"))]
    flags = list(dict.fromkeys([*result["flags"], *(meta_of(data).get("flags") or [])]))
    facts = result["input"] | facts_of_input(data)
    return {**data, "result": {**result, "reasons": reasons, "input": facts, "flags": flags, **about}}


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
        **{key: meta[key] for key in ("body_side",) if key in meta},
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
        raise unwritable(error) from error


def _is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing, as one of ours does that was being deleted when the run was killed; no link to one."""
    return folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())


def _put_in_place(partial: Path, final: Path, seal: StudySeal) -> None:
    """Raises: StudyRefused: OUTPUT_OCCUPIED; a folder can only take the place of an empty one."""
    try:
        os.rename(partial, final)
    except OSError:
        if StudySeal.read(final) == seal and not final.is_symlink():
            return  # the same, of a worker that outlived the run that started it
        if os.path.lexists(final):
            raise StudyRefused("OUTPUT_OCCUPIED", "something stands where a study's folder would be") from None
        raise
