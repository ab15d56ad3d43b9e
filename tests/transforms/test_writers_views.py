"""What a person is shown: the right slice, the right way round, the right colour."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.spatial.transform import Rotation

from caveat.transforms.drawing.class_names import parts
from caveat.transforms.drawing.colour_scale import MAP_KINDS, NOT_MEASURED, PALETTE, colour_map
from caveat.transforms.drawing.disagreement import middle_of_segmentation, place_of_disagreement
from caveat.transforms.drawing.display import display_intensity, size_on_screen
from caveat.transforms.drawing.outlines import draw_outlines, lay_over
from caveat.transforms.drawing.plane import planes_through
from caveat.transforms.drawing.strip_plot import numbers, strip_plot
from caveat.transforms.drawing.views import Scene
from caveat.transforms.pages.page import unbroken
from caveat.transforms.writers.example_study import example_study
from caveat.transforms.writers.preview import LEGEND, PreviewWriter

SHAPE = (7, 9, 11)
TURNS = {
    "as it is": np.eye(4),
    "flipped": np.diag([-1.0, 1.0, -1.0, 1.0]),
    "permuted": np.array([[0, 0, 2.0, 0], [-1, 0, 0, 0], [0, 1.5, 0, 0], [0, 0, 0, 1]]),
}


def lights(affine: np.ndarray, towards: tuple[float, float, float]) -> tuple[np.ndarray, tuple[int, ...]]:
    """A volume with one bright voxel, from the middle towards right, front, head."""
    step = np.linalg.inv(affine[:3, :3]) @ (np.asarray(towards) * np.abs(affine[:3, :3]).sum(axis=1))
    voxel = tuple(int(round(n // 2 + 2 * s)) for n, s in zip(SHAPE, step, strict=True))
    volume = np.zeros(SHAPE, np.float32)
    volume[voxel] = 1
    return volume, voxel


@pytest.mark.parametrize("affine", TURNS.values(), ids=TURNS.keys())
@pytest.mark.parametrize(
    ("towards", "axial", "coronal", "sagittal"),
    [
        ((1, 0, 0), "left", "left", None),  # the patient's right is on the viewer's left
        ((0, 1, 0), "top", None, "left"),
        ((0, 0, 1), None, "top", "top"),
    ],
    ids=["right", "front", "head"],
)
def test_volumes_are_shown_the_radiologists_way(affine, towards, axial, coronal, sagittal):
    volume, _ = lights(affine, towards)
    planes = planes_through([n // 2 for n in SHAPE], SHAPE, affine)
    assert [plane.name for plane in planes] == ["axial", "coronal", "sagittal"]
    for plane, side in zip(planes, (axial, coronal, sagittal), strict=True):
        cut = plane.cut(volume)
        if side is None:
            assert not cut.any(), f"{plane.name} does not pass there"
            continue
        row, column = (int(i[0]) for i in np.nonzero(cut))
        middle = (cut.shape[0] // 2, cut.shape[1] // 2)
        assert (row < middle[0], column < middle[1]) == (side == "top", side == "left")


@pytest.mark.parametrize("affine", TURNS.values(), ids=TURNS.keys())
def test_locate_finds_the_voxel_in_every_plane_through_it(affine):
    volume, voxel = lights(affine, (0.5, 1, -1))
    for plane in planes_through(voxel, SHAPE, affine):
        assert plane.cut(volume)[plane.locate(voxel)] == 1


def test_elements_have_the_proportions_of_the_affine():
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_rotvec([0.1, 0.05, -0.1]).as_matrix() @ np.diag([0.9, 1.2, 2.5])
    axial, coronal, sagittal = planes_through((3, 4, 5), SHAPE, turned)
    np.testing.assert_allclose([axial.element, coronal.element, sagittal.element], [(1.2, 0.9), (2.5, 0.9), (2.5, 1.2)])


def test_a_picture_is_shown_as_it_is():
    picture = np.arange(12.0).reshape(3, 4)
    (plane,) = planes_through((1, 1), (3, 4), np.eye(4))
    np.testing.assert_array_equal(plane.cut(picture), picture)
    assert plane.element == (1, 1) and plane.locate((2, 3)) == (2, 3)


def test_disagreement_is_sought_inside_the_region():
    study = example_study("picture")
    information = torch.zeros(1, 40, 30)
    information[0, 5:8, 5:8] = 0.3
    information[0, 30:33, 20:23] = 0.6
    region = torch.zeros(1, 40, 30)
    region[0, :20] = 1
    study |= {"mutual_information": information, "region": torch.ones(1, 40, 30)}
    assert place_of_disagreement(study, (3, 3)) == (31, 21)
    assert place_of_disagreement(study | {"region": region}, (3, 3)) == (6, 6)


def test_a_rim_is_no_place_of_disagreement_unless_there_is_no_other():
    study = example_study("picture")
    region = torch.zeros(1, 40, 30)
    region[0, 5:35, 5:25] = 1
    rim = torch.zeros(1, 40, 30)
    rim[0, 5:35, 5] = 0.7
    inner = rim.clone()
    inner[0, 19:22, 14:17] = 0.1
    assert place_of_disagreement(study | {"mutual_information": inner, "region": region}, (3, 3)) == (20, 15)
    assert place_of_disagreement(study | {"mutual_information": rim, "region": region}, (3, 3))[1] in (4, 5, 6)


def test_draws_that_agree_have_no_close_up():
    study = example_study("picture")
    study["mutual_information"] = torch.zeros_like(study["mutual_information"])
    assert Scene(study).close_up(100) is None


def test_without_maps_the_hypotheses_tell_where_draws_part():
    study = {key: value for key, value in example_study().items() if key in ("input", "hypotheses", "result")}
    place = place_of_disagreement(study, (1, 1))
    share = (study["hypotheses"] > 0).float().mean(0)
    assert share[place] == 0.5


def test_the_middle_is_that_of_the_segmentation_or_of_the_study():
    study = example_study("nifti")
    assert middle_of_segmentation(study) == (9, 7, 5)
    nothing = study | {"segmentation": study["segmentation"] * 0}
    assert middle_of_segmentation(nothing) is None and Scene(nothing).middle == (10, 8, 6)


@pytest.mark.parametrize("kind", ["picture", "nifti"])
def test_the_close_up_lies_inside_and_its_frame_is_in_the_view(kind):
    scene = Scene(example_study(kind))
    plane = scene.plane_of_focus()
    window = scene.window(plane)
    shape = plane.cut(scene.image).shape
    assert 0 <= window.rows.start < window.rows.stop <= shape[0] and 0 <= window.columns.start < window.columns.stop <= shape[1]
    for view in scene.whole(120):
        assert not view.box or (view.box[0] + view.box[2] <= 100.001 and view.box[1] + view.box[3] <= 100.001)


def cropped(affine: np.ndarray, **changed) -> dict:
    """A study measured only in voxels 4 to 13, 3 to 11, 2 to 8."""
    study = example_study("nifti", affine) | changed
    study["region"] = torch.zeros_like(study["region"])
    study["region"][0, 4:14, 3:12, 2:9] = 1
    study["result"]["input"] = {"crop": {"source": "box", "box_mm": [0.0] * 6}}
    return study


@pytest.mark.parametrize("affine", TURNS.values(), ids=TURNS.keys())
def test_of_a_cropped_study_the_crop_is_shown_and_the_rest_is_around_it(affine):
    scene = Scene(cropped(affine))
    whole = scene.surroundings(200)
    assert [view.title for view in whole] == ["axial", "coronal", "sagittal"] and all(len(view.box) == 4 for view in whole)
    inside = np.zeros(scene.shape, bool)
    inside[scene.box] = True
    for plane, around in zip(planes_through(scene.middle, scene.shape, scene.affine), whole, strict=True):
        cut, frame = plane.cut(inside), scene.frame(plane)
        assert cut[frame.spans].all() and cut.sum() == cut[frame.spans].size
        left, top, width, height = (share / 100 for share in around.box)
        rows, columns = cut.shape
        shares = (frame.columns.start / columns, frame.rows.start / rows, (frame.columns.stop) / columns, frame.rows.stop / rows)
        assert (left, top, left + width, top + height) == pytest.approx(shares, abs=1e-4)
    window, frame = scene.window(scene.plane_of_focus()), scene.frame(scene.plane_of_focus())
    assert frame.rows.start <= window.rows.start and window.rows.stop <= frame.rows.stop
    assert Scene(example_study("nifti", affine)).surroundings(200) == []


def test_the_contrast_of_a_crop_is_its_own_whatever_surrounds_it():
    bright = example_study("nifti")["input"].clone()
    bright[0, 15:] = 1e6
    scene = Scene(cropped(np.eye(4), input=bright))
    np.testing.assert_allclose(scene.image[scene.box], Scene(cropped(np.eye(4))).image[scene.box])


def test_parts_of_a_segmentation_have_their_own_colours():
    study = example_study("nifti", classes=3)
    outline = Scene(study).whole(240)[0].outline.astype(int)
    seen = outline[outline[..., 3] > 240][:, :3]
    for _, _, colour in parts(study):
        distance = np.abs(seen - np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])).max(axis=1)
        assert distance.min() < 30, colour


def test_shared_lines_are_white_and_others_have_their_colour():
    agreed = np.zeros((40, 40), np.uint8)
    agreed[10:30, 10:30] = 1
    other = agreed.copy()
    other[10:30, 30:36] = 1
    drawing = draw_outlines([agreed, other], ["#ff0000", "#0000ff"], (80, 80), 2).astype(int)
    left, own, moved = drawing[40, 19], drawing[40, 59], drawing[40, 71]
    assert left[:3].min() > 200 and left[3] > 200
    assert own[0] > 200 and own[2] < 60
    assert moved[2] > 200 and moved[0] < 60
    assert drawing[40, 45, 3] == 0


def test_a_label_that_reaches_the_edge_is_closed():
    drawing = draw_outlines([np.ones((10, 10), np.uint8)], ["#ffffff"], (100, 100), 2)
    assert (drawing[0, 10:90, 3] > 0).all() and (drawing[10:90, 99, 3] > 0).all()


def test_lay_over_shows_the_line_where_it_is_opaque():
    drawing = np.zeros((2, 2, 4), np.uint8)
    drawing[0, 0] = (10, 20, 30, 255)
    laid = lay_over(np.full((2, 2, 3), 100, np.uint8), drawing)
    assert laid[0, 0].tolist() == [10, 20, 30] and laid[1, 1].tolist() == [90, 90, 90]


def test_scales_are_fixed_by_the_number_of_classes():
    assert MAP_KINDS["entropy"].end(2) == MAP_KINDS["mutual_information"].end(2) == math.log(2)
    assert MAP_KINDS["expected_entropy"].end(5) == math.log(5)
    assert (MAP_KINDS["probability"].end(3), MAP_KINDS["variance"].end(3)) == (1, 0.25)
    assert MAP_KINDS["entropy"].marks(3) == ("0", "0.55", "1.10 = ln 3 nats")
    assert MAP_KINDS["variance"].marks(3) == ("0", "0.062", "0.25")


@pytest.mark.parametrize("kind", MAP_KINDS.values(), ids=MAP_KINDS.keys())
def test_the_marks_stand_where_their_values_have_their_colour(kind):
    end = kind.end(2)
    middle = end / 4 if kind.rooted else end / 2
    np.testing.assert_allclose(kind.shares(np.array([0, middle, end, 2 * end, -0.1]), 2), [0, 0.5, 1, 1, 0])


def test_colours_of_a_map():
    shares = np.array([[0.0, 0.5], [1.0, 1.0]])
    inside = np.array([[1, 1], [1, 0]])
    colours = colour_map(shares, inside, (2, 2))
    np.testing.assert_array_equal(colours, [[0, 127], [254, NOT_MEASURED]])
    brightness = PALETTE.astype(int).sum(axis=1)
    assert brightness[0] < brightness[127] < brightness[254]


def test_eight_bit_colour_is_shown_as_it_is_and_the_rest_is_stretched():
    colour = np.full((3, 4, 4), 51.0, np.float32)
    colour[0, 0, 0] = 255
    assert display_intensity(colour)[1, 1, 0] == pytest.approx(0.2)
    ramp = np.linspace(-1000, 3000, 400, dtype=np.float32).reshape(1, 20, 20)
    assert display_intensity(ramp).min() == 0 and display_intensity(ramp).max() == 1
    assert np.isfinite(display_intensity(np.zeros((1, 4, 4), np.float32))).all()


@pytest.mark.parametrize(
    ("shape", "element", "size"),
    [
        ((2000, 1000), (1, 1), (1000, 500)),
        ((900, 800), (1, 1), (900, 800)),
        ((50, 50), (1, 2), (500, 1000)),
        ((100, 20), (1, 1), (1000, 200)),
    ],
)
def test_sizes_on_the_screen(shape, element, size):
    assert size_on_screen(shape, element, 1000) == size


def test_preview_of_a_volume_shows_three_slices(tmp_path):
    PreviewWriter(longest=120).write(example_study("nifti"), tmp_path)
    preview = Image.open(tmp_path / "preview.png")
    assert preview.mode == "RGB" and preview.info == {}
    assert preview.width > 2 * preview.height


@pytest.mark.parametrize("kind", ["picture", "nifti"])
def test_the_lines_of_a_thumbnail_are_there_at_the_size_of_a_table(kind, tmp_path):
    def at_half(study: dict) -> np.ndarray:
        PreviewWriter().write(study, tmp_path)
        thumbnail = Image.open(tmp_path / "thumbnail.png")
        assert max(thumbnail.size) <= 320
        return np.asarray(thumbnail.resize((thumbnail.width // 2, thumbnail.height // 2), Image.Resampling.BOX)).astype(int)

    study = example_study(kind)
    bare = {key: study[key] for key in ("input", "result")}
    bare["result"] |= {"answers": []}
    assert (np.abs(at_half(study) - at_half(bare)).max(axis=-1) > 100).sum() > 50


def test_preview_names_several_classes(tmp_path):
    PreviewWriter(longest=120).write(example_study("nifti"), tmp_path)
    height = Image.open(tmp_path / "preview.png").height
    PreviewWriter(longest=120).write(example_study("nifti", classes=3), tmp_path)
    preview = np.asarray(Image.open(tmp_path / "preview.png"))
    legend = preview[height:]
    assert len(legend) == LEGEND and (legend == 255).all(axis=-1).any()
    colours = {tuple(pixel) for pixel in legend.reshape(-1, 3).tolist()}
    assert all(
        tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in colours for _, _, colour in parts(example_study(classes=3))
    )


def test_strip_plot_shows_a_small_spread_small():
    measurement = {"value": 1000.0, "draws": {"values": [999.0, 1001.0]}, "region": None}
    plot = strip_plot(measurement)
    assert abs(plot.dots[0][0] - plot.dots[1][0]) < 2
    assert plot.value == pytest.approx(50, abs=1)
    assert plot.interval is None


def test_strip_plot_holds_all_that_it_shows():
    measurement = {"value": 5.0, "draws": {"values": [1.0, 4.0, 9.0]}, "region": {"level": 0.9, "lower": 0.5, "upper": 12.0}}
    plot = strip_plot(measurement)
    places = [*(dot[0] for dot in plot.dots), plot.value, *plot.interval, *(tick[0] for tick in plot.ticks)]
    assert all(0 <= place <= 100 for place in places)
    assert plot.dots[0][0] < plot.dots[1][0] < plot.dots[2][0]
    assert plot.interval[0] < plot.dots[0][0] and plot.dots[2][0] < plot.interval[1]
    assert len(plot.ticks) >= 2


@pytest.mark.parametrize("values", [[0.0, 0.0], [0.0], [-3.0, -1.0], [5.0, 5.0, 5.0]])
def test_strip_plot_of_odd_values_is_finite(values):
    plot = strip_plot({"value": values[0], "draws": {"values": values}, "region": None})
    assert all(math.isfinite(dot[0]) for dot in plot.dots)


def test_no_draws_no_strip():
    assert strip_plot({"value": 1.0, "draws": {"n": 0, "values": []}}) is None


@pytest.mark.parametrize(
    ("marks", "texts"),
    [
        ([31240.0, 32000.0], ["31\u202f240", "32\u202f000"]),
        ([-0.25, 0.0], ["\u22120.25", "0.00"]),
        ([3.0, 3.25, 3.5, 3.75], ["3.00", "3.25", "3.50", "3.75"]),
        ([3.0, 4.0], ["3", "4"]),
        ([0.1 + 0.2, 0.4], ["0.3", "0.4"]),
    ],
)
def test_numbers_beside_an_axis_are_what_they_say(marks, texts):
    assert numbers(marks) == texts


def test_numbers_in_a_sentence_are_not_torn_apart():
    assert unbroken("31 240 pixels, 90 % of 12 345 678") == "31\u00a0240 pixels, 90\u00a0% of 12\u00a0345\u00a0678"
    assert unbroken("5 draws from 2 100") == "5 draws from 2\u00a0100"
