"""`caveat convert`: names in configs of a bundle of one's own, as this version has them; and who says that they are older."""

from __future__ import annotations

import importlib
import json
import os
import tomllib
from pathlib import Path

import pytest

import caveat
from caveat.bundle_folders import bundles_of_the_user, find_bundle
from caveat.cli import main
from caveat.moved_names import with_new_names
from caveat.reasons import StudyRefused

MOVED = tomllib.loads(Path(caveat.__file__).with_name("moved.toml").read_text(encoding="utf-8"))
OLDER = """network_def:
  _target_: caveat.networks.samplers.ensemble.Ensemble
measurements:
- _target_: caveat.inference.measurements.volume.Volume
inferer:
  _target_: caveat.inference.inferer.SamplingInferer
imports: [$from caveat.networks.weights import load_weights]  # caveat.inference.inferers is another name
"""
NEWER = """network_def:
  _target_: caveat.networks.samplers.ensemble.Ensemble
measurements:
- _target_: caveat.inference.targets.volume.Volume
inferer:
  _target_: caveat.inference.engine.inferer.SamplingInferer
imports: [$from caveat.networks.weights.state_dicts import load_weights]  # caveat.inference.inferers is another name
"""


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A folder that may run, whose config has the older names."""
    configs = tmp_path / "own" / "configs"
    configs.mkdir(parents=True)
    (configs / "metadata.json").write_text(json.dumps({"name": "own"}))
    (configs / "inference.yaml").write_text(OLDER)
    monkeypatch.setenv("CAVEAT_BUNDLES", str(tmp_path))
    return tmp_path / "own"


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or a name in one."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, member = name.rpartition(".")
        return module != "caveat" and resolves(module) and hasattr(importlib.import_module(module), member)
    return True


@pytest.mark.parametrize("older", MOVED)
def test_what_moved_is_gone_and_there(older):
    before, after = (name.replace(" import ", ".") for name in (older, MOVED[older]))
    assert resolves(after) and not resolves(before)


def test_an_older_bundle_is_refused_with_the_new_place_and_converted_once(bundle, capsys):
    with pytest.raises(StudyRefused, match="inference.yaml says caveat.inference.measurements.volume.Volume, which is") as said:
        find_bundle(str(bundle))
    assert said.value.code == "NAMES_MOVED"
    assert main(["convert", str(bundle)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "inference.yaml: caveat.inference.measurements.volume.Volume is now caveat.inference.targets.volume.Volume"
    assert len(told) == 4 and told[-1] == "1 of 2 configs changed"
    assert (bundle / "configs" / "inference.yaml").read_text() == NEWER
    assert find_bundle(str(bundle)) == bundle
    (bundle / "configs" / "notes.json").write_bytes(b'"\xff caveat.inference.inferer"')
    assert main(["convert", str(bundle)]) == 0 and "1 of 3 configs changed" in capsys.readouterr().out
    assert (bundle / "configs" / "notes.json").read_bytes() == b'"\xff caveat.inference.engine.inferer"'
    assert main(["convert", str(bundle)]) == 0 and "0 of 3 configs changed" in capsys.readouterr().out


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda place: os.symlink("nowhere", place)])
def test_what_is_no_file_is_no_config(make, bundle, capsys):
    """A pipe would never answer."""
    make(bundle / "configs" / "pipe.yaml")
    for command in (["convert"], ["info"]):
        assert main([*command, str(bundle)]) == 2
        assert "UNREADABLE_FILE" in (said := capsys.readouterr().err) and "pipe.yaml among the configs: no regular file" in said


def test_a_pipe_that_is_called_metadata_ends_no_list_of_bundles(bundle):
    (bundle / "configs" / "metadata.json").unlink()
    os.mkfifo(bundle / "configs" / "metadata.json")
    assert bundle not in bundles_of_the_user()


def test_names_of_this_version_stay(bundle):
    assert with_new_names(NEWER) == (NEWER, {})


def test_a_folder_without_configs_is_no_bundle(tmp_path):
    assert main(["convert", str(tmp_path)]) == 2
