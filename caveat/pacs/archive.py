"""An archive that speaks DICOMweb: objects out of it and into it; and Orthanc's list of what came."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pydicom
import requests

from ..exit_status import RunFailed
from ..reasons import StudyRefused
from ..transforms.files.whole_file import unwritable
from ..transforms.objects.about import MANUFACTURER
from ..transforms.objects.identifiers import is_made
from ..transforms.study.archive import ArchiveLimits
from .access import Access

PAGE = 100
"""Changes that are asked for at once."""
OBJECTS_AT_ONCE = 20
TIMEOUT_S = 120
MOST_BYTES = ArchiveLimits().total_bytes
"""Of a series: without an end to it, one that is sent for ever fills the disk."""
MOST_BYTES_OF_TEXT = 2**26
BEGUN, STABLE = "NewSeries", "StableSeries"
"""Orthanc's words for a series of which a first object came, and for one to which nothing was added for a while."""
BUSY = (502, 503, 504)
"""Statuses of a machine in front of an archive that is down."""


class ArchiveFailed(RunFailed):
    """The archive does not answer, or not as it should; it may do so later."""


class SeriesIncomplete(ArchiveFailed):
    """The archive answers, and what it sends of one series is not what it says that there is, or has no end."""


class SeriesRefused(ArchiveFailed):
    """The archive answers, and does not send this series, of which a file is gone or which two patients have under one
    identifier; or it does not take what was made of it."""


class AnswerTooLong(ArchiveFailed):
    """More bytes than anything that is asked for can have."""


@dataclass(frozen=True)
class Arrived:
    """A series that came to rest.

    Args:
        number: of the change, by which a watch resumes. key: Orthanc's own identifier. rests: False for one that only began.
    """

    number: int
    key: str
    rests: bool = True


@dataclass(frozen=True)
class Series:
    """What is known of a series. Args: study, series: identifiers. description: for rules alone: it may be a patient's."""

    study: str
    series: str
    modality: str
    description: str
    instances: int
    is_ours: bool
    is_stable: bool


