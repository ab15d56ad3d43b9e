"""The series of a study, each as the volumes or radiographs that it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from caveat.reasons import StudyRefused

from .frame import Frame, frames_of
from .guarded_header import guarded_header
from .header_values import text, whole_number
from .instance import Instance
from .pixel_layout import SECONDARY_CAPTURE
from .quiet_pydicom import quiet_pydicom
from .radiograph import is_projection
from .single_slices import with_single_slices_joined
from .stacks import main_stack
from .stated_counts import is_short_of_images
from .studies import Study
from .temporal import volumes_of


@dataclass(frozen=True)
class Series:
    """What can be chosen from a study: one volume, or one radiograph.

    Args:
        number: from 1 within the study; the same whatever the files are called.
        parent: number of the series that it is a part of, from 1: volumes of one series share it.
        instance: one of its files, for what the header says of the whole.
        frames: its slices, in no order; those that could be made where there is a problem.
        problem: what keeps it from being read; AMBIGUOUS_TEMPORAL where it is one of several volumes of a series, which a
            choice by number settles.
        is_joined: whether its slices say that each is a series of its own.
        is_short: whether its series says that it has more images than are here.
        scout_left_out: whether an image of its series is taken for a scout that might be a slice.
    """

    number: int
    parent: int
    instance: Instance
    frames: tuple[Frame, ...]
    problem: StudyRefused | None = None
    is_joined: bool = False
    is_short: bool = False
    scout_left_out: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """SERIES_JOINED, ONE_OF_SEVERAL, FEWER_SLICES, SCOUT_LEFT_OUT: each where it holds."""
        holds = {
            "SERIES_JOINED": self.is_joined,
            "ONE_OF_SEVERAL": self.problem is not None and self.problem.code == "AMBIGUOUS_TEMPORAL",
            "FEWER_SLICES": self.is_short,
            "SCOUT_LEFT_OUT": self.scout_left_out,
        }
        return tuple(flag for flag, held in holds.items() if held)

    @property
    def modality(self) -> str:
        """As its header says, such as "CT"."""
        return text(self.instance.header, "Modality")

    @property
    def is_radiograph(self) -> bool:
        """Whether it is one projection image."""
        return len(self.frames) == 1 and is_projection(self.instance.header)


def series_of(study: Study) -> list[Series]:
    """Split a study into what can be read from it.

    Ordered by series number, then by identifier, then by what tells the volumes of one series apart; never by file names.
    """
    by_series: dict[str, list[Instance]] = defaultdict(list)
    with quiet_pydicom():
        for instance in study.instances:
            by_series[instance.series].append(instance)
        by_series, joined = with_single_slices_joined(by_series)
        found: list[Series] = []
        for parent, uid in enumerate(sorted(by_series, key=lambda uid: _order(by_series[uid], uid)), start=1):
            members = sorted(by_series[uid], key=lambda one: (text(one.header, "SOPInstanceUID"), one.path))
            parts = enumerate(_parts(members, parent), start=len(found) + 1)
            found += [replace(one, number=number, is_joined=uid in joined) for number, one in parts]
    return found


def _order(members: Sequence[Instance], uid: str) -> tuple[int, str]:
    stated = [whole_number(instance.header, "SeriesNumber") for instance in members]
    return min((number for number in stated if number is not None), default=2**31), uid


def _parts(members: Sequence[Instance], parent: int) -> list[Series]:
    """The parts of one series, not numbered yet; one with a problem where it cannot be split."""
    try:
        with guarded_header():
            return list(_split(members, parent))
    except StudyRefused as refusal:
        return [Series(0, parent, members[0], (), refusal)]


def _split(members: Sequence[Instance], parent: int) -> Iterator[Series]:
    _refuse_incomplete_concatenations(members)
    frames = [frame for instance in members for frame in frames_of(instance)]
    _refuse_captures(members, frames)
    if all(is_projection(instance.header) for instance in members) and len(frames) == len(members):
        yield from (Series(0, parent, frame.instance, (frame,)) for frame in frames)
        return
    main, problem, doubtful = main_stack(frames)
    if problem is not None:
        yield Series(0, parent, main[0].instance, main, problem)
        return
    volumes = volumes_of(main)
    if len(volumes) > 1:
        problem = StudyRefused("AMBIGUOUS_TEMPORAL", f"{len(volumes)} volumes in one series")
    told = {"is_short": is_short_of_images(frames), "scout_left_out": doubtful}
    yield from (Series(0, parent, volume[0].instance, volume, problem, **told) for volume in volumes)


def _refuse_captures(members: Sequence[Instance], frames: Sequence[Frame]) -> None:
    """Pictures of a screen: captured, in colour or without a place; and images in colour of any other kind.

    Raises:
        StudyRefused: SECONDARY_CAPTURE, UNSUPPORTED_PIXEL_FORMAT.
    """
    coloured = [instance.sop_class for instance in members if instance.header.get("SamplesPerPixel", 1) != 1]
    if not all(sop_class.startswith(SECONDARY_CAPTURE) for sop_class in coloured):
        raise StudyRefused("UNSUPPORTED_PIXEL_FORMAT", f"{len(coloured)} of {len(frames)} images in colour")
    placeless = sum(
        frame.instance.sop_class.startswith(SECONDARY_CAPTURE)
        and frame.orientation is None
        and not is_projection(frame.instance.header)
        for frame in frames
    )
    if coloured or placeless:
        raise StudyRefused("SECONDARY_CAPTURE", f"{max(len(coloured), placeless)} of {len(frames)} images")


def _refuse_incomplete_concatenations(members: Sequence[Instance]) -> None:
    """An object that was split into parts is read only where all parts are here, and say how many there are.

    Raises:
        StudyRefused: INCOMPLETE_CONCATENATION.
    """
    numbers: dict[str, set[int | None]] = defaultdict(set)
    totals: dict[str, set[int | None]] = defaultdict(set)
    for instance in members:
        uid = text(instance.header, "ConcatenationUID")
        if uid or "InConcatenationNumber" in instance.header:
            numbers[uid].add(instance.header.get("InConcatenationNumber"))
            totals[uid].add(instance.header.get("InConcatenationTotalNumber"))
    for uid, found in numbers.items():
        (total, *others) = totals[uid]
        if others or not isinstance(total, int):
            raise StudyRefused("INCOMPLETE_CONCATENATION", f"{len(found)} parts of a number that is not stated")
        if found != set(range(1, total + 1)):
            raise StudyRefused("INCOMPLETE_CONCATENATION", f"{len(found)} of {total} parts")
