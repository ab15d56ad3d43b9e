"""Training goes on where it was stopped, and remembers the best value so far."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.engines import Evaluator
from phantoms import fundus
from PIL import Image

from caveat.bundle_folders import shipped_bundles
from caveat.cli import main
from caveat.exit_status import RunFailed
from caveat.inference.training.training import Training
from caveat.inference.training.whole_checkpoints import WholeCheckpoints
from caveat.reasons import StudyRefused
from caveat.train_bundle import settings_sha256, train_bundle
from caveat.transforms.output.journal import Journal
from caveat.transforms.study.data_list import training_entries
from caveat.transforms.study.inspect_study import inspect_study

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = shipped_bundles()["retinal_vessels"]


pytestmark = pytest.mark.usefixtures("logging_given_back")


def photographs(folder: Path) -> Path:
    """A data list of four made-up photographs with their vessels."""
    entries = []
    for seed in range(4):
        pixels, vessels, _ = fundus(450, 470, seed)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
        Image.fromarray(vessels.astype(np.uint8) * 255).save(folder / f"{seed}_vessels.png")
        entries.append({"image": f"{seed}.png", "label": [f"{seed}_vessels.png"], "unit": str(seed)})
    data_list = folder / "list.json"
    data_list.write_text(json.dumps({"training": entries[:3], "early_stopping": entries[3:]}))
    return data_list


def train(data_list: Path, checkpoints: Path, capfd, overlays: Sequence[str] = (), **overrides: int) -> str:
    """Train with a tiny budget. Returns: what was printed."""
    budget = {"epochs": 4, "iterations": 2, "batch": 2, "window": [64, 64], "diameter": 240}
    where = {"list_file": data_list, "dataset_dir": data_list.parent, "ckpt_dir": checkpoints, "device": torch.device("cpu")}
    assert train_bundle(BUNDLE, overlays, {**budget, **where, **overrides}) == checkpoints / "best.pt"
    said = capfd.readouterr()
    return said.out + said.err


@pytest.mark.slow
def test_training_resumes(tmp_path, capfd):
    data_list, checkpoints = photographs(tmp_path), tmp_path / "checkpoints"
    first = train(data_list, checkpoints, capfd, **{"train::trainer::max_epochs": 2})
    assert "Epoch[2] Complete" in first
    assert json.loads((checkpoints / "budget.json").read_text())["epochs"] == 4
    best = re.search(r"best value: ([\d.]+) at epoch: 2", first)[1]
    second = train(data_list, checkpoints, capfd)
    assert "Restored all variables" in second
    assert (
        "Epoch[3] Complete" in second
        and "Epoch[4] Complete" in second
        and "Epoch[1] Complete. Time" not in second.split("Trainer")[-1]
    )
    assert (checkpoints / "best.pt").is_file() and float(best) >= 0
    with pytest.raises(StudyRefused, match="another budget"):
        train(data_list, checkpoints, capfd, seed=1)


@pytest.mark.slow
def test_without_early_stopping_the_last_network_is_kept(tmp_path, capfd):
    data_list, checkpoints = photographs(tmp_path), tmp_path / "checkpoints"
    training = json.loads(data_list.read_text())["training"]
    data_list.write_text(json.dumps({"training": training}))
    said = train(data_list, checkpoints, capfd, overlays=["train_cross_validation"])
    assert "Epoch[4] Complete" in said and "best value" not in said
    kept, newest = (
        torch.load(path, weights_only=True)["model"]
        for path in (checkpoints / "best.pt", *checkpoints.glob("checkpoint_epoch=4.pt"))
    )
    assert all(torch.equal(kept[name], newest[name]) for name in newest)


def test_a_bundle_without_a_logging_conf_trains_with_the_same_lines_and_no_warning(tmp_path, monkeypatch, capfd):
    """MONAI said that it does not exist, and no epoch was told."""

    class Ends(Exception):
        pass

    def initialize(workflow) -> None:
        logging.getLogger("Trainer").info("Epoch[1] Complete")
        raise Ends

    (tmp_path / "bundle").mkdir()
    shutil.copytree(BUNDLE / "configs", tmp_path / "bundle" / "configs", ignore=shutil.ignore_patterns("logging.conf"))
    monkeypatch.setattr("monai.bundle.ConfigWorkflow.initialize", initialize)
    lines = []
    for bundle in (tmp_path / "bundle", BUNDLE):
        with pytest.raises(Ends):
            train_bundle(bundle, (), {})
        said = capfd.readouterr()
        lines.append(re.sub("^[-0-9 :,]+", "", said.out) + said.err)
    assert lines[0] == lines[1] == "Trainer - INFO - Epoch[1] Complete\n"


def test_verbose_shows_which_setting_is_wrong(tmp_path, monkeypatch, capsys):
    def misspelt(*of_train):
        raise ValueError("the referring item `@backbones` is not defined")

    monkeypatch.setattr("caveat.train_bundle.train_bundle", misspelt)
    (tmp_path / "list.json").write_text("{}")
    command = ["train", "retinal_vessels", "--data", str(tmp_path / "list.json"), "-o", str(tmp_path / "out")]
    assert main(command) == 1 and "@backbones" not in capsys.readouterr().err
    assert main([*command, "--verbose"]) == 1 and "@backbones" in capsys.readouterr().err


def test_two_trainings_do_not_share_a_folder(tmp_path, monkeypatch):
    trained: list[Training] = []
    monkeypatch.setattr(Training, "_train", lambda training: trained.append(training))
    parts = {name: MagicMock() for name in ("trainer", "validator", "model", "optimizer", "lr_scheduler")}
    parts["trainer"].state.max_epochs = 1
    training = Training(**parts, folder=tmp_path / "out", budget={"seed": 0})
    first = Journal.open(tmp_path / "out" / "budget.json")
    with pytest.raises(StudyRefused, match="OUTPUT_OF_ANOTHER_RUN"):
        training.run()
    assert not trained and (tmp_path / "out" / "budget.json").read_text() == ""
    first.close()
    training.run()
    assert trained and json.loads((tmp_path / "out" / "budget.json").read_text()) == {"seed": 0}
    Journal.open(tmp_path / "out" / "budget.json").close()


def training_in(folder: Path, **changed) -> Training:
    """A training of a tiny network that does not train; what goes on from where is looked at all the same."""
    parts = {name: MagicMock() for name in ("trainer", "optimizer", "lr_scheduler")}
    parts["validator"] = MagicMock(spec=Evaluator, logger=None)
    parts["trainer"].state.max_epochs = 1
    listed = folder.parent / "list.json"
    listed.write_text("{}")
    budget = {"list": listed, "seed": 0}
    return Training(**{**parts, "model": torch.nn.Linear(2, 1), "folder": folder, "budget": budget, **changed})


STATE = {"model": torch.nn.Linear(2, 1).state_dict(), "optimizer": {}, "lr_scheduler": {}, "trainer": {}}
"""What a checkpoint of such a training holds, as far as it is looked at before it is loaded."""


class Evil:
    def __reduce__(self):
        return os.system, ("touch it_was_run",)


CONFIG = {
    "training": {"optimizer": "@optimizer", "trainer": "@train::trainer", "folder": "@ckpt_dir", "budget": {"seed": "@seed"}},
    "optimizer": {"params": "$@network.parameters()", "lr": 0.002},
    "train": {"trainer": {"loss_function": "@loss", "max_epochs": "@epochs"}, "entries": {"list_file": "@list_file"}},
    "network": "$@backbone.to(@device)",
    "backbone": {"channels": [4, 8]},
    "loss": {"_target_": "DiceLoss"},
    **{"ckpt_dir": "a", "list_file": "b", "device": "cpu", "seed": 0, "epochs": 2, "measurements": ["volume"]},
}


@pytest.mark.parametrize(
    "changed,other",
    [
        ({"optimizer": {"params": "$@network.parameters()", "lr": 0.004}}, True),
        ({"loss": {"_target_": "DiceCELoss"}}, True),
        ({"backbone": {"channels": [4, 16]}}, True),
        ({"measurements": ["area"]}, False),
        ({"ckpt_dir": Path("c"), "list_file": Path("d"), "device": torch.device("cpu")}, False),
        ({"train": CONFIG["train"] | {"trainer": {"loss_function": "@loss", "max_epochs": 1}}}, False),
    ],
    ids=["learning rate", "loss", "network", "what is measured later", "places", "how far this process goes"],
)
def test_what_a_training_is_made_of_makes_it_another_one(changed, other):
    assert (settings_sha256(CONFIG | changed) != settings_sha256(CONFIG)) is other


def test_other_settings_are_another_training_and_older_budgets_know_none(tmp_path):
    """An edited learning rate would go on from a network of the old one."""

    def training(**budget: str) -> Training:
        return training_in(tmp_path / "out", budget={"seed": 0, **budget})

    training(settings_sha256="a").run()
    training(settings_sha256="a").run()
    training().run()  # by monai.bundle run
    with pytest.raises(StudyRefused, match="another budget, list, seed or settings"):
        training(settings_sha256="b").run()
    (tmp_path / "out" / "budget.json").write_text('{"seed": 0}')
    training(settings_sha256="b").run()


@pytest.mark.parametrize("name", ["best.pt", "checkpoint_epoch=3.pt"])
def test_checkpoints_without_a_budget_are_nobody_s_to_go_on_with(name, tmp_path):
    """They would come out as the best network of this training, or be replaced."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).write_bytes(b"somebody's")
    with pytest.raises(StudyRefused, match="OUTPUT_OCCUPIED"):
        training_in(folder).run()
    assert [path.name for path in folder.iterdir()] == [name] and (folder / name).read_bytes() == b"somebody's"


