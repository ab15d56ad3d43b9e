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
from PIL import Image
from wrapping import call, unet, wrap, write_image

from caveat.api.bundle import load
from caveat.bundle_folders import CONFIG_HOME, read_metadata
from caveat.wrap.literals import Literals
from caveat.wrap.zoo import link_of

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
SIGMOID = {"_target_": "Activationsd", "keys": "pred", "sigmoid": True}
TENFOLD = {f"r{number}": [f"@r{number + 1}"] * 10 for number in range(8)} | {"r8": 1}
"""References that stand for a hundred million values."""
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
TORCHVISION = {"_target_": "monai.networks.nets.TorchVisionFCModel", "model_name": "resnet18"}
RESIZED = {"preprocessing": {"transforms": [*LOAD, {"_target_": "Resized", "keys": "image"}]}}
RUNS = {"command": "touch it_was_run"}
SLIDING = {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "sw_batch_size": 2, "overlap": 0.5}
SLICES = {"_target_": "SliceInferer", "roi_size": [16, 16], "spatial_dim": 2}
OF_SLICES = {
    "network": UNET | {"spatial_dims": 2},
    "preprocessing": {"_target_": "Compose", "transforms": [*LOAD, {"_target_": "ScaleIntensityd", "keys": "image"}]},
    "inferer": SLICES,
}


def prepared_by(**more: Any) -> dict[str, Any]:
    """A preprocessing with one transform that is known, and has more parameters."""
    return {"preprocessing": {"transforms": [*LOAD, {"_target_": "NormalizeIntensityd", "keys": "image", **more}]}}


def source(
    folder: Path,
    network: dict[str, Any] | None = None,
    pred: dict[str, Any] | None = None,
    image: dict[str, Any] | None = None,
    **changed: Any,
) -> Path:
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
    image = image or {"format": "magnitude", "modality": "MR", "num_channels": 1}
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
    [({}, "test_time_augmentation"), ({"network": RESIDUAL}, "dropout"), (OF_SLICES, "test_time_augmentation")],
    ids=["without dropout", "dropout", "slices"],
)
def test_a_sampler_is_found_and_the_page_says_what_was_left(changed, default, tmp_path):
    bundle = wrap(tmp_path / "mine", str(source(tmp_path / "source", **changed)))
    metadata = read_metadata(bundle)
    assert "(default)" in metadata["samplers"][default]
    page = (bundle / "docs" / "README.md").read_text()
    assert "KeepLargestConnectedComponent" in page and "Left Kideny" in page


