"""`caveat wrap` of networks of PyTorch: what draws, what is refused, and that the answer is the network's own."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.inferers import sliding_window_inference
from monai.networks.nets import UNet
from monai.transforms import NormalizeIntensity, ScaleIntensity
from phantoms import write_fundus
from PIL import Image
from wrapping import ARGUMENTS, STATED, call, network_options, unet, wrap, write_image

import caveat
from caveat.bundle_folders import CONFIG_HOME, allow, find_bundle, own_list, read_metadata
from caveat.cli import main
from caveat.commands.stored_predictions import refuse_other_bundle
from caveat.inference.stored.stored_study import read_map
from caveat.reasons import StudyRefused
from caveat.wrap.wrapped import Wrapped


class NeedsAPackage(UNet):
    """As MONAI's networks that load an optional package at the first window."""

    def __init__(self) -> None:
        super().__init__(**ARGUMENTS)

    def forward(self, x):
        raise ImportError("No module named 'needed'\n\nFor details ...")


class NeedsPoints(NeedsAPackage):
    def forward(self, x, points):
        return x


def saved(folder: Path, seed: int = 0, **changed) -> Path:
    torch.save(unet(seed, **changed).state_dict(), folder / f"weights{seed}.pt")
    return folder / f"weights{seed}.pt"


def default_sampler(bundle: Path) -> str:
    return next(name for name, meaning in read_metadata(bundle)["samplers"].items() if "(default)" in meaning)


def predicted(bundle: Path, *options: str) -> Path:
    """The study's folder of a prediction of one phantom on its own grid."""
    images, out = bundle.parent / "images", bundle.parent / f"out{len(list(bundle.parent.glob('out*')))}"
    images.mkdir(exist_ok=True)
    write_image(images / "one.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(bundle.parent / "config"))
        assert (
            main(["predict", str(bundle), "--device", "cpu", "--workers", "0", "-i", str(images), "-o", str(out), *options]) == 0
        )
    return out / "one"


def own_probability(networks: list[UNet], image: Path) -> np.ndarray:
    """MONAI's own windows: mean probability of the networks on the study as it is stored, which is RAS and even."""
    voxels = torch.from_numpy(read_map(image)[0].astype(np.float32))[None]
    study = torch.as_tensor(NormalizeIntensity(channel_wise=True)(voxels))[None]
    size = [extent + extent % 2 for extent in study.shape[2:]]
    padded = torch.zeros(1, 1, *size)
    padded[:, :, *(slice(extent) for extent in study.shape[2:])] = study
    with torch.no_grad():
        answers = [sliding_window_inference(padded, (12, 12, 12), 4, one, overlap=0.25, mode="gaussian") for one in networks]
    mean = torch.stack([answer.softmax(dim=1) for answer in answers]).mean(dim=0)[0]
    return mean[:, *(slice(extent) for extent in study.shape[2:])].numpy()


def test_several_weights_are_an_ensemble_whose_mean_is_that_of_the_networks(tmp_path):
    for seed in (0, 1):
        torch.save(
            {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in unet(seed).state_dict().items()}}, tmp_path / f"{seed}.pt"
        )
    bundle = wrap(tmp_path / "two", *network_options(tmp_path / "0.pt", tmp_path / "1.pt"), *STATED)
    assert default_sampler(bundle) == "ensemble"
    folder = predicted(bundle)
    found = read_map(folder / "probability.nii.gz")[0]
    expected = own_probability([unet(0), unet(1)], tmp_path / "images" / "one.nii.gz")
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert len(json.loads((folder / "result.json").read_text())["answers"][0]["draws"]["values"]) == 2
    assert (bundle / "models" / "member_0.pt").is_symlink(), "weights are not copied"
    refuse_other_bundle(folder.parent, bundle)
    one = wrap(tmp_path / "one", *network_options(tmp_path / "0.pt"), *STATED)
    with pytest.raises(StudyRefused, match="state another bundle's name"):
        refuse_other_bundle(folder.parent, one)


def test_one_file_of_weights_twice_is_no_ensemble(tmp_path, capsys):
    """Its draws would be the same, and no spread a promise of agreement."""
    (tmp_path / "copy").mkdir()
    weights = [saved(tmp_path), saved(tmp_path / "copy")]
    assert call(tmp_path / "two", *network_options(*weights), *STATED) == 2
    assert "WRONG_USAGE: one file of weights stands twice" in capsys.readouterr().err


