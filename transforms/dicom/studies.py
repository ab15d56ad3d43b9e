"""Which files belong together: one patient, one study."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caveat.reasons import StudyRefused

from .copies import without_copies
from .identity import contradiction, identified, patient_of, torn_series
from .instance import Instance
from .quiet_pydicom import quiet_pydicom
from .radiograph import is_projection

Owner = tuple[str, str]
"""A study's identifier and its patient."""


@dataclass(frozen=True)
class Study:
    """The images of one patient's study.

    Args:
        instances: image objects, by path; of copies one.
        left_out: number of objects that are no images: reports, segmentations, presentation states, dose ...
        problem: what keeps the whole study from being read.
    """

    instances: tuple[Instance, ...]
    left_out: int = 0
    problem: StudyRefused | None = None


def has_slices(study: Study) -> bool:
    """Whether it may hold a volume in several files, of which one could be missing."""
    return any(not is_projection(one.header) for one in study.instances)


def studies_of(instances: Iterable[Instance]) -> list[Study]:
    """Group files by study and patient, in the order of each study's first path.

    Two patients are two studies, also where an anonymiser has given both one study's identifier. Studies that share a series
    are one, whose problem is CONFLICTING_IDENTITY: nobody can say which of them a file is of. A study without images is no study.
    """
    with quiet_pydicom():
        every = without_copies(sorted(instances, key=lambda one: one.path))
        places = {_matrix(one) for one in every if one.is_image}
        slices = [one for one in every if one.is_image or _matrix(one) in places and _has_place(one)]
        images = sorted(identified(slices), key=lambda one: one.path)
        taken = {one.path for one in slices}
        left_out = Counter(_owner(one) for one in every if one.path not in taken)
        torn = torn_series(images)
        studies = []
        for members in _united(images, torn):
            owners = {_owner(one) for one in members}
            studies.append(Study(tuple(members), sum(left_out[owner] for owner in owners), _problem(members, torn)))
        return studies


def _owner(instance: Instance) -> Owner:
    return instance.study, patient_of(instance)


def _matrix(instance: Instance) -> tuple[object, ...]:
    return instance.series, instance.header.get("Rows"), instance.header.get("Columns")


def _has_place(instance: Instance) -> bool:
    """Whether it has pixels and lies somewhere: a slice, if it is in a series of such, whatever kind of object it says it is."""
    return instance.pixels is not None and "ImagePositionPatient" in instance.header


def _united(images: Sequence[Instance], torn: Iterable[Sequence[Instance]]) -> list[list[Instance]]:
    """Images by their owners, those together whose owners share a series, or a place that identifiers were lost in."""
    parts: dict[Owner, set[Owner]] = {_owner(one): {_owner(one)} for one in images}
    by_series: dict[str, set[Owner]] = defaultdict(set)
    for one in images:
        by_series[one.series].add(_owner(one))
    for sharing in (*by_series.values(), *({_owner(one) for one in members} for members in torn)):
        if len(sharing) > 1:
            whole = set().union(*(parts[owner] for owner in sharing))
            parts |= dict.fromkeys(whole, whole)
    members: dict[int, list[Instance]] = defaultdict(list)
    for one in images:
        members[id(parts[_owner(one)])].append(one)
    return list(members.values())


def _problem(members: Sequence[Instance], torn: Iterable[Sequence[Instance]]) -> StudyRefused | None:
    """What keeps a whole study from being read."""
    paths = {one.path for one in members}
    for half in torn:
        if half[0].path in paths:
            lost = sum(not one.is_identified for one in half)
            return StudyRefused("CONFLICTING_IDENTITY", f"{lost} of {len(half)} images of one series have lost their identifiers")
    by_series: dict[str, list[Instance]] = defaultdict(list)
    for one in members:
        by_series[one.series].append(one)
    return next((problem for found in by_series.values() if (problem := contradiction(found))), None)
