"""`caveat wrap` of bundles like those of MONAI's model zoo: what they say is taken as text, and the answer is their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from monai.bundle import ConfigParser
from monai.data import list_data_collate
from monai.transforms import Invertd
from wrapping import call, wrap, write_image

from caveat.bundle_folders import CONFIG_HOME, read_metadata
from caveat.cli import main
from caveat.inference.stored.stored_study import read_map

UNET = {
    "_target_": "UNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 2,
    "channels": [4, 8],
    "strides": [2],
    "norm": "batch",
}
RESIDUAL = {
    "_target_": "SegResNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 2,
    "init_filters": 8,
    "dropout_prob": 0.2,
}
SOFTMAX = {"_target_": "Activationsd", "keys": "pred", "softmax": True}
KEEP = {"_target_": "KeepLargestConnectedComponentd", "keys": "pred", "applied_labels": [1]}
SAVE = {"_target_": "SaveImaged", "keys": "pred", "output_dir": "$@bundle_root + '/eval'"}
LOAD = [{"_target_": "LoadImaged", "keys": "@image_key"}, {"_target_": "EnsureChannelFirstd", "keys": "@image_key"}]
SPACED = [
    *LOAD,
    {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
    {"_target_": "Spacingd", "keys": "@image_key", "pixdim": "@pixdim", "mode": "bilinear"},
    {"_target_": "NormalizeIntensityd", "keys": "@image_key", "nonzero": True},
    {"_target_": "EnsureTyped", "keys": "@image_key", "device": "$torch.device('cpu')"},
]
HOVERNET = {"_target_": "HoVerNet", "mode": "fast"}
ENCODER = {"_target_": "monai.networks.nets.EfficientNetBNFeatures", "model_name": "efficientnet-b0"}
RESIZED = {"preprocessing": {"transforms": [*LOAD, {"_target_": "Resized", "keys": "image"}]}}
RUNS = {"command": "touch it_was_run"}
SLIDING = {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "sw_batch_size": 2, "overlap": 0.5}
SLICES = {"_target_": "SliceInferer", "roi_size": [16, 16], "spatial_dim": 2}


def prepared_by(**more: Any) -> dict[str, Any]:
    """A preprocessing with one transform that is known, and has more parameters."""
    return {"preprocessing": {"transforms": [*LOAD, {"_target_": "NormalizeIntensityd", "keys": "image", **more}]}}


def source(folder: Path, network: dict[str, Any] | None = None, pred: dict[str, Any] | None = None, **changed: Any) -> Path:
    """A bundle folder as the zoo has them, with random weights."""
    definition = network or UNET
    config = {
        "imports": ["$import glob"],
        "bundle_root": ".",
        "image_key": "image",
        "pixdim": [1.1, 1.1, 1.2],
        "datalist": "$list(sorted(glob.glob(@dataset_dir + '/*.nii.gz')))",
        "device": "$torch.device('cpu')",
        "network_def": definition,
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": SPACED},
        "inferer": SLIDING,
        "postprocessing": {"_target_": "Compose", "transforms": [SOFTMAX, KEEP, SAVE]},
        **changed,
    }
    image = {"format": "magnitude", "modality": "MR", "num_channels": 1}
    pred = {"format": "segmentation", "channel_def": {"0": "background", "1": "Left Kideny"}} | (pred or {})
    metadata = {"version": "0.3.0", "network_data_format": {"inputs": {"image": image}, "outputs": {"pred": pred}}}
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    torch.manual_seed(0)
    built = ConfigParser({"network_def": definition}).get_parsed_content("network_def") if network != {} else None
    torch.save(built.state_dict(), folder / "models" / "model.pt")
    return folder


def own_probability(folder: Path, image: Path) -> np.ndarray:
    """What the bundle's own preprocessing, network and inferer make of an image, brought back to its grid by MONAI."""
    parser = ConfigParser()
    parser.read_config(folder / "configs" / "inference.json")
    preprocessing = parser.get_parsed_content("preprocessing")
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(folder / "models" / "model.pt"))
    study = preprocessing({"image": str(image)})
    with torch.no_grad():
        logits = parser.get_parsed_content("inferer")(list_data_collate([study])["image"].as_tensor(), network)
    values = study["image"].new_tensor(logits.softmax(dim=1)[0].numpy())
    inverted = Invertd("pred", preprocessing, orig_keys="image", nearest_interp=False)({**study, "pred": values})
    return inverted["pred"].numpy()