def test_a_network_without_dropout_draws_by_augmentation_and_alone_is_what_it_was(tmp_path):
    bundle = wrap(tmp_path / "one", *network_options(saved(tmp_path)), *STATED, "--flips", "0")
    assert default_sampler(bundle) == "test_time_augmentation"
    found = read_map(predicted(bundle, "--sampler", "single") / "probability.nii.gz")[0]
    np.testing.assert_allclose(found, own_probability([unet()], tmp_path / "images" / "one.nii.gz"), atol=1e-3)
    result = json.loads((predicted(bundle, "--draws", "3") / "result.json").read_text())
    assert result["sampling"]["source"] == "image"
    assert len(set(zip(*(answer["draws"]["values"] for answer in result["answers"]), strict=True))) == 3


def test_torchscript_is_taken_whole(tmp_path):
    torch.jit.script(unet()).save(tmp_path / "model.ts")
    bundle = wrap(tmp_path / "script", "--weights", str(tmp_path / "model.ts"), *STATED)
    assert default_sampler(bundle) == "test_time_augmentation", "its dropout cannot be made to draw"
    folder = predicted(bundle, "--sampler", "single")
    found = read_map(folder / "probability.nii.gz")[0]
    refuse_other_bundle(folder.parent, bundle)
    np.testing.assert_allclose(found, own_probability([unet()], tmp_path / "images" / "one.nii.gz"), atol=1e-3)


def test_a_network_of_slices_measures_volumes(tmp_path):
    changed = {"spatial_dims": 2, "dropout": 0.3}
    stated = ("--classes", "background,front,back", "--roi", "12,12,1", "--intensities", "range", "--orientation", "LPS")
    bundle = wrap(tmp_path / "slices", *network_options(saved(tmp_path, **changed), **changed), *stated)
    assert {"test_time_augmentation", "single"} <= set(read_metadata(bundle)["samplers"])
    for sampler in read_metadata(bundle)["samplers"]:
        draws = [] if sampler == "single" else ["--draws", "2"]
        result = json.loads((predicted(bundle, "--sampler", sampler, *draws) / "result.json").read_text())
        assert result["status"] == "OK" and result["answers"][0]["unit"] == "mL"


