"""Degraded copies of a list: files that are read again, labels and landmarks that fit, streams drawn per unit."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from dicom_grid import Grid
from dicom_phantoms import clean_series, radiograph, write
from landmark_bundle import SOURCE
from phantoms import fundus, write_hippocampus_crop
from PIL import Image
from pydicom import dcmwrite

from caveat.inference.stored.stored_study import read_map
from caveat.inference.stress.degraded import Degradation, dimensions_of, write_degraded
from caveat.inference.stress.mixed_stream import CLEAN, read_stream, write_stream
from caveat.inference.stress.strengths import chosen_degradations, read_strengths
from caveat.inference.stress.stress_set import ListPart, write_set
from caveat.reasons import StudyRefused
from caveat.transforms.corruptions.corruption import all_corruptions
from caveat.transforms.files.nifti_maps import write_nifti
from caveat.transforms.landmarks.points_table import read_all_points, write_points
from caveat.transforms.study.inspect_study import inspect_study

ROOT = Path(__file__).resolve().parents[2]
STREAM = ROOT / "data_lists" / "hippocampus_stream.yaml"


def entry_of(image: Path, labels: list[Path], unit: str = "subject 1") -> dict:
    return {
        "image": image.name,
        "label": [label.name for label in labels],
        "unit": unit,
        "sha256": hashlib.sha256(image.read_bytes()).hexdigest(),
    }


@pytest.fixture
def crop(tmp_path):
    image = write_hippocampus_crop(tmp_path / "crop.nii.gz")
    return entry_of(image, [tmp_path / "crop_label.nii.gz"])


@pytest.fixture
def photograph(tmp_path):
    pixels, vessels, field = fundus(60, 70)
    for name, content in (("photo.png", pixels), ("truth.png", vessels), ("field.png", field)):
        Image.fromarray(content if content.ndim == 3 else (content * 255).astype(np.uint8)).save(tmp_path / name)
    return entry_of(tmp_path / "photo.png", [tmp_path / "truth.png"]) | {"region": "field.png"}


ROWS = [("senior", "Sella"), ("senior", "Nasion"), ("junior", "Sella"), ("junior", "Nasion")]
PLACES = np.array([[30.5, 60.0], [29.5, 34.5], [20.0, 61.0], [40.0, 35.0]])


@pytest.fixture
def film(tmp_path):
    """60 x 70 pixels of 0.2 mm; its landmarks lie in another folder."""
    Image.fromarray(fundus(60, 70)[0][..., 1]).save(tmp_path / "film.png")
    (tmp_path / "prepared").mkdir()
    write_points(tmp_path / "prepared" / "film.csv", ROWS, PLACES)
    entry = entry_of(tmp_path / "film.png", [])
    del entry["label"]
    return entry | {"points": "film.csv", "spacing_mm": [0.2, 0.2]}


def test_landmarks_of_every_rater_are_written_where_they_went(film, tmp_path):
    """A quarter turn about (29.5, 34.5): what was below the middle lies left of it."""
    ((written,), refused) = write_degraded(
        [(film, Degradation("rotation", 90.0))], tmp_path, tmp_path / "out", tmp_path / "prepared"
    )
    rows, places = read_all_points(tmp_path / "out" / written["points"])
    assert refused == [] and rows == ROWS and written["spacing_mm"] == [0.2, 0.2] and "label" not in written
    down, right = (PLACES - [29.5, 34.5]).T
    np.testing.assert_allclose(places, np.stack([29.5 + right, 34.5 - down], axis=1), atol=1e-4)
    _, refused = write_degraded([(film, None), (film | {"points": "no.csv"}, None)], tmp_path, tmp_path / "other", tmp_path)
    assert [row["code"] for row in refused] == ["NO_TRUTH", "NO_TRUTH"]


def test_lengths_are_mm_where_the_list_says_how_large_a_pixel_is(film, tmp_path):
    """A displacement of 1.5 mm is 7.5 pixels; without a spacing 1.5 thousandths of 60 pixels are 0.09."""
    bare = {key: value for key, value in film.items() if key != "spacing_mm"}
    moved = {}
    for name, entry, strength in (("mm", film, 0.3), ("bare", bare, 0.3)):
        pairs = [(entry, Degradation("elastic", strength))]
        ((written,), _) = write_degraded(pairs, tmp_path, tmp_path / name, tmp_path / "prepared")
        moved[name] = np.linalg.norm(read_all_points(tmp_path / name / written["points"])[1] - PLACES, axis=1).mean()
        assert ("spacing_mm" in written) == (name == "mm")
    assert 0.5 < moved["mm"] < 4 and moved["bare"] < 0.1


def test_a_set_is_written_once_for_the_same_list_and_strength(film, tmp_path):
    part = ListPart("stress", [film, film | {"points": "no.csv"}], tmp_path, tmp_path / "prepared")
    out, done = tmp_path / "out", Degradation("blur", 0.4)
    refused = write_set(part, done, out, reuse=True)
    first = (out / "list.json").read_bytes()
    (out / "list.json").write_text("kept")
    assert write_set(part, done, out, reuse=True) == refused and refused[0]["code"] == "NO_TRUTH"
    assert (out / "list.json").read_text() == "kept"
    for other in ((part, Degradation("blur", 0.5)), (ListPart("test", part.entries, tmp_path, tmp_path / "prepared"), done)):
        with pytest.raises(StudyRefused, match="OUTPUT_OF_ANOTHER_RUN"):
            write_set(*other, out, reuse=True)
        assert (out / "list.json").read_text() == "kept"
    write_set(part, done, out, reuse=False)
    assert (out / "list.json").read_bytes() == first


@pytest.mark.parametrize("name,strength", [("blur", 1.2), ("rotation", 20), ("crop", 0.2)])
def test_a_volume_is_read_again_and_its_label_fits(name, strength, crop, tmp_path):
    ((written,), _) = write_degraded([(crop, Degradation(name, strength))], tmp_path, tmp_path / "out")
    found = inspect_study(tmp_path / "out" / written["image"], sha256=written["sha256"])
    label, affine = read_map(tmp_path / "out" / written["label"][0])
    assert found.sha256 != crop["sha256"] and written["unit"] == crop["unit"]
    assert written["degradation"] == {"corruption": name, "strength": strength}
    assert label.shape == found.image.voxels.shape[1:] and label.dtype == np.uint8
    np.testing.assert_allclose(affine, found.image.affine)
    assert (name == "crop") == (label.shape != (35, 50, 36))


def test_a_volume_of_no_known_size_takes_what_depends_on_none_and_still_has_none(crop, tmp_path):
    """Noise is a share of intensities; a blur has a width in mm."""
    for file in (crop["image"], *crop["label"]):
        write_nifti(tmp_path / file, read_map(tmp_path / file)[0], np.diag([-1.0, -1.0, 1.0, 1.0]), sized=False)
    bare = crop | {"sha256": hashlib.sha256((tmp_path / crop["image"]).read_bytes()).hexdigest()}
    done = [None, Degradation("rician_noise", 0.1), Degradation("blur", 1.0)]
    (copied, noisy), refused = write_degraded([(bare, one) for one in done], tmp_path, tmp_path / "out")
    assert [(row["code"], row["found"]) for row in refused] == [("MISSING_SPACING", "blur depends on it")]
    assert copied["sha256"] == bare["sha256"] != noisy["sha256"]
    for path in (noisy["image"], *noisy["label"]):
        image = inspect_study(tmp_path / "out" / path).image
        assert image.spacing_mm is None and np.array_equal(np.diag(image.affine), [-1, -1, 1, 1])


@pytest.mark.parametrize("name", sorted(all_corruptions()))
def test_a_photograph_stays_one(name, photograph, tmp_path):
    """8 bits, colours clipped as a camera does, raters' masks and region beside it."""
    ((written,), _) = write_degraded([(photograph, Degradation(name, 0.3))], tmp_path, tmp_path / "out")
    pixels = tifffile.imread(tmp_path / "out" / written["image"])
    assert pixels.dtype == np.uint8 and pixels.shape[2] == 3
    found = inspect_study(tmp_path / "out" / written["image"])
    np.testing.assert_array_equal(np.moveaxis(found.image.voxels, 0, -1), pixels)
    for label in (written["label"][0], written["region"]):
        mask, _ = read_map(tmp_path / "out" / label)
        assert mask.shape == pixels.shape[:2] and set(np.unique(mask)) == {0, 1}