@pytest.mark.parametrize(
    "changed,default",
    [
        ({}, "test_time_augmentation"),
        ({"network": RESIDUAL}, "dropout"),
        (
            {
                "network": UNET | {"spatial_dims": 2},
                "preprocessing": {"_target_": "Compose", "transforms": [*LOAD, {"_target_": "ScaleIntensityd", "keys": "image"}]},
                "inferer": SLICES,
            },
            "test_time_augmentation",
        ),
    ],
    ids=["without dropout", "dropout", "slices"],
)
def test_the_answer_is_the_sources_own(changed, default, tmp_path):
    folder = source(tmp_path / "source", **changed)
    bundle = wrap(tmp_path / "mine", str(folder))
    metadata = read_metadata(bundle)
    assert "(default)" in metadata["samplers"][default]
    page = (bundle / "docs" / "README.md").read_text()
    assert "KeepLargestConnectedComponent" in page and "Left Kideny" in page
    image = tmp_path / "one.nii.gz"
    write_image(image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(tmp_path / "config"))
        out = str(tmp_path / "out")
        assert main(["predict", str(bundle), "--workers", "0", "--sampler", "single", "-i", str(image), "-o", out]) == 0
    found, expected = read_map(tmp_path / "out" / "one" / "probability.nii.gz")[0], own_probability(folder, image)
    np.testing.assert_allclose(found if found.ndim == 4 else np.stack([1 - found, found]), expected, atol=1e-3)


@pytest.mark.parametrize(
    "changed,reason",
    [
        (
            {"pixdim": "$[1.5, 1.5, 1.5] if True else 1"},
            "the entry pixdim is a program, which is not run; say what it is with --set",
        ),
        (
            {"network": UNET, "network_def": {"_target_": "scripts.networks.Net"}},
            "network_def names code that is neither MONAI's",
        ),
        ({"network": UNET, "network_def": {"_target_": "os.system", "command": "true"}}, "network_def names code"),
        (
            {"network": UNET, "network_def": UNET | {"norm": {"_target_": "monai.networks.nets.hovernet.os.system", **RUNS}}},
            "network_def names code",
        ),
        (
            {"network": UNET, "network_def": UNET | {"act": {"_target_": "monai.networks.utils.save_state"}}},
            "network_def names code",
        ),
        ({"network": UNET, "network_def": "$build()"}, "the entry network_def is a program"),
        ({"network": UNET, "network_def": "@network_def"}, "network_def leads in a circle"),
        ({"preprocessing": {"transforms": [*LOAD, {"_target_": "Lambdad", "keys": "image", "func": "$print"}]}}, "is a program"),
        (
            {"preprocessing": {"transforms": [*LOAD, {"_target_": "HistogramNormalized", "keys": "image"}]}},
            "a HistogramNormalize, which",
        ),
        (prepared_by(subtrahend={"_target_": "os.system", **RUNS}), "NormalizeIntensity: a name that is no name of a parameter"),
        (prepared_by(mode={"_target_": "os.system", **RUNS}), "NormalizeIntensity: a name that is no name of a parameter"),
        (prepared_by(dtype=[{"_target_": "os.system", **RUNS}]), "NormalizeIntensity: a name that is no name of a parameter"),
        ({"preprocessing": {"transforms": [{"_target_": "Orientationd", "axcodes": {"_target_": "os.system", **RUNS}}]}}, "RAS"),
        ({"inferer": SLIDING | {"mode": {"_target_": "os.system", **RUNS}}}, "its windows are not stated in numbers"),
        (
            {"inferer": SLIDING | {"roi_size": [{"_target_": "os.system", **RUNS}, 16, 16]}},
            "its windows are not stated in numbers",
        ),
        ({"inferer": SLIDING | {"overlap": [0.5, 0.5, 0.5]}}, "its windows are not stated in numbers"),
        ({"preprocessing": {"transforms": ["LoadImaged", 5]}}, "its preprocessing is no list of transforms"),
        (prepared_by(_mode_="debug"), "NormalizeIntensity: a name that is no name of a parameter"),
        ({"inferer": {"_target_": "scripts.Vista", "roi_size": [8, 8, 8]}}, "neither a sliding window"),
        ({"network": UNET, "network_def": HOVERNET | {"pretrained_url": "http://127.0.0.1:9/x"}}, "HoVerNet fetches weights"),
        ({"network": UNET, "network_def": UNET | {"act": ENCODER}}, "EfficientNetBNFeatures fetches weights"),
        ({"network": UNET, "network_def": {"_target_": "monai.networks.nets.Transchex"}}, "Transchex fetches weights"),
        ({"inferer": {"_target_": "SlidingWindowInferer"}}, "its window does not say a size"),
        ({"inferer": SLICES | {"spatial_dim": "x"}}, "neither a sliding window"),
        ({"inferer": {"_target_": "SimpleInferer"}, **prepared_by(), **RESIZED}, "its window does not say a size"),
        ({"pred": {"format": "image"}}, "no output `pred` that is a segmentation"),
        ({"pred": {"channel_def": {}}}, "does not name the classes"),
        ({"pred": {"channel_def": {"0": "one", "1": "two"}}, "postprocessing": {}}, "whether softmax or sigmoid follows"),
        ({"pred": {"channel_def": {"0": "background", "1": "$x"}}}, "WRONG_USAGE: channel_def"),
        ({"pred": {"channel_def": {"0": "background", "1": "a", "2": "b"}}}, "NETWORK_UNFIT"),
    ],
)
def test_what_is_not_known_is_refused_by_name(changed, reason, tmp_path, monkeypatch, capsys):
    folder = source(tmp_path / "source", **changed)
    monkeypatch.chdir(tmp_path)
    assert call(tmp_path / "mine", str(folder)) == 2
    assert reason in capsys.readouterr().err and not Path("it_was_run").exists()