SHAPES: dict[str, dict[str, Any]] = {
    "without dropout": {},
    "dropout": {"network": RESIDUAL},
    "slices": OF_SLICES,
    "a mask called labels, which only argmax follows": {
        "pred": {"format": "labels"},
        "postprocessing": {"_target_": "Compose", "transforms": [{"_target_": "AsDiscreted", "keys": "pred", "argmax": True}]},
    },
    "lists of transforms elsewhere, keys by a program": {
        "image_key": "$monai.utils.CommonKeys.IMAGE",
        "steps": SPACED,
        "preprocessing": {"_target_": "Compose", "transforms": "$@steps"},
        "after": [SOFTMAX],
        "postprocessing": {"_target_": "Compose", "transforms": "$@after"},
    },
    "types by a program, lists of one, a crop to the foreground": {
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                *LOAD,
                {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
                {
                    "_target_": "Spacingd",
                    "keys": ["image"],
                    "pixdim": [1.2, 1.2, 1.5],
                    "mode": ["bilinear"],
                    "align_corners": [True],
                },
                {"_target_": "ScaleIntensityd", "keys": ["@image_key"], "minv": -1.0, "maxv": 1.0},
                {"_target_": "CropForegroundd", "keys": ["@image_key"], "source_key": "@image_key", "mode": ["minimum"]},
                {"_target_": "CastToTyped", "keys": "@image_key", "dtype": "$torch.float32"},
            ],
        },
    },
    "a preprocessing elsewhere, of which some is switched off": {
        "before": {
            "_target_": "Compose",
            "transforms": [
                *SPACED,
                {"_target_": "HistogramNormalized", "keys": "image", "_disabled_": True},
                {"_target_": "SelectItemsd", "keys": "image"},
            ],
        },
        "preprocessing": "@before",
    },
    "windows and padding by a reference": {
        "patch": [16, 16, 16],
        "preprocessing": {"transforms": [*SPACED, {"_target_": "SpatialPadd", "keys": "image", "spatial_size": "@patch"}]}
        | {"_target_": "Compose"},
        "inferer": SLIDING | {"roi_size": "@patch", "mode": "gaussian"},
    },
    "a volume seen whole": {
        "image": {"format": "magnitude", "modality": "none", "num_channels": 1, "spatial_shape": [128, 128, 128]},
        "preprocessing": {"_target_": "Compose", "transforms": [*LOAD, {"_target_": "ScaleIntensityd", "keys": "image"}]},
        "inferer": {"_target_": "SimpleInferer"},
    },
    "a picture seen whole": {
        "network": UNET | {"spatial_dims": 2, "in_channels": 3},
        "image": {"format": "RGB", "modality": "regular", "num_channels": 3},
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "@image_key"},
                {"_target_": "EnsureChannelFirstd", "keys": "@image_key", "channel_dim": -1},
                {"_target_": "Resized", "keys": ["@image_key"], "spatial_size": [36, 24], "mode": ["bilinear"]},
                {"_target_": "ScaleIntensityd", "keys": ["@image_key"]},
            ],
        },
        "inferer": {"_target_": "SimpleInferer"},
    },
}
"""Of configs as MONAI's zoo, its template and those who start from them have them."""


