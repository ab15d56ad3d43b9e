"""A wrapped network is a bundle like any other: what every bundle keeps, it keeps."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import test_bundle as contract
import torch
from monai.bundle import ckpt_export
from wrapping import STATED, network_options, unet, wrap, write_image

from caveat.bundle_folders import CONFIG_HOME, read_metadata
from caveat.cli import main
from caveat.inference.evaluation.evaluation_config import read_coverage

EXPORT = "test_the_network_exports_to_torchscript"
"""MONAI's export wants the state dict of the whole sampler; the files of strangers hold that of their network."""
CODES = "test_what_it_answers_of_dicom_has_codes"
"""What a class is called in a coding scheme nobody said: such a bundle has no `--dicom`."""
CHECKS = [name for name in vars(contract.TestBundle) if name.startswith("test_") and name not in (EXPORT, CODES)]


@pytest.fixture(scope="module")
def wrapped(tmp_path_factory) -> Path:
    """A bundle of one network with dropout."""
    folder = tmp_path_factory.mktemp("wrapped")
    torch.save(unet(dropout=0.3).state_dict(), folder / "weights.pt")
    return wrap(folder / "mine", *network_options(folder / "weights.pt", dropout=0.3), *STATED, "--spacing", "1,1,1")


@pytest.mark.parametrize("check", CHECKS)
def test_it_keeps_what_every_bundle_keeps(check, wrapped, monkeypatch, tmp_path):
    monkeypatch.setitem(contract.BUNDLES, wrapped.name, wrapped)
    method = getattr(contract.TestBundle(), check)
    method(wrapped.name, **({"tmp_path": tmp_path} if "tmp_path" in inspect.signature(method).parameters else {}))


def test_it_exports_to_torchscript_from_a_checkpoint_of_the_sampler(wrapped, tmp_path):
    torch.save(contract.config_of(wrapped).get_parsed_content("network").state_dict(), tmp_path / "sampler.pt")
    ckpt_export(
        "network_def",
        filepath=str(tmp_path / "model.ts"),
        ckpt_file=str(tmp_path / "sampler.pt"),
        meta_file=str(wrapped / "configs" / "metadata.json"),
        config_file=str(wrapped / "configs" / "inference.yaml"),
    )
    windows = torch.rand(1, 1, 12, 12, 12)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.load(tmp_path / "model.ts")(windows), unet(dropout=0.3)(windows))


def test_its_evaluation_counts_the_coverage_of_what_it_measures(wrapped):
    coverage = read_coverage(wrapped / "configs" / "evaluate.yaml")
    assert coverage is not None and coverage.names == ("front volume", "back volume")


def test_predict_and_bundle_run_write_the_same_files(wrapped, monkeypatch, tmp_path):
    """By the list of bundles that the command keeps: no variable names the folder."""
    monkeypatch.setenv(CONFIG_HOME, str(wrapped.parent / "config"))
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.nii.gz")
    images, out = tmp_path / "images", tmp_path / "out"
    options = ["--device", "cpu", "--workers", "0", "--keep-draws"]
    assert main(["predict", str(wrapped), *options, "-i", str(images), "-o", str(out)]) == 0
    contract.bundle_run(wrapped, images, tmp_path / "run")
    assert contract.results(out) == contract.results(tmp_path / "run")
    entries = contract.entries_of(out / "one")
    assert [entry["name"] for entry in entries] == ["front volume", "back volume"]
    assert all(entry["draws"]["n"] == 16 and len(set(entry["draws"]["values"])) > 1 for entry in entries)
    assert all("not calibrated" in entry["statement"] for entry in entries)
    assert next(iter(read_metadata(wrapped)["samplers"])) == "dropout"