@pytest.mark.parametrize("value", ["2020-01-01", "!!binary aGVsbG8=", "!!set {a, b}"])
def test_a_value_that_no_json_has_is_refused(value, tmp_path, capsys):
    folder = source(tmp_path / "source")
    config = json.loads((folder / "configs" / "inference.json").read_text())
    del config["pixdim"]
    (folder / "configs" / "inference.json").unlink()
    (folder / "configs" / "inference.yaml").write_text(f"{yaml.safe_dump(config)}\npixdim: {value}\n")
    assert call(tmp_path / "mine", str(folder)) == 2
    assert "the entry pixdim is neither text nor a number" in capsys.readouterr().err


def test_what_a_source_says_writes_no_line_and_no_code_of_a_terminal(tmp_path, capsys):
    odd = {"_target_": "x\x1b]0;owned\x07\nsampler: mine"}
    wrap(tmp_path / "mine", str(source(tmp_path / "source", postprocessing={"transforms": [SOFTMAX, odd]})))
    said = capsys.readouterr().out + (tmp_path / "mine" / "docs" / "README.md").read_text()
    assert "not taken over: postprocessing" in said
    assert "\x1b" not in said and "\x07" not in said and "\nsampler: mine" not in said


def test_a_program_is_replaced_by_what_it_comes_to(tmp_path):
    folder = source(tmp_path / "source", pixdim="$[1.5, 1.5, 1.5] if True else 1")
    bundle = wrap(tmp_path / "mine", str(folder), "--set", "pixdim=[1.5,1.5,1.5]")
    assert "pixdim: [1.5, 1.5, 1.5]" in (bundle / "settings" / "inference.yaml").read_text()


def test_overlapping_classes_get_a_background(tmp_path):
    sigmoid = {"transforms": [{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}]}
    folder = source(tmp_path / "source", pred={"channel_def": {"0": "core", "1": "whole"}}, postprocessing=sigmoid)
    settings = (wrap(tmp_path / "mine", str(folder)) / "settings" / "inference.yaml").read_text()
    assert "class_names: [background, core, whole]" in settings and "link: sigmoid" in settings
