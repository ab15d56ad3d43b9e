"""LoadStudyd: what the pipeline gets, what only the image must be, and nothing of the file's text."""

from __future__ import annotations

import gzip
import io
import os
from contextlib import suppress

import nibabel as nib
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from monai.data import DataLoader, Dataset, decollate_batch
from phantoms import (
    SPACING_MM,
    defective_files,
    ellipsoid,
    fundus,
    nifti_bytes,
    oblique_affine,
    picture_bytes,
    png_chunk,
    raw_png,
)
from PIL import Image

from caveat.reasons import StudyRefused
from caveat.transforms.study.load_study import LoadStudyd

CANARY = "Kanarienvogel"


def write(tmp_path, data, name="file"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def refusal(data, **options):
    return refusal_of(data, list(data), **options)


def refusal_of(entry, keys="image", **options):
    with pytest.raises(StudyRefused) as caught:
        LoadStudyd(keys=keys, **options)(entry)
    return caught.value.code


@pytest.mark.parametrize("form,options", [("JPEG", {"quality": 75}), ("PNG", {}), ("TIFF", {})])
def test_a_grey_picture_in_three_equal_channels_is_grey_where_one_is_read(tmp_path, form, options):
    grey = ellipsoid()[..., 4].astype(np.uint8)
    stored = picture_bytes(np.repeat(grey[..., None], 3, axis=-1), form, **options)
    plain = np.asarray(Image.open(io.BytesIO(picture_bytes(grey, form, **options))))
    entry = {"image": write(tmp_path, stored)}
    assert torch.equal(LoadStudyd(keys="image", channels=1)(entry)["image"].as_tensor(), torch.as_tensor(plain)[None].float())
    assert LoadStudyd(keys="image", channels=3)(entry)["image"].shape == (3, 12, 10)
    almost = np.repeat(grey[..., None], 3, axis=-1)
    almost[3, 4, 2] += 1
    assert refusal_of({"image": write(tmp_path, picture_bytes(almost))}, channels=1) == "WRONG_CHANNELS"


def test_a_photograph_with_its_mask(tmp_path):
    photograph, vessels, _ = fundus()
    image = write(tmp_path, picture_bytes(photograph))
    label = write(tmp_path, picture_bytes(Image.fromarray(vessels)), "label")
    out = LoadStudyd(keys=["image", "label", "region"], allow_missing_keys=True)({"image": str(image), "label": label})
    assert out["image"].shape == (3, 180, 190)
    assert out["image"].dtype == torch.float32
    assert out["image"].is_contiguous()
    assert torch.equal(out["label"].as_tensor(), torch.as_tensor(vessels)[None].float())
    assert torch.equal(out["image"].affine, torch.eye(4, dtype=torch.float64))
    meta = out["image"].meta
    assert meta["input_kind"] == "picture"
    assert meta["input_shape"] == [180, 190]
    assert meta["spacing_source"] == ""
    assert meta["flags"] == ["NO_PIXEL_SPACING"]
    assert "spacing_mm" not in meta
    assert len(meta["input_sha256"]) == 64


def test_a_volume(tmp_path):
    out = LoadStudyd(keys="image")({"image": write(tmp_path, nifti_bytes())})["image"]
    assert out.shape == (1, 12, 10, 8)
    np.testing.assert_allclose(out.affine, oblique_affine(), atol=2e-5)
    np.testing.assert_allclose(out.meta["spacing_mm"], SPACING_MM, rtol=1e-5)
    assert out.meta["spacing_source"] == "NIfTI header"
    assert "flags" not in out.meta


def test_what_is_known_survives_a_data_loader(tmp_path):
    paths = [write(tmp_path, nifti_bytes(xyzt_units=unit), f"volume{unit}") for unit in (0, 2)]
    load = LoadStudyd(keys="image")
    batch = next(iter(DataLoader(Dataset([{"image": path} for path in paths], load), batch_size=2)))
    one, _ = decollate_batch(batch)
    assert one["image"].meta["input_kind"] == "nifti"
    assert one["image"].meta["input_shape"] == [12, 10, 8]


def test_61_a_constant_image_is_refused_but_an_empty_mask_is_not(tmp_path):
    flat = write(tmp_path, picture_bytes(np.zeros((30, 40), np.uint8)))
    assert refusal({"image": flat}) == "CONSTANT_IMAGE"
    assert LoadStudyd(keys="label")({"label": flat})["label"].sum() == 0


def test_61_wrong_channels(tmp_path):
    photograph = write(tmp_path, picture_bytes(fundus()[0]))
    assert refusal({"image": photograph}, channels=1) == "WRONG_CHANNELS"
    assert LoadStudyd(keys="image", channels=3)({"image": photograph})["image"].shape[0] == 3


def test_another_kind_is_refused(tmp_path):
    photograph = write(tmp_path, picture_bytes(fundus()[0]))
    volume = write(tmp_path, nifti_bytes(), "volume")
    assert refusal({"image": photograph}, kinds=("nifti",)) == "NOT_THIS_KIND"
    assert refusal({"image": volume}, kinds="picture") == "NOT_THIS_KIND"


def test_a_file_that_changed_since_it_was_listed_is_refused(tmp_path):
    photograph = write(tmp_path, picture_bytes(fundus()[0]))
    load = LoadStudyd(keys="image")
    sha256 = load({"image": photograph})["image"].meta["input_sha256"]
    assert load({"image": photograph, "sha256": sha256})["image"].shape[0] == 3
    with pytest.raises(StudyRefused, match="INPUT_CHANGED"):
        load({"image": photograph, "sha256": "0" * 64})


@pytest.mark.parametrize("spacing", [0.5, [0.5], (0.5, 0.5)])
def test_spacing_is_stated_once_or_per_axis(spacing, tmp_path):
    photograph = write(tmp_path, picture_bytes(fundus()[0]))
    meta = LoadStudyd(keys="image", spacing=spacing)({"image": photograph})["image"].meta
    assert meta["spacing_mm"] == [0.5, 0.5]
    assert meta["spacing_source"] == "stated by the user"


@pytest.mark.parametrize("user", [None, 0.5, (0.5, 0.25), (0.50001, 0.25)])
def test_a_spacing_of_the_data_list_names_its_source(user, tmp_path):
    entry = {"image": write(tmp_path, picture_bytes(fundus()[0])), "spacing_mm": [0.5] if user == 0.5 else [0.5, 0.25]}
    image = LoadStudyd(keys="image", spacing=user)(entry)["image"]
    assert image.meta["spacing_mm"] == ([0.5, 0.5] if user == 0.5 else [0.5, 0.25])
    assert image.meta["spacing_source"] == "stated by the data list" and "flags" not in image.meta
    np.testing.assert_array_equal(image.affine.diagonal(), [*image.meta["spacing_mm"], 1, 1])


def test_statements_of_one_spacing_that_differ_are_refused(tmp_path):
    photograph, volume = write(tmp_path, picture_bytes(fundus()[0])), write(tmp_path, nifti_bytes(), "volume")
    assert refusal_of({"image": photograph, "spacing_mm": [0.5, 0.5]}, spacing=(0.5, 0.25)) == "SPACING_CONFLICT"
    assert refusal_of({"image": volume, "spacing_mm": [*SPACING_MM[:2], 2.6]}) == "SPACING_CONFLICT"
    assert refusal_of({"image": volume, "spacing_mm": [0.5, 0.5]}) == "STATED_SPACING_MISMATCH"
    own = LoadStudyd(keys="image", spacing=9.0)({"image": volume, "spacing_mm": list(SPACING_MM)})["image"]
    assert own.meta["spacing_source"] == "NIfTI header", "a file's own is used, and the user's is for files without one"


def test_a_listed_spacing_survives_a_data_loader(tmp_path):
    entry = {"image": write(tmp_path, picture_bytes(fundus()[0])), "spacing_mm": [0.5, 0.25]}
    (one,) = decollate_batch(next(iter(DataLoader(Dataset([entry], LoadStudyd(keys="image")), batch_size=1))))
    assert one["spacing_mm"] == [0.5, 0.25] == one["image"].meta["spacing_mm"]


@pytest.mark.parametrize(("data", "code"), defective_files().values(), ids=defective_files().keys())
def test_each_defect_has_its_reason(data, code, tmp_path):
    assert refusal({"image": write(tmp_path, data)}) == code


def test_what_is_no_readable_file(tmp_path):
    assert refusal({"image": tmp_path / "absent.png"}) == "UNREADABLE_FILE"
    assert refusal({"image": tmp_path}) == "NO_INPUT_FOUND"
    assert refusal({"image": "\0"}) == "UNREADABLE_FILE"
    fifo = tmp_path / "fifo.png"
    os.mkfifo(fifo)
    assert refusal({"image": fifo}) == "UNREADABLE_FILE"
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    assert refusal({"image": loop}) == "UNREADABLE_FILE"


def with_canary():
    """Files with a word in every text that they can carry, sound and damaged."""
    text = png_chunk(b"tEXt", b"Comment\0" + CANARY.encode())
    png = raw_png(fundus()[0], 2, text, png_chunk(b"iTXt", b"Name\0\0\0\0\0" + CANARY.encode()))
    exif = Image.Exif()
    exif[270] = exif[315] = CANARY
    volume = nifti_bytes(descrip=CANARY, aux_file=CANARY, intent_name=CANARY, db_name=CANARY)
    wrong = nifti_bytes(descrip=CANARY, aux_file=CANARY, dim=[3, 12, 10, 9, 1, 1, 1, 1])
    jpeg = picture_bytes(fundus()[0], "JPEG", exif=exif, comment=CANARY.encode())
    tiff = picture_bytes(fundus()[0], "TIFF", exif=exif)
    packed = gzip.compress(volume)
    return [png, png[:-50], jpeg, jpeg[:-500], tiff, tiff[:-500], volume, wrong, packed, packed[:-40]]


@pytest.mark.parametrize("number", range(10))
def test_79_no_text_of_the_file_and_no_path_leaves_the_reader(number, tmp_path, capfd, caplog):
    path = write(tmp_path, with_canary()[number], f"{CANARY}.png")
    caplog.set_level("DEBUG")
    try:
        said = repr(LoadStudyd(keys="image")({"image": path})["image"].meta)
    except StudyRefused as refused:
        assert refused.__suppress_context__ or refused.__context__ is None
        said = str(refused) + refused.found
    captured = capfd.readouterr()
    assert CANARY not in said + captured.out + captured.err + caplog.text
    assert str(tmp_path) not in said + captured.out + captured.err + caplog.text


SEEDS = {
    "png": picture_bytes(fundus(20, 24)[0]),
    "png by hand": raw_png(fundus(12, 12)[0].astype(np.uint16) * 200, 2),
    "jpeg": picture_bytes(fundus(20, 24)[0], "JPEG"),
    "tiff": picture_bytes(fundus(12, 12)[0], "TIFF"),
    "tiff, lzw": picture_bytes(fundus(12, 12)[0], "TIFF", compression="tiff_lzw"),
    "gif": picture_bytes(Image.fromarray(fundus(12, 12)[0]).quantize(16), "GIF"),
    "nifti": nifti_bytes(ellipsoid((4, 3, 2))),
    "nifti 2": nifti_bytes(ellipsoid((4, 3, 2)), version=2, qform=oblique_affine()),
    "gzip": gzip.compress(nifti_bytes(ellipsoid((4, 3, 2))), mtime=0),
}
CHANGES = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=6)