class Archive:
    """Args: access: to its root; of an Orthanc `/dicom-web` lies below it. dicomweb: path of DICOMweb below the address."""

    def __init__(self, access: Access, dicomweb: str = "") -> None:
        from dicomweb_client.api import DICOMwebClient

        self.access = access
        self.client = DICOMwebClient(f"{access.url}{dicomweb}", session=access.session, timeout=TIMEOUT_S)
        access.session.hooks["response"].append(_bounded)

    def store(self, paths: Sequence[Path]) -> int:
        """Push objects. Returns: how many. Raises: ArchiveFailed; SeriesRefused: it does not take one of them."""
        for start in range(0, len(paths), OBJECTS_AT_ONCE):
            some = paths[start : start + OBJECTS_AT_ONCE]
            with _failures(SeriesRefused):
                answer = self.client.store_instances([pydicom.dcmread(path) for path in some])
            if len(answer.get("ReferencedSOPSequence", ())) < len(some):
                raise SeriesRefused("the archive refused an object")
        return len(paths)

    def retrieve(self, series: Series, folder: Path) -> None:
        """All objects of a series, a file each, into an empty folder.

        Raises:
            ArchiveFailed; SeriesIncomplete, SeriesRefused. RunFailed: OUTPUT_NOT_WRITABLE, which is no fault of the
                archive's.
        """
        for number, one in enumerate(self._objects(series), start=1):
            if number > series.instances:
                raise SeriesIncomplete(f"the archive sends more than the {series.instances} objects of a series")
            with _failures(SeriesRefused):
                if (one.StudyInstanceUID, one.SeriesInstanceUID) != (series.study, series.series):
                    raise SeriesRefused("the archive sends an object of another series than was asked for")
                name = hashlib.sha256(str(one.SOPInstanceUID).encode()).hexdigest()  # the same in whatever order they are sent
                try:
                    one.save_as(folder / f"{name}.dcm", enforce_file_format=True)
                except OSError as error:
                    raise RunFailed(str(unwritable(error))) from None
        count = len(list(folder.iterdir()))
        if count != series.instances:
            raise SeriesIncomplete(f"the archive sent {count} of {series.instances} objects of a series")

    def _objects(self, series: Series) -> Iterator[Any]:
        """As they are sent. Raises: ArchiveFailed; SeriesIncomplete, SeriesRefused."""
        syntax = (("application/dicom", "*"),)  # as they are stored, whatever their compression
        try:
            with _failures(SeriesRefused):
                yield from self.client.iter_series(series.study, series.series, media_types=syntax)
        except AnswerTooLong as failure:
            raise SeriesIncomplete(str(StudyRefused("TOO_LARGE", str(failure)))) from None

    def arrived(self, since: int) -> tuple[list[Arrived], int, bool]:
        """Series that began or came to rest after a change.

        Returns:
            They, of each series the last such change alone; the number of the last change that was looked at; whether there is no
            later one.
        """
        with _failures():
            page = self._json("/changes", since=since, limit=PAGE)
            found = {
                str(change["ID"]): (int(change["Seq"]), change["ChangeType"] == STABLE)
                for change in page["Changes"]
                if change["ChangeType"] in (BEGUN, STABLE)
            }
            arrived = sorted((Arrived(number, key, rests) for key, (number, rests) in found.items()), key=lambda one: one.number)
            return arrived, int(page["Last"]), bool(page["Done"])

    def change(self, number: int) -> str | None:
        """What change has a number, as a sha256; None where its series, or what else it was of, is deleted.

        No archive gives a number twice: two that know another change by one number are two archives.
        """
        with _failures():
            for change in self._json("/changes", since=number - 1, limit=1)["Changes"]:
                if int(change["Seq"]) == number:
                    about = json.dumps([str(change.get(key)) for key in ("ID", "ChangeType", "Date")])
                    return hashlib.sha256(about.encode()).hexdigest()
            return None

    def series(self, key: str) -> Series | None:
        """What Orthanc knows of a series; None where it is gone."""
        with _failures():
            found = self._json(f"/series/{key}", missing=None)
            study = found and self._json(f"/studies/{found['ParentStudy']}", missing=None)
            if not found or not study:
                return None
            tags = found["MainDicomTags"]
            return Series(
                str(study["MainDicomTags"]["StudyInstanceUID"]),
                str(tags["SeriesInstanceUID"]),
                str(tags.get("Modality", "")),
                str(tags.get("SeriesDescription", "")),
                len(found["Instances"]),
                tags.get("Manufacturer") == MANUFACTURER and is_made(str(tags["SeriesInstanceUID"])),
                bool(found.get("IsStable", True)),
            )

    def _json(self, path: str, missing: Any = ..., **query: Any) -> Any:
        with _failures():
            answer = self.access.session.get(f"{self.access.url}{path}", params=query, timeout=TIMEOUT_S)
            if answer.status_code == requests.codes.not_found and missing is not ...:
                return missing
            answer.raise_for_status()
            return answer.json()


def _bounded(answer: requests.Response, **asked: Any) -> requests.Response:
    """An answer that ends where it is too long; both ways of reading one come by `iter_content`."""
    room = MOST_BYTES if asked.get("stream") else MOST_BYTES_OF_TEXT
    answer.iter_content = partial(_counted, answer.iter_content, room)  # type: ignore[method-assign]  # of this answer alone
    return answer


def _counted(chunks: Callable[..., Iterator[bytes]], room: int, *arguments: Any, **options: Any) -> Iterator[bytes]:
    """Raises: AnswerTooLong."""
    left = room
    for chunk in chunks(*arguments, **options):
        left -= len(chunk)
        if left < 0:
            raise AnswerTooLong(f"the archive sends more than {room} bytes")
        yield chunk


@contextmanager
def _failures(otherwise: type[ArchiveFailed] = ArchiveFailed) -> Iterator[None]:
    """An archive's failures, without their texts, which quote addresses and identifiers.

    Args:
        otherwise: what is raised where the archive was reached.
    """
    try:
        yield
    except RunFailed:
        raise
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else "no"
        failure = ArchiveFailed if status in BUSY else otherwise
        raise failure(f"the archive answered with status {status}") from None
    except Exception as error:  # what an archive sends can make the libraries raise anything
        failure = ArchiveFailed if isinstance(error, requests.ConnectionError | requests.Timeout) else otherwise
        raise failure(f"the archive cannot be reached, or answers in another language ({type(error).__name__})") from None