def test_a_folder_of_dicom_files_gives_no_name(tmp_path):
    grid = Grid()
    write(clean_series(grid), tmp_path / "Miller")
    nibabel.save(nibabel.Nifti1Image(np.ones(grid.shape, np.uint8), grid.affine), tmp_path / "label.nii.gz")
    entry = {"image": "Miller", "label": ["label.nii.gz"], "unit": "1", "sha256": inspect_study(tmp_path / "Miller").sha256}
    ((written,), refused) = write_degraded([(entry, Degradation("blur", 1))], tmp_path, tmp_path / "out")
    assert refused == [] and written["image"] == "images/study-0001.nii.gz"
    assert not [path for path in (tmp_path / "out").rglob("*") if "Miller" in path.name]


def test_depth_is_kept(tmp_path):
    random = np.random.default_rng(0)
    pictures = {
        "deep.tif": random.integers(0, 60000, (30, 40)).astype(np.uint16),
        "real.tif": random.random((30, 40)).astype(np.float32),
    }
    for name, pixels in pictures.items():
        tifffile.imwrite(tmp_path / name, pixels)
        ((written,), _) = write_degraded([(entry_of(tmp_path / name, []), Degradation("blur", 30))], tmp_path, tmp_path / "out")
        assert tifffile.imread(tmp_path / "out" / written["image"]).dtype == pixels.dtype
        assert "label" in written and not written["label"]