@pytest.mark.filterwarnings("error", "ignore:Implicitly cleaning up:ResourceWarning")  # rubbish of an earlier test
@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
@settings(max_examples=100, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(changes=CHANGES, length=st.integers(0, 4000), repaired=st.booleans())
def test_a_mutated_file_is_refused_or_read_whole(seed, changes, length, repaired, tmp_path):
    data = bytearray(seed)
    for position, value in changes:
        data[position % len(data)] = value
    if length % 3 == 0:
        data = data[: length % len(data)]
    path = write(tmp_path, repair_checksums(bytes(data)) if repaired else bytes(data))
    with suppress(StudyRefused):
        image = LoadStudyd(keys="image")({"image": path})["image"]
        assert torch.isfinite(image).all()
        assert list(image.shape[1:]) == image.meta["input_shape"]
        assert image.numel() < 10_000_000


def repair_checksums(data):
    """Make a PNG's checksums right again, so that what lies behind them is tried too."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    chunks, position = [], 8
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        chunks.append(png_chunk(data[position + 4 : position + 8], data[position + 8 : position + 8 + length]))
        position += 12 + length
    return data[:8] + b"".join(chunks)


def test_real_photographs_are_read_as_pillow_reads_them(shared_data):
    paths = sorted((shared_data / "chase_db1" / "images").glob("*.jpg"))[:2]
    if not paths:
        pytest.skip("no photographs here")
    for path in paths:
        image = LoadStudyd(keys="image", channels=3)({"image": path})["image"]
        np.testing.assert_array_equal(image.as_tensor().numpy(), np.moveaxis(np.asarray(Image.open(path)), -1, 0))


def test_a_volume_of_another_writer(tmp_path):
    path = tmp_path / "volume.nii.gz"
    nib.save(nib.Nifti1Image(ellipsoid(), oblique_affine()), path)
    assert LoadStudyd(keys="image", kinds=("nifti",))({"image": path})["image"].shape == (1, 12, 10, 8)
