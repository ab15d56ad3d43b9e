"""Whose image a file says it is, and of which study and series: what all files of one series must agree on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from caveat.reasons import StudyRefused

from .header_values import comparable, text
from .identity_keywords import DATES, IDENTIFIERS, PATIENT, SERIES, STUDY, WHERE_IDENTIFIERS_ARE_LOST
from .instance import Instance
from .radiograph import is_projection


def contradiction(instances: Sequence[Instance]) -> StudyRefused | None:
    """What the files of one series say two things of, though it belongs to the patient, the study or the series.

    What a file leaves out contradicts nothing, but for whose image it is: a patient's number (or the name, where no file has a
    number) that only some files have is another's, or was taken from the others.

    Source: DICOM PS3.3, C.7.1.1 (patient), C.7.2.1 and C.7.2.2 (study), C.7.3.1 (series), C.7.5.1 (equipment).
    """
    lost = () if all(instance.is_identified for instance in instances) else WHERE_IDENTIFIERS_ARE_LOST
    for keyword in (*IDENTIFIERS, "PatientName", *PATIENT, *STUDY, *SERIES, *lost):
        said = {_said(instance, keyword) for instance in instances} - {""}
        if len(said) > 1:
            return StudyRefused("CONFLICTING_IDENTITY", f"{len(said)} different values of {keyword} in one series")
    for keyword in DATES if lost else ():
        days = [day for instance in instances if (day := _day(instance, keyword))]
        if days and max(days) - min(days) > 1:
            return StudyRefused("CONFLICTING_IDENTITY", f"{max(days) - min(days)} days between images of one series")
    for keyword in ("PatientID", "PatientName"):
        named = sum(bool(_said(instance, keyword)) for instance in instances)
        if 0 < named < len(instances):
            return StudyRefused("CONFLICTING_IDENTITY", f"{keyword} in {named} of {len(instances)} images of one series")
        if named:
            break
    return None


def patient_of(instance: Instance) -> str:
    """The patient's number; the name where there is none."""
    return text(instance.header, "PatientID") or _name(instance)


def identified(images: Iterable[Instance]) -> list[Instance]:
    """The same images, each with a name of its study and its series, also where an anonymiser has taken them.

    Where it has emptied the identifiers, the files of one folder, in one frame of reference and of one series number, are taken
    for one series; where it has set those of the images themselves alike, the series stays what it is. Either way
    `is_identified` says so. A radiograph is a study by itself.
    """
    by_series: dict[str, list[Instance]] = defaultdict(list)
    for image in images:
        by_series[image.series if image.study else ""].append(image)
    found = [_named_by_place(image) for image in by_series.pop("", [])]
    for members in by_series.values():
        slices = [image for image in members if not is_projection(image.header)]
        alike = len(slices) > 1 and len({text(image.header, "SOPInstanceUID") for image in slices}) == 1
        found += [replace(image, is_identified=False) for image in members] if alike else members
    return found


def torn_series(images: Iterable[Instance]) -> list[list[Instance]]:
    """Images of which nobody can say whether they are one series.

    In one folder, where only some have lost their identifiers; and in several folders, where all have: if nothing else tells them
    apart.
    """
    places: dict[tuple[object, ...], list[Instance]] = defaultdict(list)
    lost: dict[tuple[str, ...], list[Instance]] = defaultdict(list)
    for image in images:
        stated, frame, *others = _kept(image)
        if not is_projection(image.header):
            places[image.folder, frame, *others, image.header.Rows, image.header.Columns].append(image)
        if not image.is_identified and (stated or frame):
            lost[_kept(image)].append(image)
    halves = [members for members in places.values() if len({image.is_identified for image in members}) > 1]
    return halves + [members for members in lost.values() if len({image.folder for image in members}) > 1]


def _named_by_place(image: Instance) -> Instance:
    if is_projection(image.header):
        return replace(image, study=f"\0{image.path}", series=f"\0{image.path}", is_identified=False)
    series = "\0".join(("", str(image.folder), *_kept(image)))
    return replace(image, study=f"\0{image.folder}", series=series, is_identified=False)


def _kept(image: Instance) -> tuple[str, ...]:
    """What tells series apart where identifiers were lost."""
    stated = text(image.header, "SeriesInstanceUID")
    return (stated, *(comparable(image.header, keyword) for keyword in ("FrameOfReferenceUID", "SeriesNumber", "Modality")))


def _said(instance: Instance, keyword: str) -> str:
    if keyword == "PatientName":
        return _name(instance)
    return text(instance.header, keyword) if keyword in IDENTIFIERS else comparable(instance.header, keyword)


def _day(instance: Instance, keyword: str) -> int:
    """A date as a number of days, 0 where there is none."""
    try:
        return datetime.strptime(text(instance.header, keyword), "%Y%m%d").toordinal()
    except ValueError:
        return 0


def _name(instance: Instance) -> str:
    """The patient's name without what differs between writers: capitals and empty components."""
    return " ".join(str(instance.header.get("PatientName") or "").replace("^", " ").lower().split())
