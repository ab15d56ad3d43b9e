"""Which files are studies: a folder searched through, or a data list."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from pathlib import Path, PurePath
from typing import Any

from caveat.reasons import StudyRefused

from ..dicom.instance import read_instance
from ..dicom.sibling_names import Pattern, by_number, pattern_of, pattern_of_place
from ..dicom.studies import has_slices, studies_of
from .channel_files import channel_groups
from .data_list import image_of, read_part, sha256_of, spacing_of
from .search import Found, is_known, search
from .studies import Studies
from .study_name import StudyNames, anonymous_name

DATA_ROOT = "../shared/data"
"""Where a data list's paths start from, unless CAVEAT_DATA says otherwise."""


def data_root() -> Path:
    """The folder that the paths of data lists start from. Raises: StudyRefused: NO_DATA_FOLDER."""
    folder = Path(os.environ.get("CAVEAT_DATA", DATA_ROOT))
    if not os.path.isdir(folder):
        raise StudyRefused("NO_DATA_FOLDER", str(folder))
    return folder


def find_studies(path: str | Path, anonymous: bool = False, channels: Sequence[str] = ()) -> Studies:
    """The studies of a file or a folder, in the order of their places.

    The files of one DICOM study are one study, wherever they lie; DICOM objects that are no images are passed over. Every other
    regular file that is named like an image or begins like one is a study, even where it can only be refused; what is
    neither (notes, tables), hidden, a link, or in the folder of a result of ours is passed over. Archives are opened. Subfolders
    that may not be read are studies too, to be refused: none is lost in silence.

    Args:
        path: a file, or a folder that is searched through.
        anonymous: number all studies instead of naming them after their files. DICOM studies always are, and what lies beside
            their files, and what no reader knows, such as a damaged file or an archive: such names may be a patient's.
        channels: words in the names of files that are channels of one image, see `channel_groups`.

    Returns:
        Entries {"image": path, or the paths of a DICOM study, "name": of the result's folder, "number": from 1, "place": below
        `path`, for `key.csv` alone}.

    Raises:
        StudyRefused: UNREADABLE_FOLDER, NO_INPUT_FOUND.
    """
    found = search(Path(path))
    groups = channel_groups([one for one in found if not one.is_dicom], channels)
    groups += [(place_of(group), group) for group in dicom_groups([one for one in found if one.is_dicom])]
    beside = {one.place.parent for one in found if one.is_dicom}
    if not groups:
        passed_over = f"{len(found)} DICOM files, none an image; --point and --roi take regions"
        raise StudyRefused("NO_INPUT_FOUND", passed_over if found else "")
    studies = [
        {
            "image": str(group[0].path) if len(group) == 1 else [str(one.path) for one in group],
            "place": str(place),
            "named": _is_named(group[0], beside),
        }
        for place, group in sorted(groups, key=lambda named: min(one.place.parts for one in named[1]))
    ]
    return _entries(studies, anonymous)


def _is_named(one: Found, dicom_folders: Collection[PurePath]) -> bool:
    """Whether a study may be named after its file: one that a reader knows, and that does not lie beside DICOM files."""
    return not one.is_dicom and one.place.parent not in dicom_folders and is_known(one.path)


def dicom_groups(found: Sequence[Found]) -> list[list[Found]]:
    """The files of each DICOM study.

    A file whose header cannot be read belongs to the study that has slices in its folder, where that is one: it might be the last
    slice, and nothing else would tell that it is missing. Among several it belongs to those of the files before and behind it
    that are named as it is. Where its folder has no slices, it belongs to the studies whose slices lie in several folders beside
    its own, named as it is. Else it stands alone. All are refused when read.
    """
    damaged, instances, by_path = [], [], {one.path: one for one in found}
    for one in found:
        try:
            instances.append(read_instance(one.path))
        except StudyRefused:
            damaged.append(one)
    studies = studies_of(instances)
    groups = [[by_path[path] for one in study.instances for path in (one.source, *one.copies)] for study in studies]
    stacks = [group for study, group in zip(studies, groups, strict=True) if has_slices(study)]
    beside: dict[PurePath, list[tuple[str, list[Found]]]] = defaultdict(list)
    for group in stacks:
        for one in group:
            beside[one.place.parent].append((one.place.name, group))
    scattered = _scattered(stacks)
    hosts = [(one, _hosts(one.place.name, beside[one.place.parent]) or scattered[pattern_of_place(one.place)]) for one in damaged]
    for one, of in hosts:
        for group in of:
            group.append(one)
    return groups + [[one] for one, of in hosts if not of]


