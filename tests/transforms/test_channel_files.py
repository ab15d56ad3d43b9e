"""Channels of one image in a file each: which files belong together, and in which order."""

from __future__ import annotations

import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from phantoms import ellipsoid

from caveat.reasons import StudyRefused
from caveat.transforms.study.discover import find_studies
from caveat.transforms.study.load_study import LoadStudyd

WORDS = ("flair", "t1", "t1ce", "t2")


def write(folder: Path, *names: str) -> None:
    """A volume for each name, whose voxels are their number in the list, from 1, times a phantom."""
    for number, name in enumerate(names, start=1):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        voxels = (number * ellipsoid((8, 7, 6))).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 1.0, 2.0, 1.0])), folder / name)


def grouped(folder: Path, words: tuple[str, ...] = WORDS) -> dict[str, list[str]]:
    """Name of each study to the places of its files."""
    studies = find_studies(folder, channels=words)
    images = {study["name"]: [study["image"]] if isinstance(study["image"], str) else study["image"] for study in studies}
    return {name: [Path(path).relative_to(folder).as_posix() for path in paths] for name, paths in images.items()}


def test_files_whose_names_differ_in_the_channel_alone_are_one_image_in_the_order_of_the_words(tmp_path):
    write(tmp_path, "a_t2.nii.gz", "a_T1.nii.gz", "a_flair.nii.gz", "a_t1ce.nii.gz", "b-t1ce-x.nii", "b-t1-x.nii")
    found = grouped(tmp_path)
    assert found["a"] == ["a_flair.nii.gz", "a_T1.nii.gz", "a_t1ce.nii.gz", "a_t2.nii.gz"]
    assert found["b-x"] == ["b-t1-x.nii", "b-t1ce-x.nii"]


def test_a_folder_an_image_is_named_after_its_folder(tmp_path):
    write(tmp_path, *(f"sub-{number}/{word}.nii.gz" for number in (1, 2) for word in WORDS))
    assert list(grouped(tmp_path)) == ["sub-1", "sub-2"]


def test_images_of_one_name_in_two_folders_stay_two(tmp_path):
    write(tmp_path, "x/a_0000.nii.gz", "x/a_0001.nii.gz", "y/a_0000.nii.gz", "y/a_0001.nii.gz")
    assert [len(files) for files in grouped(tmp_path, ("0000", "0001")).values()] == [2, 2]


def test_two_patients_of_an_archive_stay_two_whatever_their_names_are(tmp_path):
    write(tmp_path / "in", *(f"{name}.nii.gz" for name in ("\u5c71_flair", "\u7530_flair", "\u7530_t1")))
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("\u5c71_flair", "\u7530_flair", "\u7530_t1"):
            archive.write(tmp_path / "in" / f"{name}.nii.gz", f"{name}.nii.gz")
    studies = find_studies(tmp_path / "in.zip", channels=("flair", "t1"))
    paths = [[study["image"]] if isinstance(study["image"], str) else study["image"] for study in studies]
    packed = {path.read_bytes(): path.name[0] for path in (tmp_path / "in").iterdir()}
    assert sorted("".join(packed[Path(path).read_bytes()] for path in files) for files in paths) == ["\u5c71", "\u7530\u7530"]


@pytest.mark.parametrize(
    "one,other", [("\u5c71", "\u7530"), ("P 1", "P_1"), ("-a", "a"), ("P (1)", "P_1_"), ("Bj\u00f6rn", "Bjorn")]
)
def test_two_patients_with_a_channel_each_are_two_in_an_archive(one, other, tmp_path):
    """Their names come to the same one without the word of the channel."""
    write(tmp_path / "in", "image.nii.gz")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in (f"{one}_flair", f"{other}_t1"):
            archive.write(tmp_path / "in" / "image.nii.gz", f"{name}.nii.gz")
    studies = find_studies(tmp_path / "all.zip", channels=("flair", "t1"))
    assert [type(study["image"]) for study in studies] == [str, str]


def test_the_word_stands_at_one_place_of_the_names(tmp_path):
    write(tmp_path, "p_flair_1.nii.gz", "p_1_t1.nii.gz")
    assert sorted(grouped(tmp_path, ("flair", "t1"))) == ["p_1_t1", "p_flair_1"]


@pytest.mark.parametrize(
    "names",
    [
        ("a_flair.nii.gz", "a_t1.nii.gz", "a_t1ce.nii.gz"),
        ("notes.nii.gz",),
        ("a_t1_to_t2.nii.gz",),
        ("a_flair.nii", "a_flair.nii.gz", "a_t1.nii.gz", "a_t1ce.nii.gz", "a_t2.nii.gz"),
    ],
    ids=["one channel is missing", "of no channel", "of two channels", "two files of one channel"],
)
def test_what_is_not_whole_is_found_all_the_same_and_refused_for_its_channels(names, tmp_path):
    write(tmp_path, *names)
    studies = find_studies(tmp_path, channels=WORDS)
    assert sum(1 if isinstance(study["image"], str) else len(study["image"]) for study in studies) == len(names)
    refused = [study for study in studies if isinstance(study["image"], str) or len(study["image"]) < len(WORDS)]
    assert refused
    for study in refused:
        with pytest.raises(StudyRefused, match="WRONG_CHANNELS"):
            LoadStudyd("image", channels=len(WORDS))(dict(study))


def test_channels_on_two_grids_are_refused(tmp_path):
    write(tmp_path, "a_0000.nii.gz")
    nibabel.save(nibabel.Nifti1Image(ellipsoid((8, 7, 5)), np.eye(4)), tmp_path / "a_0001.nii.gz")
    (study,) = find_studies(tmp_path, channels=("0000", "0001"))
    with pytest.raises(StudyRefused, match="CHANNELS_OFF_GRID"):
        LoadStudyd("image", channels=2)(dict(study))
    write(tmp_path, "a_0000.nii.gz", "a_0001.nii.gz")
    image = LoadStudyd("image", channels=2)(dict(find_studies(tmp_path, channels=("0000", "0001"))[0]))["image"]
    assert float(image[1].max()) == pytest.approx(2 * float(image[0].max()))