@pytest.mark.parametrize("shape", SHAPES)
def test_the_answer_is_the_sources_own(shape, tmp_path):
    folder = source(tmp_path / "source", **SHAPES[shape])
    bundle = wrap(tmp_path / "mine", str(folder))
    image = write_picture(tmp_path / "one.png") if "picture" in shape else write_image(tmp_path / "one.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONFIG_HOME, str(tmp_path / "config"))
        found = load(bundle, sampler="single").measure(image).maps["probability"].numpy()
    expected = own_probability(folder, image)
    assert expected.std() > 0.01, "a flat answer would agree with anything"
    if "picture" in shape:
        expected = expected.swapaxes(1, 2)  # MONAI's reader puts columns first
    np.testing.assert_allclose(found if len(found) > 1 else np.concatenate([1 - found, found]), expected, atol=1e-3)


def write_picture(path: Path) -> Path:
    """A small picture of three colours, 20 x 28 pixels, whose rows are not its columns."""
    rows, columns = np.mgrid[:20, :28]
    pixels = np.stack([rows * 12, columns * 9, (rows - 8) ** 2 + 3 * columns], axis=-1)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    return path


def test_what_is_ours_to_say_is_not_looked_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    evil = {"_target_": "os.system", **RUNS}
    wrap(tmp_path / "mine", str(source(tmp_path / "source", **prepared_by(dtype=[evil], keys=evil))))
    assert not Path("it_was_run").exists()


def test_an_argument_that_this_monai_does_not_take_can_be_left_out(tmp_path, capsys):
    folder = source(tmp_path / "source", network=UNET, network_def=UNET | {"img_size": 96})
    assert call(tmp_path / "mine", str(folder)) == 2
    assert "leave it out with --set network_def#img_size=" in capsys.readouterr().err
    wrap(tmp_path / "mine", str(folder), "--set", "network_def#img_size=")


def test_an_entry_of_another_name_can_be_said(tmp_path, capsys):
    folder = source(tmp_path / "source", network=UNET, backbone=UNET)
    config = json.loads((folder / "configs" / "inference.json").read_text())
    del config["network_def"]
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    assert call(tmp_path / "mine", str(folder)) == 2
    assert """no entry network_def; where it stands elsewhere say --set 'network_def="@ITS_NAME"'""" in capsys.readouterr().err
    wrap(tmp_path / "mine", str(folder), "--set", 'network_def="@backbone"')


def test_what_the_text_says_is_refused_before_a_network_is_run(tmp_path, capsys):
    folder = source(tmp_path / "source", **prepared_by(_mode_="debug"))
    (folder / "models" / "model.pt").unlink()
    assert call(tmp_path / "mine", str(folder)) == 2
    assert "NormalizeIntensity" in capsys.readouterr().err


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
        ({"preprocessing": "@preprocessing#transforms"}, "preprocessing#transforms leads in a circle"),
        ({"preprocessing": {"transforms": [*LOAD, {"_target_": "Lambdad", "keys": "image", "func": "$print"}]}}, "is a program"),
        (
            {"preprocessing": {"transforms": [*LOAD, {"_target_": "HistogramNormalized", "keys": "image"}]}},
            "a HistogramNormalize, which",
        ),
        (prepared_by(subtrahend={"_target_": "os.system", **RUNS}), "NormalizeIntensity: a name that is no name of a parameter"),
        (prepared_by(mode={"_target_": "os.system", **RUNS}), "NormalizeIntensity: a name that is no name of a parameter"),
        (
            prepared_by(channel_wise=[{"_target_": "os.system", **RUNS}]),
            "NormalizeIntensity: a name that is no name of a parameter",
        ),
        (prepared_by(gone_since=1), "the preprocessing's NormalizeIntensityd: "),
        (
            {
                "preprocessing": {
                    "transforms": [
                        {"_target_": "Spacingd", "keys": "image", "pixdim": [1.0, 1.0, 2.0]},
                        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
                    ]
                }
            },
            "orients the image after a step with numbers for each of its axes",
        ),
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
        ({"network": UNET, "network_def": TORCHVISION | {"weights_backbone": "DEFAULT"}}, "TorchVisionFCModel fetches weights"),
        ({"inferer": SLIDING | {"roi_size": [10**400, 16, 16]}}, "its config or metadata are not as bundles of MONAI have them"),
        ({"network": UNET, "network_def": {"_target_": "monai.networks.nets.Transchex"}}, "Transchex fetches weights"),
        ({"inferer": {"_target_": "SlidingWindowInferer"}}, "its window does not say a size"),
        ({"inferer": SLICES | {"spatial_dim": "x"}}, "neither a sliding window"),
        ({"inferer": {"_target_": "SimpleInferer"}, **prepared_by(), **RESIZED}, "its window does not say a size"),
        ({"pred": {"format": "image"}}, "no output `pred` that is a segmentation"),
        ({"pred": {"channel_def": {}}}, "does not name the classes"),
        ({"pred": {"channel_def": {"0": "one", "1": "two"}}, "postprocessing": {}}, "whether softmax or sigmoid follows"),
        ({"postprocessing": {"transforms": [SIGMOID | {"sigmoid": "$not @no"}]}}, "by a program whether softmax or sigmoid"),
        ({"postprocessing": {"transforms": [SIGMOID | {"_disabled_": "$not @no"}]}}, "by a program whether softmax or sigmoid"),
        ({"postprocessing": {"transforms": ["$build()"]}}, "whether softmax or sigmoid follows"),
        ({"postprocessing": {"transforms": [SIGMOID, SOFTMAX]}}, "whether softmax or sigmoid follows"),
        (TENFOLD | {"preprocessing": {"transforms": "@r0"}}, "stands for more than"),
        (TENFOLD | {"inferer": SLIDING | {"extra": "@r0"}}, "stands for more than"),
        (TENFOLD | {"postprocessing": "@r0"}, "stands for more than"),
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


def test_torchscript_under_the_name_of_weights_is_said_to_be_a_program(tmp_path, capsys):
    folder = source(tmp_path / "source")
    torch.jit.trace(unet(out_channels=2), torch.rand(1, 1, 16, 16, 16)).save(folder / "models" / "model.pt")
    bundle = wrap(tmp_path / "mine", str(folder))
    assert "TorchScript, in place of network_def: a program" in capsys.readouterr().out
    assert "a program" in (bundle / "docs" / "README.md").read_text()


def test_an_inferer_that_stands_elsewhere_in_the_config_is_followed(tmp_path):
    bundle = wrap(tmp_path / "mine", str(source(tmp_path / "source", inferer="@windows", windows=SLIDING)))
    assert "[16, 16, 16], overlap 0.5" in (bundle / "docs" / "README.md").read_text()


POSTPROCESSINGS: dict[str, dict[str, Any]] = {
    "a step that stands elsewhere": {"postprocessing": {"transforms": ["@last"]}, "last": SIGMOID},
    "a step by a macro": {"postprocessing": {"transforms": ["%last"]}, "last": SIGMOID},
    "a flag that stands elsewhere": {"postprocessing": {"transforms": [SIGMOID | {"sigmoid": "@yes"}]}, "yes": True},
    "a flag that is a number": {"postprocessing": {"transforms": [SIGMOID | {"sigmoid": 1}]}},
    "a flag a key": {"postprocessing": {"transforms": [SIGMOID | {"sigmoid": [True]}]}},
    "another one switched off": {"postprocessing": {"transforms": [SOFTMAX | {"_disabled_": True}, SIGMOID]}},
    "another one switched off by a word": {"postprocessing": {"transforms": [SOFTMAX | {"_disabled_": "True"}, SIGMOID]}},
    "one in another": {"postprocessing": {"transforms": [{"_target_": "Compose", "transforms": [SIGMOID]}]}},
    "no Compose": {"postprocessing": SIGMOID},
    "a list": {"postprocessing": [SIGMOID]},
}


@pytest.mark.parametrize("shape", POSTPROCESSINGS)
def test_a_link_is_found_wherever_it_stands(shape, tmp_path):
    """The first class is named background, which alone would be taken for softmax."""
    config = Literals(json.loads(json.dumps(POSTPROCESSINGS[shape])))
    assert link_of(config, {"channel_def": {"0": "background"}}) == "sigmoid"


def test_entries_that_change_others_are_merged_as_monai_merges_them(tmp_path):
    change = {"inferer#overlap": 0.75, "inferer::roi_size": [8, 8, 8], "+network_def": {"init_filters": 16}}
    folder = source(tmp_path / "source", network=RESIDUAL | {"init_filters": 16}, network_def=RESIDUAL, **change)
    page = (wrap(tmp_path / "mine", str(folder)) / "docs" / "README.md").read_text()
    assert "[8, 8, 8], overlap 0.75" in page


def test_a_line_of_aliases_that_stands_for_more_than_any_memory_holds_is_refused(tmp_path, capsys):
    folder = source(tmp_path / "source")
    config = json.loads((folder / "configs" / "inference.json").read_text())
    (folder / "configs" / "inference.json").unlink()
    lines = ["r0: &r0 [1, 1]", *(f"r{n}: &r{n} [{', '.join([f'*r{n - 1}'] * 10)}]" for n in range(1, 10))]
    text = "\n".join([*lines, yaml.safe_dump(config).replace("network_def:\n", "network_def:\n  extra: *r9\n")])
    (folder / "configs" / "inference.yaml").write_text(text)
    assert call(tmp_path / "mine", str(folder)) == 2
    assert "stands for more than" in capsys.readouterr().err


def test_a_program_is_replaced_by_what_it_comes_to(tmp_path):
    folder = source(tmp_path / "source", pixdim="$[1.5, 1.5, 1.5] if True else 1")
    bundle = wrap(tmp_path / "mine", str(folder), "--set", "pixdim=[1.5,1.5,1.5]")
    assert "pixdim: [1.5, 1.5, 1.5]" in (bundle / "settings" / "inference.yaml").read_text()


def test_overlapping_classes_get_a_background(tmp_path):
    sigmoid = {"transforms": [{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}]}
    folder = source(tmp_path / "source", pred={"channel_def": {"0": "core", "1": "whole"}}, postprocessing=sigmoid)
    settings = (wrap(tmp_path / "mine", str(folder)) / "settings" / "inference.yaml").read_text()
    assert "class_names: [background, core, whole]" in settings and "link: sigmoid" in settings
