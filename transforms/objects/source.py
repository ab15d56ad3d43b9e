"""The series that a study was measured from, as far as an object made of it may know it."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from caveat.reasons import StudyRefused

from ..dicom.header_values import finite_numbers, text
from ..dicom.instance import Instance, read_instance
from ..dicom.quiet_pydicom import quiet_pydicom
from ..dicom.studies import studies_of
from ..study.input_sha256 import input_sha256
from ..study.inspect_study import dicom_files
from .identifiers import made_of

IDENTITY = ("PatientName", "PatientID", "IssuerOfPatientID", "StudyID", "AccessionNumber", "ReferringPhysicianName")
"""Text by which an archive files an object under its patient and study. Nothing else of a source's text is copied."""
VALID = {
    "PatientBirthDate": re.compile(r"\d{8}"),
    "StudyDate": re.compile(r"\d{8}"),
    "StudyTime": re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"),
    "PatientSex": re.compile("[MFO]"),
}
"""Elements that must be in their form or empty: a malformed one would make the object invalid."""
UIDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
OF_THE_IMAGE = (
    "Modality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
)
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
OF_A_GROUP = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
LONGEST_UID = 64


def source_of(study: Mapping[Hashable, Any]) -> tuple[Dataset, ...]:
    """The images that a study was measured from, or of a refused one those it is made of, without pixels.

    Each is a copy that holds identity, geometry and no other text; elements that an object must have and the source lacks are
    there, and empty.

    Args:
        study: `dicom_files`, paths in JSON in the order of the slices, and `dicom_sha256` (`LoadStudyd`); of a refused study
            else `image`, the path or paths of its entry, and `input_sha256`.

    Returns:
        () where it came as no DICOM, does not say which study it is of or which objects it is made of, is gone, or is another one
        by now: a mask must not come to a patient whose images were put there since.
    """
    stated = study.get("dicom_files")
    paths = [Path(path) for path in json.loads(stated)] if stated else []
    instances: Sequence[Instance | None] = list(map(_readable, paths)) if stated else _of_refused(study.get("image"))
    with quiet_pydicom():
        if _is_another(study, paths):
            return ()
        known = [one for one in instances if one is not None and _is_identified(one)]
        return tuple(map(reduced, known)) if len(known) == len(instances) else ()


def _is_another(study: Mapping[Hashable, Any], paths: Sequence[Path]) -> bool:
    """Whether files are not those that were read; asked once their headers are. Args: paths: of `dicom_files`, if it has them."""
    if paths:
        return study.get("dicom_sha256", "") not in ("", input_sha256(paths))
    return study.get("input_sha256", "") not in ("", input_sha256(study["image"])) if _is_path(study.get("image")) else False


def _is_path(image: Any) -> bool:
    return isinstance(image, str | Path) or isinstance(image, list) and all(isinstance(one, str | Path) for one in image)


def _of_refused(image: Any) -> Sequence[Instance | None]:
    """The first image of each series of a study that was refused, where it is one study of one patient and nobody else's."""
    try:
        paths = [Path(one) for one in ([image] if isinstance(image, str | Path) else image)]
        instances = [one for one in map(_readable, dicom_files(paths)) if one is not None]
        studies = studies_of(instances)
    except (StudyRefused, OSError, TypeError, ValueError):  # no paths: the study went further, and was no DICOM
        return []
    if len(studies) != 1 or studies[0].problem is not None:
        return []
    return [*{one.series: one for one in reversed(studies[0].instances)}.values()][::-1]


def _readable(path: Path) -> Instance | None:
    try:
        return read_instance(path)
    except StudyRefused:
        return None


def _is_identified(instance: Instance) -> bool:
    return all(0 < len(text(instance.header, keyword)) <= LONGEST_UID for keyword in UIDS)


def reduced(instance: Instance) -> Dataset:
    """A header with what a new object needs of it, and nothing more."""
    header, copy = instance.header, Dataset()
    for keyword in UIDS:
        setattr(copy, keyword, text(header, keyword))
    for keyword in IDENTITY:
        value = header.get(keyword)
        if value or keyword != "IssuerOfPatientID":  # which alone may be absent
            setattr(copy, keyword, str(value or ""))
    for keyword, form in VALID.items():
        found = text(header, keyword)
        setattr(copy, keyword, found if form.fullmatch(found) else "")
    for keyword in OF_THE_IMAGE:
        if keyword in header:
            setattr(copy, keyword, header[keyword].value)
    for keyword in GROUPS:
        if keyword in header:
            setattr(copy, keyword, _groups(header[keyword].value))
    # An object's planes lie in a space. Where the source names none, theirs is that of its series alone.
    copy.FrameOfReferenceUID = text(header, "FrameOfReferenceUID") or made_of("space", copy.SeriesInstanceUID)
    copy.PositionReferenceIndicator = ""
    copy.SliceThickness = (finite_numbers(header, "SliceThickness", 1) or (None,))[0]
    return copy


def _groups(groups: Iterable[Dataset]) -> Items:
    return Items([_only(group, OF_A_GROUP) for group in groups])


def _only(data: Dataset, keywords: Sequence[str]) -> Dataset:
    copy = Dataset()
    for keyword in keywords:
        if keyword in data:
            setattr(copy, keyword, data[keyword].value)
    return copy