@pytest.mark.parametrize(
    ("lowest", "highest", "dtype"), [(-12_000, 13_500, np.int16), (0, 70_000, np.float32), (-200_000, 9, np.float32)]
)
def test_what_lies_below_zero_or_above_16_bits_is_not_cut_off(lowest, highest, dtype, tmp_path):
    """Signed pictures were clipped at 0, and the network was tested on half of their values."""
    rows, columns = np.mgrid[:60, :70]
    tifffile.imwrite(tmp_path / "x.tif", (lowest + (highest - lowest) * (rows + columns) // 127).astype(np.int32))
    entry = entry_of(tmp_path / "x.tif", [])
    write_degraded([(entry, Degradation("intensity", 0.01))], tmp_path, tmp_path / "out")
    written = tifffile.imread(tmp_path / "out/images/x.tif")
    assert written.dtype == dtype
    assert abs(written.min() - lowest) < 0.05 * (highest - lowest) and abs(written.max() - highest) < 0.05 * (highest - lowest)


def test_clean_is_the_same_file_and_degrading_repeats(crop, tmp_path):
    wanted = [(crop, None), (crop, Degradation("motion", 1.0)), (crop, Degradation("motion", 2.0))]
    first, _ = write_degraded(wanted, tmp_path, tmp_path / "a")
    second, _ = write_degraded(wanted, tmp_path, tmp_path / "b")
    assert first == second
    assert first[0]["sha256"] == crop["sha256"] and "degradation" not in first[0]
    assert len({entry["sha256"] for entry in first}) == len({entry["image"] for entry in first}) == 3


def test_files_that_share_their_bytes_with_an_original_are_written_anew(crop, tmp_path):
    """A tool that saves room makes a clean copy, which is the same file, a second name of the original."""
    wanted = [(crop, None), (crop, Degradation("motion", 1.0))]
    written, _ = write_degraded(wanted, tmp_path, tmp_path / "a")
    original, copies = tmp_path / crop["image"], [tmp_path / "a" / entry["image"] for entry in written]
    for copy in copies:
        copy.unlink()
        os.link(original, copy)
    before = original.read_bytes()
    again, refused = write_degraded(wanted, tmp_path, tmp_path / "a")
    assert again == written and not refused and original.read_bytes() == before
    assert not any(copy.samefile(original) for copy in copies)


def test_a_clean_copy_of_a_dicom_radiograph_is_found_again(tmp_path):
    dcmwrite(tmp_path / "dx.dcm", radiograph(), enforce_file_format=True)
    read = inspect_study(tmp_path / "dx.dcm")
    entry = {"image": "dx.dcm", "label": [], "unit": "subject 1", "sha256": read.sha256}
    ((written,), refused) = write_degraded([(entry, None)], tmp_path, tmp_path / "out")
    assert not refused and written["sha256"] == read.sha256
    assert inspect_study(tmp_path / "out" / written["image"], sha256=written["sha256"]).kind == read.kind


def test_what_does_not_fit_is_refused_and_the_others_are_written(crop, tmp_path):
    label = nibabel.load(tmp_path / "crop_label.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.asarray(label.dataobj), np.diag([1, 1, 2, 1])), tmp_path / "off.nii.gz")
    (tmp_path / "cut.nii.gz").write_bytes((tmp_path / "crop.nii.gz").read_bytes()[:200])
    (tmp_path / "cut_label.nii.gz").write_bytes((tmp_path / "crop_label.nii.gz").read_bytes()[:60])
    wrong = {
        "INPUT_CHANGED": {"sha256": "0" * 64},
        "NO_TRUTH": {"label": ["nowhere.nii.gz"]},
        "LABEL_OFF_GRID": {"label": ["off.nii.gz"]},
        "TRUNCATED": {"image": "cut.nii.gz", "sha256": ""},
        "CORRUPT": {"label": ["cut_label.nii.gz"]},
    }
    entries = [crop | change | {"unit": code} for code, change in wrong.items()]
    pairs = [(entry, Degradation("blur", 1.0)) for entry in [*entries, crop]]
    (written,), refused = write_degraded(pairs, tmp_path, tmp_path / "out")
    assert written["unit"] == "subject 1" and [row["unit"] for row in refused] == list(wrong)
    assert [row["code"] for row in refused] == list(wrong)
    assert dimensions_of(entries[3:], tmp_path) == 3
    with pytest.raises(StudyRefused, match="NO_INPUT_FOUND: none of 1 images"):
        dimensions_of(entries[3:4], tmp_path)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_shipped_strengths_are_there_for_both_kinds(dimensions, tmp_path):
    strengths = read_strengths(tmp_path, dimensions)
    assert {"rotation", "elastic", "gaussian_noise", "blur", "contrast", "resolution", "crop", "occlusion"} <= set(strengths)
    assert dimensions == 2 or set(strengths) == set(all_corruptions()) - {"scatter"}
    assert all(len(levels) == 4 for levels in strengths.values())
    assert len(chosen_degradations(strengths, "all")) == 4 * len(strengths)


def test_a_bundle_has_strengths_of_its_own(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "stress.yaml").write_text("picture:\n  blur: [3, 1]\n")
    strengths = read_strengths(tmp_path, 2)
    assert chosen_degradations(strengths, "all") == [Degradation("blur", 1.0), Degradation("blur", 3.0)]
    assert chosen_degradations(strengths, "motion", [2.0]) == [Degradation("motion", 2.0)]
    assert chosen_degradations(strengths, "rotation", [15.0, -15.0])[0] == Degradation("rotation", -15.0)
    for wrong in (("nonsense", None), ("motion", None), ("all", [1.0]), ("blur", [0.0]), ("blur", [-1.0]), ("rotation", [0.0])):
        with pytest.raises(StudyRefused, match="WRONG_USAGE"):
            chosen_degradations(strengths, *wrong)


def test_the_hippocampus_stream_deals_what_it_says():
    stream = read_stream(STREAM)
    drawn = [stream.draw(f"subject {number}") for number in range(3000)]
    for stratum in stream.strata:
        own = [done for name, done in drawn if name == stratum.name]
        assert len(own) / len(drawn) == pytest.approx(stratum.share, abs=0.03)
        for name, (low, high) in stratum.corruptions.items():
            strengths = [done.strength for done in own if done.corruption == name]
            assert len(strengths) / len(own) == pytest.approx(1 / len(stratum.corruptions), abs=0.07)
            assert low <= min(strengths) and max(strengths) <= high
    assert all((name == CLEAN) == (done is None) for name, done in drawn)
    assert stream.draw("subject 7") == read_stream(STREAM).draw("subject 7")


def test_both_scans_of_a_unit_share_its_fate(tmp_path):
    data = {"training": [{"image": "elsewhere.nii.gz", "unit": "subject 0", "sha256": "1" * 64}], "test": []}
    for number in range(6):
        image = write_hippocampus_crop(tmp_path / f"scan{number}.nii.gz", seed=number)
        data["test"].append(entry_of(image, [tmp_path / f"scan{number}_label.nii.gz"], f"subject {number // 2 + 1}"))
    (tmp_path / "list.json").write_text(json.dumps(data))
    counts = write_stream(tmp_path / "list.json", ["test"], read_stream(STREAM), tmp_path, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "list.json").read_text())
    assert written["training"] == data["training"]
    assert sum(counts["test"].values()) == 6
    for left, right in zip(written["test"][::2], written["test"][1::2], strict=True):
        assert left["unit"] == right["unit"] and left["stratum"] == right["stratum"]
        assert left.get("degradation") == right.get("degradation")
    for entry, before in zip(written["test"], data["test"], strict=True):
        assert (entry["sha256"] == before["sha256"]) == (entry["stratum"] == CLEAN)
    with pytest.raises(StudyRefused, match="WRONG_USAGE"):
        write_stream(tmp_path / "list.json", ["nonsense"], read_stream(STREAM), tmp_path, tmp_path / "other")


WRONG = {
    "no seed": "strata: {mild: {share: 0.1, corruptions: {blur: [1, 2]}}}",
    "more than all": "{seed: 1, strata: {mild: {share: 1.1, corruptions: {blur: [1, 2]}}}}",
    "less than none": "{seed: 1, strata: {mild: {share: -0.1, corruptions: {blur: [1, 2]}}}}",
    "unknown": "{seed: 1, strata: {mild: {share: 0.1, corruptions: {haze: [1, 2]}}}}",
    "a blur to the other side": "{seed: 1, strata: {mild: {share: 0.1, corruptions: {blur: [-2, 1]}}}}",
    "falling": "{seed: 1, strata: {mild: {share: 0.1, corruptions: {blur: [2, 1]}}}}",
    "nothing to do": "{seed: 1, strata: {mild: {share: 0.1, corruptions: {}}}}",
    "no mapping": "[1, 2]",
    "no YAML": "{",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_a_stream_that_makes_no_sense_is_refused(text, tmp_path):
    (tmp_path / "stream.yaml").write_text(text)
    with pytest.raises(StudyRefused, match="WRONG_USAGE"):
        read_stream(tmp_path / "stream.yaml")


def test_a_stream_turns_to_both_sides(tmp_path):
    (tmp_path / "stream.yaml").write_text("{seed: 1, strata: {turned: {share: 1, corruptions: {rotation: [-20, 20]}}}}")
    stream = read_stream(tmp_path / "stream.yaml")
    strengths = [stream.draw(f"patient {number}")[1].strength for number in range(40)]
    assert min(strengths) < -10 and max(strengths) > 10


def test_the_landmark_bundle_states_both_experiments():
    strengths = read_strengths(SOURCE, 2)
    assert strengths["rotation"] == [angle for angle in range(-45, 46, 3) if angle] and len(strengths["elastic"]) == 8
    assert len(chosen_degradations(strengths, "all")) == 38
