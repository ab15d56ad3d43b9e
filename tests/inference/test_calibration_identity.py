"""What a record is valid for: every fact that changes a draw is in it, and seed and device are not."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import numpy as np
import pytest
from calibration_phantoms import BUNDLE, result_of
from monai.bundle import ConfigParser
from monai.transforms import Compose, Flipd, Lambdad, MapTransform, NormalizeIntensityd, Spacingd

from caveat.inference.calibration.identity import differences, fingerprint, identity_of, of_any_unit
from caveat.inference.calibration.record_file import file_name_of
from caveat.transforms.study.load_study import LoadStudyd

BUNDLES = sorted((Path(__file__).resolve().parents[2] / "bundles").glob("*/configs/inference.yaml"))
RESULT = result_of("sha", 100, 100)


def identity(result=RESULT, bundle=BUNDLE, entry=0):
    return identity_of(result, bundle, result["answers"][entry])


def changed(**sampling):
    result = copy.deepcopy(RESULT)
    result["sampling"] |= sampling
    return identity(result)


@pytest.mark.parametrize(
    "key,value",
    [("sampler", "Dropout"), ("source", "rater"), ("draws", 4), ("temperature", 1.5), ("roi_size", [24, 24, 24])]
    + [("overlap", 0.25), ("blending", "constant"), ("align", 8), ("precision", "bfloat16"), ("grid_spacing_mm", None)]
    + [("feature_reference", "another"), ("link", "sigmoid"), ("region_channel", 3), ("clip_windows", True)],
)
def test_every_way_of_sampling_counts(key, value):
    assert differences(identity(), changed(**{key: value})) == [key]


def test_a_spacing_that_is_each_studys_own_does_not_count():
    own = {"own_spacing_axes": [2]}
    thin, thick = (changed(**own, grid_spacing_mm=[2.0, 2.0, distance]) for distance in (1.0, 2.5))
    assert thin == thick and thin["grid_spacing_mm"] == [2.0, 2.0, None]
    assert differences(thin, changed(**own, grid_spacing_mm=[2.0, 1.0, 1.0])) == ["grid_spacing_mm"]
    assert differences(thin, changed(grid_spacing_mm=[2.0, 2.0, 1.0])) == ["grid_spacing_mm"]
    assert changed(**own, grid_spacing_mm=None)["grid_spacing_mm"] is None


def prepared(word):
    result = copy.deepcopy(RESULT)
    result["input"] |= {"preparation": word}
    return identity(result)


def test_a_record_is_of_one_preparation_and_says_so_in_its_name():
    stripped, whole = prepared("stripped"), prepared("with skull")
    assert differences(stripped, whole) == differences(stripped, identity()) == ["preparation"]
    assert "preparation" not in identity(), "records of bundles that do not look at it stay as they were"
    assert file_name_of(stripped, "volume") == "ensemble_5_draws_volume_stripped.json"
    assert file_name_of(identity(), "volume") == "ensemble_5_draws_volume.json"


def test_ratios_hold_in_every_unit_and_on_every_grid():
    other = changed(grid_spacing_mm=None) | {"unit": "voxels"}
    assert differences(identity(), other) == ["grid_spacing_mm", "unit"]
    assert differences(of_any_unit(identity()), other) == []
    assert differences(of_any_unit(identity()), other | {"draws": 4}) == ["draws"]


@pytest.mark.parametrize(
    "spacing,same",
    [
        ([0.9375, 0.9388], True),  # a film of 240 x 193.6 mm on 256 elements in height, one of its 968 columns cut off
        ([0.9375, 0.9393], True),  # as published, 2400 x 1935 pixels
        ([0.9375, 0.92], False),
        ([0.9375], False),
        ([0.9375, None], False),
        (None, False),
    ],
)
def test_a_record_serves_a_grid_within_one_percent(spacing, same):
    film = changed(grid_spacing_mm=[0.9375, 0.9353])
    assert differences(film, changed(grid_spacing_mm=spacing)) == ([] if same else ["grid_spacing_mm"])


@pytest.mark.parametrize("key", ["weights_sha256", "preprocessing_sha256"])
def test_weights_and_preprocessing_count(key):
    assert differences(identity(), identity(bundle=BUNDLE | {key: "other"})) == [key]
    assert differences(identity(), identity(bundle={k: v for k, v in BUNDLE.items() if k != key})) == [key]


def test_measurement_classes_and_unit_count():
    assert differences(identity(), identity(entry=1)) == ["classes", "measurement"]
    for key, value in (("unit", "voxels"), ("classes", [1])):
        result = copy.deepcopy(RESULT)
        result["answers"][0][key] = value
        assert differences(identity(), identity(result)) == [key]


def test_a_crop_counts_by_how_it_was_placed_not_by_where():
    def cropped(source, *box_mm):
        return identity({**RESULT, "input": {**RESULT["input"], "crop": {"source": source, "box_mm": list(box_mm)}}})

    assert identity()["crop"] == "" and differences(identity(), cropped("point", 0, 1)) == ["crop"]
    assert differences(cropped("box", 0, 1), cropped("point", 0, 1)) == ["crop"]
    assert cropped("point", 0, 1) == cropped("point", 5, 6)


def test_a_study_in_memory_has_the_identity_of_the_stored_one():
    """The writer adds what the file says; before, `input` holds the crop or is not there."""
    memory = {key: value for key, value in RESULT.items() if key != "input"}
    assert identity(memory) == identity()


def test_seed_device_version_and_memory_do_not_count():
    assert changed(seed=7, device="cuda", chunk=3, budget_mib=1) == identity()
    assert identity(bundle=BUNDLE | {"version": "2", "name": "moved"}) == identity()


def test_numbers_are_compared_as_stored():
    """result.json keeps six digits; the same temperature in memory has more."""
    assert changed(temperature=1.23456789) == changed(temperature=1.23457)
    assert changed(temperature=1.2346) != changed(temperature=1.2347)


def test_a_fact_that_one_side_lacks_is_a_difference():
    assert differences({"a": None}, {}) == ["a"]


class Kept(MapTransform):
    """Keeps what it is given."""

    identity = "test.Kept/1"

    def __init__(self, keys="image", value=1, stated=None):
        super().__init__(keys)
        self.value = value
        self.stated = stated

    def __call__(self, data):
        return data

    @classmethod
    def twice(cls, data):
        return [data, data]


class Forgetful(MapTransform):
    """Does not keep what it is given."""

    identity = "test.Forgetful/1"

    def __init__(self, keys="image", value=1):
        super().__init__(keys)
        self.twice = 2 * value

    def __call__(self, data):
        return data


def test_a_fingerprint_is_of_class_parameters_and_order():
    same = [fingerprint(Compose([Kept(value=3), Flipd("image", 0)])) for _ in range(2)]
    others = [[Kept(value=4), Flipd("image", 0)], [Kept(value=3), Flipd("image", 1)], [Flipd("image", 0), Kept(value=3)], []]
    others += [[Kept(value=3.5), Flipd("image", 0)], [Kept(value=[3]), Flipd("image", 0)]]
    found = {fingerprint(Compose(transforms)) for transforms in others}
    assert same[0] == same[1]
    assert len(found) == len(others) and same[0] not in found


def test_parameters_handed_to_an_inner_transform_count():
    assert fingerprint(Spacingd("image", (1, 1, 1))) != fingerprint(Spacingd("image", (1, 1, 2)))
    assert fingerprint(Spacingd("image", (1, 1, 1))) != fingerprint(Spacingd("image", (1, 1, 1), mode="nearest"))
    assert fingerprint(NormalizeIntensityd("image")) != fingerprint(NormalizeIntensityd("image", channel_wise=True))
    assert fingerprint(Kept(value=np.array([1, 2]))) == fingerprint(Kept(value=[1, 2]))


def test_what_the_user_states_of_one_study_does_not_count():
    assert fingerprint(LoadStudyd("image")) == fingerprint(LoadStudyd("image", spacing=0.5, assume_orientation=True))
    assert fingerprint(LoadStudyd("image")) == fingerprint(LoadStudyd("image", kinds=["nifti"]))
    assert fingerprint(LoadStudyd("image")) != fingerprint(LoadStudyd("image", channels=3))


def test_parameters_held_behind_an_underscore_count():
    """MONAI holds `lazy` as `_lazy`; resampling once at the end gives other voxels."""
    found = {
        fingerprint(Compose([Flipd("image", 0, lazy=inner)], lazy=outer)) for inner in (False, True) for outer in (False, True)
    }
    assert len(found) == 4


def made(name="Clip", module="a", identity="test.Clip/1"):
    """A transform class as another file would hold it."""
    return type(name, (Kept,), {"__module__": module, "identity": identity})


def test_classes_of_one_name_count_by_their_identity_and_its_version():
    found = [fingerprint(made(module="a", identity=f"test.{name}")()) for name in ("Clip/1", "Clip/2", "OtherClip/1")]
    assert len(set(found)) == 3


def test_a_file_that_moves_and_a_class_that_is_renamed_change_nothing():
    assert fingerprint(made("Clip", "a")(value=3)) == fingerprint(made("ClipIntensity", "b.c")(value=3))


def test_a_new_parameter_left_at_its_default_changes_nothing():
    class Grown(Kept):
        identity = "test.Kept/1"

        def __init__(self, keys="image", value=1, stated=None, more=(1, 2)):
            super().__init__(keys, value, stated)
            self.more = tuple(more)

    assert fingerprint(Grown(value=3)) == fingerprint(Kept(value=3)) != fingerprint(Grown(value=3, more=[1, 3]))


def test_an_identity_is_not_inherited_and_none_is_guessed():
    with pytest.raises(ValueError, match="Other states no `identity`"):
        fingerprint(type("Other", (Kept,), {})())


def test_a_transform_of_monai_counts_by_its_minor_version(monkeypatch):
    def of_version(version):
        monkeypatch.setattr("monai.__version__", version)
        return fingerprint(Compose([Flipd("image", 0)]))

    assert of_version("1.6.0") == of_version("1.6.1") != of_version("1.7.0")


def test_functions_of_ours_are_refused_since_their_files_move():
    with pytest.raises(ValueError, match="which no record can be tied to"):
        fingerprint(Lambdad("image", fingerprint))


def test_every_identity_of_ours_is_one_of_a_kind():
    files = (BUNDLES[0].parents[3] / "transforms").rglob("*.py")
    found = [name for path in files for name in re.findall(r'^    identity = "(.*)"', path.read_text(encoding="utf-8"), re.M)]
    assert len(found) == len(set(found)) >= 5
    assert all(re.fullmatch(r"caveat\.\w+/[1-9]\d*", identity) for identity in found)


def test_a_transform_that_does_not_tell_what_it_does_is_an_error():
    with pytest.raises(ValueError, match="Forgetful does not keep value"):
        fingerprint(Forgetful())
    with pytest.raises(ValueError, match="holds a object"):
        fingerprint(Kept(value=object()))


def test_functions_count_by_their_name():
    assert fingerprint(Lambdad("image", np.sqrt)) != fingerprint(Lambdad("image", np.exp))
    assert fingerprint(Kept(value=Kept.twice)) != fingerprint(Kept(value=Kept))


def test_a_function_without_a_name_of_its_own_is_an_error():
    def inner(image):
        return image

    for function in (lambda image: image, inner, Kept(value=2).__call__):
        with pytest.raises(ValueError, match="which no record can be tied to"):
            fingerprint(Lambdad("image", function))


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.parents[1].name)
def test_every_number_of_a_bundles_preprocessing_counts(path):
    """But for what a class leaves out by `not_identity`, which are references to options of the command line."""
    config = ConfigParser()
    config.read_config(path)
    config.read_meta(path.with_name("metadata.json"))
    plain, steps = fingerprint(config.get_parsed_content("preprocessing")), config.get("preprocessing::transforms")
    tried = 0
    for index, listed in enumerate(steps):
        address = listed.removeprefix("@") if isinstance(listed, str) else f"preprocessing::transforms::{index}"
        step = config.get(address)
        for name, value in step.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                other = ConfigParser(copy.deepcopy(config.get()))
                other.update({f"{address}::{name}": value - 1})
                assert fingerprint(other.get_parsed_content("preprocessing")) != plain, (step["_target_"], name)
                tried += 1
    assert tried >= 3


def test_every_process_finds_the_same():
    """A value of another process, so that what ships with a bundle fits tomorrow."""
    found = fingerprint(Compose([Kept(value={"b": (1, 2.5), "a": {3, 1}}), Flipd("image", 0)]))
    assert found == "90bd3a7e0a877d3f774dfba78cfc0ae0df2ce867da9089d21cce1d7482299a9c"