@pytest.mark.parametrize(
    "options,code",
    [
        (["--classes", "background,front"], "NETWORK_UNFIT: network 1 answers with 3 channels, 2 are needed"),
        (["--channels", "2"], "NETWORK_UNFIT"),
        (
            ["--network", "test_wrap_command:NeedsAPackage", "--arguments", "{}"],
            "NETWORK_UNFIT: network 1: ImportError: No module named 'needed'\n",
        ),
        (["--network", "test_wrap_command:NeedsPoints", "--arguments", "{}"], "NETWORK_UNFIT: network 1: TypeError"),
        (["--arguments", '{"spatial_dims": 3}'], "NETWORK_NOT_BUILT: TypeError"),
        (["--network", "no.such.module:build"], "NETWORK_NOT_BUILT: ModuleNotFoundError"),
        (["--network", "builtins:dict"], "NETWORK_NOT_BUILT: the factory makes a dict"),
        (["--arguments", '{"act": "$import os"}'], "WRONG_USAGE: --arguments: text that begins with"),
        (["--classes", "background,$x,back"], "WRONG_USAGE: --classes"),
        (["--truth", "$open('it_was_run', 'w')"], "WRONG_USAGE: --truth: text that begins with"),
        (["--licence", "@bundle_root"], "WRONG_USAGE: --licence: text that begins with"),
        (["--classes", "background,,back"], "WRONG_USAGE: --classes: a name is empty"),
        (["--classes", "background,front,Front"], "WRONG_USAGE: --classes: a name stands twice"),
        (["--classes", "front,back,background"], "WRONG_USAGE: --classes: background comes first"),
        (["--classes", f"background,{81 * 'x'},back"], "WRONG_USAGE: --classes: a name has at most 80 letters"),
        (["--flips", "3"], "WRONG_USAGE: --flips: axes are 0, 1, 2"),
        (["--roi", "8192,8192,8192"], "NETWORK_UNFIT: network 1: there is no memory for a window of 8192 x 8192 x 8192"),
        (["--intensities", "nothing"], "WRONG_USAGE: --intensities is one of"),
        (["--orientation", "RAX"], "WRONG_USAGE: --orientation"),
        (["--roi", "12,12,11"], "WRONG_USAGE"),
        (["--weights", "TORCHSCRIPT"], "WRONG_USAGE: a state dict needs --network"),
        (["--weights", "PICKLE"], "WEIGHTS_REFUSED: the file holds more than tensors and plain Python, such as a whole network"),
        (["--weights", "NO_TORCH"], "WEIGHTS_REFUSED: no file that torch.save writes"),
        (
            ["--weights", "PREFIXED"],
            "WEIGHTS_REFUSED: 30 of the network's 30 tensors are missing, 30 are not its own: net.model.0",
        ),
        (["--weights", "ODD"], "WEIGHTS_REFUSED: the file holds 0 state dicts under names that are known (state_dict, "),
        (["--weights", "OTHER"], "WEIGHTS_REFUSED: 10 of the network's 30 tensors are missing"),
        (["--weights", "NAN"], "WEIGHTS_NOT_FINITE"),
        (["--weights", "TWO"], "WEIGHTS_REFUSED: the file holds 2 state dicts"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(options, code, tmp_path, capsys):
    torch.jit.script(torch.nn.Conv3d(1, 3, 1)).save(tmp_path / "TORCHSCRIPT")
    torch.save(unet(), tmp_path / "PICKLE")
    torch.save({"state_dict": {}, "model": {}}, tmp_path / "TWO")
    torch.save({"ema": unet().state_dict()}, tmp_path / "ODD")
    torch.save({f"net.{name}": value for name, value in unet().state_dict().items()}, tmp_path / "PREFIXED")
    (tmp_path / "NO_TORCH").write_text("weights")
    torch.save(unet(channels=[4, 8, 8], strides=[2, 2]).state_dict(), tmp_path / "OTHER")
    torch.save(
        {name: value * torch.nan if value.is_floating_point() else value for name, value in unet().state_dict().items()},
        tmp_path / "NAN",
    )
    options = [str(tmp_path / option) if (tmp_path / option).is_file() else option for option in options]
    assert call(tmp_path / "bundle", *network_options(saved(tmp_path)), *STATED, *options) == 2
    said = capsys.readouterr().err
    assert f"caveat: {code}" in said and "hint: " in said
    assert not (tmp_path / "bundle").exists() and not list(tmp_path.glob(".*partial"))


def test_other_weights_in_the_place_of_the_linked_ones_are_noticed(tmp_path, capsys):
    bundle = wrap(tmp_path / "one", *network_options(saved(tmp_path)), *STATED)
    torch.save(unet(seed=5).state_dict(), tmp_path / "weights0.pt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(tmp_path / "config"))
        write_image(tmp_path / "one.nii.gz")
        main(["predict", str(bundle), "-i", str(tmp_path / "one.nii.gz"), "-o", str(tmp_path / "out"), "--workers", "0"])
    assert "WEIGHTS_HASH_MISMATCH" in capsys.readouterr().err


def test_a_bundle_that_was_wrapped_may_run_and_its_neighbours_may_not(tmp_path, monkeypatch):
    bundle = wrap(tmp_path / "one", *network_options(saved(tmp_path)), *STATED)
    monkeypatch.setenv(CONFIG_HOME, str(tmp_path / "config"))
    assert find_bundle(str(bundle)) == bundle.resolve()
    (tmp_path / "other" / "configs").mkdir(parents=True)
    (tmp_path / "other" / "configs" / "metadata.json").write_text("{}")
    with pytest.raises(StudyRefused, match="BUNDLE_NOT_TRUSTED"):
        find_bundle(str(tmp_path / "other"))


def test_the_list_of_bundles_keeps_its_lines_apart(tmp_path, monkeypatch):
    """One that was written by hand may lack its last line break: two paths in one line would be a third."""
    monkeypatch.setenv(CONFIG_HOME, str(tmp_path / "config"))
    own_list().parent.mkdir(parents=True)
    own_list().write_text("/by/hand")
    assert allow(tmp_path / "one") and allow(tmp_path / "two") and allow(tmp_path / "one")
    assert own_list().read_text() == f"/by/hand\n{tmp_path}/one\n{tmp_path}/two\n"


def test_a_line_that_the_disk_has_no_room_for_leaves_no_shorter_path(tmp_path, monkeypatch):
    """The half of a path is a folder above it, below which every bundle would run."""
    monkeypatch.setenv(CONFIG_HOME, str(tmp_path / "config"))
    allow(tmp_path / "one")
    before = own_list().read_text()
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, resource.RLIM_INFINITY))
    try:
        assert not allow(tmp_path / "two")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert own_list().read_text() == before


def test_a_bundle_is_written_once(tmp_path, capsys):
    options = (*network_options(saved(tmp_path)), *STATED)
    bundle = wrap(tmp_path / "one", *options)
    before = {path: path.stat().st_mtime_ns for path in bundle.rglob("*")}
    assert call(bundle, *options) == 2 and "OUTPUT_OCCUPIED" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in bundle.rglob("*")} == before


def test_a_network_of_two_channels_measures_a_file_a_channel(tmp_path, monkeypatch):
    """From files to a list with labels: which belong together is said once, by what their names differ in."""
    bundle = wrap(tmp_path / "two", *network_options(saved(tmp_path, in_channels=2), in_channels=2), *STATED, "--channels", "2")
    monkeypatch.setenv(CONFIG_HOME, str(tmp_path / "config"))
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for factor, case in enumerate(("a", "b"), start=1):
        for word in ("t1", "flair"):
            write_image(tmp_path / "images" / f"{case}_{word}.nii.gz", factor)
        write_image(tmp_path / "labels" / f"{case}.nii.gz", factor)
    images, words = str(tmp_path / "images"), ["--channel-names", "flair,t1"]
    run = ["--sampler", "single", "--device", "cpu", "--workers", "0"]
    assert main(["predict", str(bundle), "-i", images, *words, *run, "-o", str(tmp_path / "out")]) == 0
    assert [json.loads((tmp_path / "out" / case / "result.json").read_text())["status"] for case in ("a", "b")] == ["OK", "OK"]
    told = ["--labels", str(tmp_path / "labels"), "--parts", "calibration=0.5,test=0.5", "-o", str(tmp_path / "list.json")]
    assert main(["list", "-i", images, *words, *told, "--root", str(tmp_path)]) == 0
    (entry,) = json.loads((tmp_path / "list.json").read_text())["test"]
    case = entry["label"][0].removeprefix("labels/").removesuffix(".nii.gz")
    assert entry["image"] == [f"images/{case}_flair.nii.gz", f"images/{case}_t1.nii.gz"]
    assert entry["sha256"] == json.loads((tmp_path / "out" / case / "result.json").read_text())["input"]["sha256"]


def test_pictures_are_measured_in_pixels(tmp_path):
    changed = {"spatial_dims": 2, "in_channels": 3, "out_channels": 1}
    stated = (
        "--classes",
        "background,vessel",
        "--channels",
        "3",
        "--roi",
        "32,32",
        "--intensities",
        "range",
        "--link",
        "sigmoid",
    )
    more = (*stated, "--link", "sigmoid", "--flips", "0,1")
    bundle = wrap(tmp_path / "pictures", *network_options(saved(tmp_path, **changed), **changed), *more)
    write_fundus(tmp_path / "images.png", rows=70, columns=90)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(tmp_path / "config"))
        result = caveat.load(bundle, draws=5).measure(tmp_path / "images.png")
    assert result.first.unit == "pixels" and len(set(result.first.draws)) > 1
    assert result.segmentation.shape == (1, 70, 90) and result.first.name == "vessel area"