@pytest.mark.parametrize("content", [b"hello", b"\xff\xfe", b"[1]", b"[" * 100_000])
def test_a_budget_of_somebody_else_is_another_training(content, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "budget.json").write_bytes(content)
    with pytest.raises(StudyRefused, match="another budget"):
        training_in(folder).run()
    assert (folder / "budget.json").read_bytes() == content


def test_a_list_that_was_changed_since_is_another_training(tmp_path):
    """A patient who was trained on would be taken for one who was not."""
    training_in(tmp_path / "out").run()
    training_in(tmp_path / "out").run()
    (tmp_path / "other").mkdir()
    changed = training_in(tmp_path / "out")
    (tmp_path / "list.json").write_text('{"training": []}')
    with pytest.raises(StudyRefused, match="another budget, list"):
        changed.run()
    older = {"list": str(tmp_path / "list.json"), "seed": 0}
    (tmp_path / "out" / "budget.json").write_text(json.dumps(older))
    training_in(tmp_path / "out").run()


@pytest.mark.parametrize(
    "name, content",
    [
        *((name, content) for name in ("best.pt", "checkpoint_epoch=1.pt") for content in (Evil(), {"a": torch.zeros(1)}, 3)),
        ("best.pt", STATE["model"]),
        ("checkpoint_epoch=1.pt", STATE | {"model": torch.nn.Linear(3, 1).state_dict()}),
    ],
)
def test_a_checkpoint_that_is_none_of_this_training_is_refused_and_not_run(name, content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training = training_in(tmp_path / "out")
    training.run()
    torch.save(content, tmp_path / "out" / name)
    with pytest.raises(StudyRefused, match=f"WEIGHTS_REFUSED.*{name}"):
        training.run()
    assert not Path("it_was_run").exists() and training.trainer.run.call_count == 1


def test_a_checkpoint_of_this_training_is_gone_on_with(tmp_path):
    training = training_in(tmp_path / "out")
    training.run()
    torch.save(STATE, tmp_path / "out" / "checkpoint_epoch=1.pt")
    torch.save(STATE["model"] | {"checkpointer": {}}, tmp_path / "out" / "best.pt")
    training.run()
    assert training.trainer.run.call_count == 2


@pytest.mark.parametrize("content", [Evil(), "text", {"weight": torch.zeros(5)}])
def test_a_start_that_is_no_such_network_is_refused(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(content, "start.pt")
    with pytest.raises(StudyRefused, match="WEIGHTS_REFUSED.*the network to start with"):
        training_in(tmp_path / "out", start="start.pt").run()
    assert not Path("it_was_run").exists()


@pytest.mark.parametrize(
    "fault", [RuntimeError("[enforce fail at inline_container.cc:672]"), OSError(28, "No space left on device")]
)
def test_a_checkpoint_that_cannot_be_saved_leaves_the_one_before(fault, tmp_path, monkeypatch):
    """A full disk, or a kill in the middle: the best network so far, and the state to go on from, are the work of hours."""
    trainer, validator, save = Engine(lambda engine, batch: None), Evaluator("cpu", [0], epoch_length=1), torch.save
    trainer.state.max_epochs, network = 2, torch.nn.Linear(2, 1)
    saver = WholeCheckpoints(tmp_path, save_dict={"model": network, "trainer": trainer}, save_interval=1, n_saved=1)
    saver.attach(trainer)
    best = WholeCheckpoints(
        tmp_path, save_dict={"model": network}, save_key_metric=True, key_metric_name="dice", key_metric_filename="best.pt"
    )
    validator.state.metrics = {"dice": 0.5}
    best.metrics_completed(validator)
    trainer.run([0], max_epochs=1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {"best.pt", "checkpoint_epoch=1.pt"}

    def half(content, file):
        save(content, file)
        os.truncate(getattr(file, "name", file), 100)
        raise fault

    monkeypatch.setattr(torch, "save", half)
    validator.state.metrics = {"dice": 0.75}
    for goes_on in (lambda: best.metrics_completed(validator), lambda: trainer.run([0], max_epochs=2)):
        with pytest.raises(StudyRefused, match="OUTPUT_NOT_WRITABLE"):
            goes_on()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    monkeypatch.setattr(torch, "save", save)
    torch.nn.init.zeros_(network.weight)
    validator.state.metrics = {"dice": 0.875}
    best.metrics_completed(validator)
    assert not torch.load(tmp_path / "best.pt")["weight"].any()


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [1, 3])
def test_a_training_of_few_epochs_ends_with_a_best_network_and_a_state(epochs, tmp_path, capfd):
    """It is validated every second epoch."""
    data_list, checkpoints = photographs(tmp_path), tmp_path / "checkpoints"
    train(data_list, checkpoints, capfd, epochs=epochs)
    assert (checkpoints / "best.pt").is_file() and list(checkpoints.glob("checkpoint_epoch=*.pt"))


def test_where_no_validation_gave_a_number_no_network_is_called_the_best(tmp_path, monkeypatch):
    workflow = MagicMock()
    workflow.parser.get_parsed_content.return_value = tmp_path
    monkeypatch.setattr("caveat.train_bundle.ConfigWorkflow", lambda **_: workflow)
    with pytest.raises(RunFailed, match="no best network"):
        train_bundle(BUNDLE, [], {})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "nowhere.json"], "--data names no file"),
        (["--root", "nowhere"], "--root names no folder"),
        (["--epochs", "0"], "--epochs must be at least 1"),
        (["--overlay", "nothing"], "this bundle has no train_nothing.yaml"),
        (["--start", "nowhere.pt"], "--start names no file"),
        (["-o", str(ROOT)], "is not empty"),
    ],
)
def test_a_training_that_cannot_be_meant_is_refused_in_one_line(options, said, tmp_path, capsys):
    given = {"--data": str(photographs(tmp_path)), "-o": str(tmp_path / "out")}
    given |= dict(zip(options[::2], options[1::2], strict=True))
    assert main(["train", "retinal_vessels", *(part for pair in given.items() for part in pair)]) == 2
    assert f"WRONG_USAGE: {said}" in capsys.readouterr().err.replace("the output folder ", "")