def _scattered(stacks: Iterable[list[Found]]) -> dict[Pattern, list[list[Found]]]:
    """Groups that lie in several folders beside each other, by the pattern of their places."""
    found: dict[Pattern, list[list[Found]]] = defaultdict(list)
    for group in stacks:
        folders: dict[Pattern, set[PurePath]] = defaultdict(set)
        for one in group:
            folders[pattern_of_place(one.place)].add(one.place.parent)
        for pattern, of in folders.items():
            found[pattern] += [group] if len(of) > 1 else []
    return found


def _hosts(damaged: str, beside: Sequence[tuple[str, list[Found]]]) -> list[list[Found]]:
    """Groups that a file which cannot be read may be a slice of.

    Args:
        damaged: its name.
        beside: files of its folder that are slices: their names and groups.
    """
    inside = {id(group): group for _, group in beside}
    if len(inside) > 1:
        own, pattern = by_number(damaged), pattern_of(damaged)
        named_so = sorted(((by_number(name), group) for name, group in beside if pattern_of(name) == pattern), key=itemgetter(0))
        before = [group for name, group in named_so if name < own][-1:]
        behind = [group for name, group in named_so if name > own][:1]
        inside = {id(group): group for group in (*before, *behind)}
    return list(inside.values())


def place_of(group: Sequence[Found]) -> PurePath:
    """A file's place, or the innermost folder that holds all files of a study."""
    places = [one.place for one in group]
    return places[0] if len(places) == 1 else PurePath(os.path.commonpath([place.parent for place in places]) or ".")


def studies_from_list(
    list_file: str | Path, part: str, dataset_dir: str | Path | None = None, anonymous: bool = False
) -> Studies:
    """The studies of one part of a data list, in its order.

    Args:
        list_file: JSON in MONAI's form, {part: [{"image": path, "sha256": ..., ...}, ...], ...}; an image of several channels
            has a list of paths, one a channel. "spacing_mm" of an entry is a list of one number, or of one per axis.
        part: such as "test".
        dataset_dir: folder that the list's paths start from, by default `data_root`.
        anonymous: number the studies instead of naming them after their files.

    Returns:
        Entries as of `find_studies`, with "sha256" and "spacing_mm" where the list has them: `LoadStudyd` refuses a file that is
        another one, and one that contradicts the spacing.

    Raises:
        StudyRefused: WRONG_USAGE where the list cannot be read or has no such part, NO_INPUT_FOUND where the part is empty,
            NO_DATA_FOLDER.
    """
    root = data_root() if dataset_dir is None else Path(dataset_dir)
    listed = read_part(Path(list_file), part, ())
    if not listed:
        raise StudyRefused("NO_INPUT_FOUND", "this part of the list is empty")
    studies = []
    for number, entry in enumerate(listed, start=1):
        channels = image_of(entry, number)
        named = os.path.isfile(root / channels[0]) and is_known(root / channels[0])
        paths = [str(root / channel) for channel in channels]
        study = {"image": paths if len(paths) > 1 else paths[0], "place": channels[0], "named": named}
        sha256 = sha256_of(entry, number)
        study |= {"sha256": sha256} if sha256 else {}
        studies.append(study | ({"spacing_mm": spacing_of(entry, number)} if "spacing_mm" in entry else {}))
    return _entries(studies, anonymous)


def _entries(studies: Iterable[dict[str, Any]], anonymous: bool) -> Studies:
    """Replace what a study may be `named` after by its name, and number it."""
    names, entries = StudyNames(), []
    for number, study in enumerate(studies, start=1):
        facts = {key: value for key, value in study.items() if key != "named"}
        named = study["named"] and not anonymous
        name = names.of(PurePath(study["place"]) if named else PurePath(anonymous_name(number)))
        entries.append({**facts, "name": name, "number": number})
    return Studies(entries)
