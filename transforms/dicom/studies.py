"""Which files belong together: one patient, one study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from caveat.reasons import StudyRefused

from .header_values import text
from .instance import Instance
from .quiet_pydicom import quiet_pydicom


@dataclass(frozen=True)
class Study:
    """The images of one patient's study.

    Args:
        instances: image objects, by path.
        left_out: number of objects that are no images: reports, segmentations, presentation states, dose ...
        problem: what keeps the whole study from being read.
    """

    instances: tuple[Instance, ...]
    left_out: int = 0
    problem: StudyRefused | None = None


def studies_of(instances: Iterable[Instance]) -> list[Study]:
    """Group files by study and patient, in the order of each study's first path.

    Two patients are two studies, also where an anonymiser has given both one study's identifier. A study without images is
    no study.

    Returns:
        Studies; those that share a series with another study or patient carry CONFLICTING_IDENTITY.
    """
    members: dict[tuple[str, str], list[Instance]] = defaultdict(list)
    left_out: dict[tuple[str, str], int] = defaultdict(int)
    owners: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    with quiet_pydicom():
        for instance in sorted(instances, key=lambda one: one.path):
            study = (text(instance.header, "StudyInstanceUID"), _patient(instance))
            if instance.is_image:
                members[study].append(instance)
                owners[instance.header.SeriesInstanceUID].add((*study, _name(instance)))
            else:
                left_out[study] += 1
        return [Study(tuple(found), left_out[study], _conflict(found, owners)) for study, found in members.items()]


def _patient(instance: Instance) -> str:
    """The patient's number; the name where there is none."""
    return text(instance.header, "PatientID") or _name(instance)


def _name(instance: Instance) -> str:
    """The patient's name without what differs between writers: capitals and empty components."""
    return " ".join(str(instance.header.get("PatientName") or "").replace("^", " ").lower().split())


def _conflict(found: Iterable[Instance], owners: dict[str, set[tuple[str, ...]]]) -> StudyRefused | None:
    shared = sum(len(owners[series]) > 1 for series in {instance.header.SeriesInstanceUID for instance in found})
    return StudyRefused("CONFLICTING_IDENTITY", f"{shared} series") if shared else None
