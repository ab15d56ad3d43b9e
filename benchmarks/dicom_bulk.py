"""What becomes of real DICOM files, counted; and whether SimpleITK reads the same.

    python benchmarks/dicom_bulk.py FOLDER [FOLDER ...]     # a table; any folders will do

One row a folder: its studies as `caveat check` finds them, each series read with its pixels. SimpleITK gets the files of a volume
that is read: values, spacing, origin and directions must be equal; and those of a single slice, refused as no volume: its values.
Nothing of a file's text is printed.
"""

from __future__ import annotations

import argparse
import collections
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from dicom_table import line

from caveat.reasons import StudyRefused
from caveat.transforms.checks.intensity import refuse_constant
from caveat.transforms.dicom.series import Series, series_of
from caveat.transforms.dicom.values import read_values
from caveat.transforms.dicom.volume import one_study, read_instances, read_series
from caveat.transforms.image.study_image import Stated, StudyImage
from caveat.transforms.study.discover import find_studies
from caveat.transforms.study.inspect_study import dicom_files

SAME_MM, SAME_VALUE = 1e-3, 1e-3
"""Of the affine's entries; of a voxel, relative to the largest."""
UNFORESEEN = "UNEXPECTED_ERROR"


@dataclass
class Counts:
    """What was found in one folder."""

    files: int = 0
    studies: int = 0
    volumes: int = 0
    radiographs: int = 0
    agreeing: int = 0
    compared: int = 0
    equal: int = 0
    single: int = 0
    refused: collections.Counter[str] = field(default_factory=collections.Counter)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    titles = (
        "folder",
        "files",
        "studies",
        "volumes read",
        "as SimpleITK",
        "single slices, values as SimpleITK",
        "radiographs read",
        "refused",
    )
    print(line(*titles), line(*["---"] * len(titles)), sep="\n")
    for folder in parser.parse_args().folders:
        found = counted(folder)
        codes = ", ".join(f"{count} {code}" for code, count in found.refused.most_common())
        agreeing, equal = f"{found.agreeing} of {found.compared}", f"{found.equal} of {found.single}"
        cells = (folder.name, found.files, found.studies, found.volumes, agreeing, equal, found.radiographs, codes)
        print(line(*cells), flush=True)


def counted(folder: Path) -> Counts:
    """Read every DICOM study below a folder."""
    counts = Counts()
    try:
        studies = find_studies(folder)
    except StudyRefused as refused:
        counts.refused[refused.code] += 1
        return counts
    for study in studies:
        image = study["image"]
        files = dicom_files([Path(path) for path in ([image] if isinstance(image, str) else image)])
        counts.files += len(files)
        counts.studies += bool(files)
        for series, read in _series(files) if files else ():
            if isinstance(read, str):
                counts.refused[read] += 1
                other = by_simpleitk(series) if read == "SINGLE_SLICE" and len(series.frames) == 1 else None
                if other is not None:
                    counts.single += 1
                    counts.equal += same_values(read_values(series.frames)[0], other[0])
            elif series.is_radiograph:
                counts.radiographs += 1
            else:
                counts.volumes += 1
                other = by_simpleitk(series)
                counts.compared += other is not None
                counts.agreeing += other is not None and agree(read, *other)
    return counts


def _series(files: list[Path]) -> Iterator[tuple[Series, StudyImage | str] | tuple[None, str]]:
    """Each series of a study, with its image or the code that it is refused with."""
    try:
        found = series_of(one_study(read_instances(files)))
    except StudyRefused as refused:
        yield None, refused.code
        return
    except Exception:  # to be counted, whatever it is
        yield None, UNFORESEEN
        return
    for series in found:
        try:
            if series.problem is not None:
                raise series.problem
            image, _ = read_series(series, Stated())
            refuse_constant(image.voxels)
            yield series, image
        except StudyRefused as refused:
            yield series, refused.code
        except Exception:
            yield series, UNFORESEEN


def by_simpleitk(series: Series) -> tuple[np.ndarray, np.ndarray] | None:
    """The same files, each once, in the order of their places.

    Returns:
        Voxels (x, y, z) and the affine (RAS); None where it cannot.
    """
    frames = [frame for frame in series.frames if frame.position is not None and frame.orientation is not None]
    normal = np.cross(*np.reshape(frames[0].orientation, (2, 3)))
    ordered = sorted({frame.instance.path: frame for frame in frames}.values(), key=lambda frame: float(normal @ frame.position))
    try:
        paths = [str(frame.instance.path) for frame in ordered]
        image = sitk.ReadImage(paths if len(paths) > 1 else paths[0], sitk.sitkFloat64)
    except RuntimeError:
        return None
    if image.GetDimension() != 3:
        return None
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).T, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def agree(image: StudyImage, voxels: np.ndarray, affine: np.ndarray) -> bool:
    """Whether two readers say the same, whichever way the slices are counted."""
    if image.voxels.shape[1:] != voxels.shape:
        return False
    return bool(np.abs(image.affine - affine).max() <= SAME_MM) and same_values(image.voxels[0], voxels)


def same_values(one: np.ndarray, other: np.ndarray) -> bool:
    """Args: one, other: (x, y, z)."""
    return one.shape == other.shape and bool(np.abs(one - other).max() <= SAME_VALUE * max(1.0, float(np.abs(other).max())))


if __name__ == "__main__":
    main()