def test_an_image_that_is_not_the_list_s_is_not_trained_on(tmp_path, monkeypatch):
    """Another image of that name would be learned with this one's label."""
    data_list = photographs(tmp_path)
    listed = json.loads(data_list.read_text())
    for entry in (*listed["training"], *listed["early_stopping"]):
        entry["sha256"] = inspect_study(tmp_path / entry["image"]).sha256
    data_list.write_text(json.dumps(listed))
    (tmp_path / "0.png").write_bytes((tmp_path / "1.png").read_bytes())
    monkeypatch.setenv("CAVEAT_DATA", str(tmp_path))
    with pytest.raises(StudyRefused, match="INPUT_CHANGED"):
        train_bundle(
            BUNDLE,
            [],
            {
                "list_file": data_list,
                "dataset_dir": tmp_path,
                "ckpt_dir": tmp_path / "out",
                "epochs": 1,
                "iterations": 1,
                "device": torch.device("cpu"),
            },
        )


def test_paths_of_entries_start_from_their_folders(tmp_path):
    entries = [{"image": "a.nii", "label": ["x.nii", "y.nii"], "fold": fold} for fold in (1, 2)]
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps({"training": entries}))
    folders = {"image": "images", "label": "labels"}
    assert training_entries(listed, "training", folders) == [{"image": "images/a.nii", "label": "labels/x.nii"}] * 2
    every = training_entries(listed, "training", folders, all_raters=True, left_out_fold=2)
    assert every == [{"image": "images/a.nii", "label": ["labels/x.nii", "labels/y.nii"]}]
    with pytest.raises(StudyRefused, match="no entry of the part training states the fold 3"):
        training_entries(listed, "training", folders, left_out_fold=3)
    for part, wanted in (("training", {"points": "p"}), ("early_stopping", folders)):
        with pytest.raises(StudyRefused, match="WRONG_USAGE"):
            training_entries(listed, part, wanted)