@pytest.mark.parametrize(
    "given,near",
    [("", "below"), ("Dataset001_Tiny", "below"), ("Dataset001_Tiny/nnUNetTrainer__nnUNetPlans__2d/fold_0", "above")],
)
def test_who_gives_a_folder_near_that_of_an_nnunet_is_told_which(given, near, tmp_path, capsys):
    trained = tmp_path / "results" / "Dataset001_Tiny" / "nnUNetTrainer__nnUNetPlans__2d"
    (trained / "fold_0").mkdir(parents=True)
    (trained / "plans.json").write_text("{}")
    assert call(tmp_path / "mine", str(tmp_path / "results" / given)) == 2
    said = capsys.readouterr().err
    assert "SOURCE_NOT_WRAPPED: of nnU-Net the folder with plans.json" in said and near in said


@pytest.mark.parametrize("columns_first", [False, True])
def test_a_picture_reaches_a_network_with_the_axes_of_its_training(columns_first, tmp_path):
    changed = {"spatial_dims": 2, "in_channels": 3, "norm": "instance"}
    stated = ["--classes", "background,front,back", "--channels", "3", "--roi", "-1,-1", "--intensities", "range"]
    axes = ["--columns-first"] if columns_first else []
    bundle = wrap(tmp_path / "mine", *network_options(saved(tmp_path, **changed), **changed), *stated, *axes)
    picture = write_fundus(tmp_path / "images.png", rows=40, columns=56)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(tmp_path / "config"))
        found = caveat.load(bundle, sampler="single").measure(picture).maps["probability"].numpy()
    pixels = np.asarray(Image.open(picture), dtype=np.float32).transpose((2, 1, 0) if columns_first else (2, 0, 1))
    scaled = ScaleIntensity(channel_wise=True)(torch.from_numpy(pixels.copy()))
    with torch.no_grad():
        expected = unet(**changed)(torch.as_tensor(scaled)[None]).softmax(dim=1)[0].numpy()
    np.testing.assert_allclose(found, expected.swapaxes(1, 2) if columns_first else expected, atol=1e-3)


@pytest.mark.parametrize("part", ["settings", "overlays", "more", "metadata"])
@pytest.mark.parametrize("text", ["$open('it_was_run', 'w')", "%strange.yaml::it", "$load_members(1)"])
def test_no_program_but_our_own_enters_a_config(part, text, tmp_path):
    """Whatever way it came by."""
    parts = {"settings": {}, "overlays": {}, "more": {}, "metadata": {}} | {part: {"a": [{"b": (1, text)}]}}
    with pytest.raises(StudyRefused, match="SOURCE_NOT_WRAPPED"):
        Wrapped(**parts, weights={}).write(tmp_path / "mine")
    assert not any(tmp_path.iterdir())
