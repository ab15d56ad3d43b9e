"""Training: MONAI's trainer on a budget that is written first, resumed wherever it was stopped, its best network kept."""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from ignite.engine import Engine, Events
from monai.engines import Evaluator, Trainer
from monai.handlers import CheckpointLoader, LrScheduleHandler, StatsHandler, ValidationHandler, from_engine

from caveat.reasons import StudyRefused

from ...networks.weights.pack_members import read_checkpoint
from ...transforms.output.journal import Journal
from .whole_checkpoints import WholeCheckpoints, WholeFiles

BEST = "best.pt"
BUDGET = "budget.json"
LIST_SHA256, SETTINGS = LATER = "list_sha256", "settings_sha256"
"""What the budget says beside, where both know it: what the list holds under its name, and what configs say of a training."""
STEPS_BETWEEN_LINES = 50


class Training:
    """What a bundle's train.yaml runs.

    In `folder`: `budget.json`, written before the first step; the newest state, from which another run goes on; `best.pt`, the
    network with the best value of the validator's key metric, or without a validator the one at the budget's end. A run that
    goes on knows the best value so far: its first validation is not the best by default.

    Args:
        trainer: of MONAI. validator: run every `validation_interval` epochs; None where nothing is chosen on any unit.
        model: what the checkpoints hold; computed with the channels last, a seventh faster on a CPU.
        optimizer: of the trainer. lr_scheduler: advanced at each step.
        folder: for checkpoints.
        budget: what `budget.json` says: list, epochs, steps, batch, window, seed; the settings' sha256 where it is known.
        lower_is_better: of the key metric.
        validation_interval, save_interval: epochs; a training of fewer is validated and saved at its end.
        start: checkpoint of an earlier training to begin with, where there is nothing to go on from.
        started: the network that it is loaded into, the model or a part of it; None for the model.
        more_state: of what else has to be resumed, such as a loss that counts its steps.
    """

    def __init__(
        self,
        trainer: Trainer,
        validator: Evaluator | None,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        lr_scheduler: torch.optim.lr_scheduler.LRScheduler,
        folder: str | Path,
        budget: Mapping[str, Any],
        lower_is_better: bool = False,
        validation_interval: int = 2,
        save_interval: int = 2,
        start: str | Path | None = None,
        started: torch.nn.Module | None = None,
        more_state: Mapping[str, Any] | None = None,
    ) -> None:
        self.trainer, self.validator, self.model = trainer, validator, model
        self.lr_scheduler = lr_scheduler
        self.folder = Path(folder)
        self.budget = dict(budget)
        self.lower_is_better = lower_is_better
        epochs = trainer.state.max_epochs or 1
        self.intervals = {"validation": min(validation_interval, epochs), "save": min(save_interval, epochs)}
        self.start, self.started = start, started or model
        self.state = {
            "model": model,
            "optimizer": optimizer,
            "lr_scheduler": lr_scheduler,
            "trainer": trainer,
            **(more_state or {}),
        }

    def run(self) -> None:
        """Train to the end of the budget.

        Raises:
            StudyRefused: WRONG_USAGE where the folder holds a training of another budget; OUTPUT_OCCUPIED where checkpoints lie
                there, and no budget; OUTPUT_OF_ANOTHER_RUN where another process trains there; OUTPUT_NOT_WRITABLE;
                WEIGHTS_REFUSED where `start`, or what is to be gone on from, is no checkpoint of such a network.
        """
        lock = Journal.open(self.folder / BUDGET)  # two trainings would replace each other's states
        try:
            self._state_budget(lock)
            self._train()
        finally:
            lock.discard()

    def _train(self) -> None:
        if self.start is not None and not self._states():
            with _refused("the network to start with"):
                self.started.load_state_dict(read_checkpoint(self.start))
        self.model.to(memory_format=channels_last(self.model))  # type: ignore[call-overload]  # torch does not annotate it
        best = None if self.validator is None else self._watch(self.validator)
        if best is None:
            self._keep_last()
        self._watch_trainer()
        self._resume(best)
        self.trainer.run()

    def _state_budget(self, lock: Journal) -> None:
        stated, path = json.loads(json.dumps(self.budget, default=str)), self.folder / BUDGET
        if "list" in stated:
            stated[LIST_SHA256] = hashlib.sha256(Path(stated["list"]).read_bytes()).hexdigest()
        if path.stat().st_size > 0:
            if not _agree(_read(path), stated):
                raise StudyRefused("WRONG_USAGE", "the folder holds a training of another budget, list, seed or settings")
        elif self._states() or (self.folder / BEST).exists():
            raise StudyRefused("OUTPUT_OCCUPIED", f"checkpoints, and no {BUDGET} that says of which training")
        else:
            lock.replace(json.dumps(stated))

    def _keep_last(self) -> None:
        keep = WholeFiles(self.folder, BEST)
        self.trainer.add_event_handler(Events.COMPLETED, lambda: keep({"model": self.model.state_dict()}, BEST))

    def _watch(self, validator: Evaluator) -> WholeCheckpoints:
        if self.lower_is_better:
            validator.metric_cmp_fn = operator.lt
        best = WholeCheckpoints(
            self.folder,
            save_dict={"model": self.model},
            save_key_metric=True,
            key_metric_filename=BEST,
            key_metric_save_state=True,
            key_metric_negative_sign=self.lower_is_better,
        )
        for handler in (Lines(iteration_log=False), best):
            handler.attach(validator)
        ValidationHandler(self.intervals["validation"], validator).attach(self.trainer)
        return best

    def _watch_trainer(self) -> None:
        for handler in (
            LrScheduleHandler(cast(Any, self.lr_scheduler), epoch_level=False, print_lr=False),  # annotated as torch's old class
            Lines(
                epoch_log=False,
                iteration_log=_now_and_then,
                tag_name="train_loss",
                output_transform=from_engine(["loss"], first=True),
            ),
            WholeCheckpoints(self.folder, save_dict=self.state, save_interval=self.intervals["save"], n_saved=1),
        ):
            handler.attach(self.trainer)

    def _resume(self, best: WholeCheckpoints | None) -> None:
        so_far = [self.folder / BEST] if best is not None and (self.folder / BEST).is_file() else []
        wanted = [(path, self.state) for path in self._states()[-1:]] + [(path, {"checkpointer": best}) for path in so_far]
        for path, state in wanted:
            with _refused(path.name):
                lacking = state.keys() - torch.load(path, map_location="cpu", weights_only=True).keys()
                if lacking or _shapes(read_checkpoint(path)) != _shapes(self.model.state_dict()):
                    raise ValueError("a checkpoint of another training")
            CheckpointLoader(str(path), state).attach(self.trainer)

    def _states(self) -> list[Path]:
        """From the oldest to the newest."""
        return sorted(self.folder.glob("checkpoint_epoch=*.pt"), key=lambda path: path.stat().st_mtime)


class Lines(StatsHandler):
    """What a training says of itself; what ends it is said where it ends, without a traceback, which may quote anything."""

    def exception_raised(self, engine: Engine, e: Exception) -> None:
        """Hand it on."""
        raise e


@contextmanager
def _refused(what: str) -> Iterator[None]:
    """Raises: StudyRefused: WEIGHTS_REFUSED in place of whatever a damaged or a strange file makes torch raise."""
    try:
        yield
    except Exception as error:
        raise StudyRefused("WEIGHTS_REFUSED", f"{what} is damaged, or of another network") from error


def _shapes(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state.items()}


def _read(path: Path) -> Any:
    """The budget of a folder; None where it is none of ours."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None


def _agree(stored: Any, stated: Mapping[str, Any]) -> bool:
    """Whether two budgets are of one training; what an older one does not know yet is left aside."""
    if not isinstance(stored, dict):
        return False
    compared = {*stored, *stated} - {key for key in LATER if key not in stored or key not in stated}
    return all(key in stored and key in stated and stored[key] == stated[key] for key in compared)


def channels_last(model: torch.nn.Module) -> torch.memory_format:
    """The layout with the channels last for a network of slices or of volumes; as it is where no layer says which."""
    axes = max((parameter.ndim for parameter in model.parameters()), default=0)
    return {4: torch.channels_last, 5: torch.channels_last_3d}.get(axes, torch.preserve_format)


def _now_and_then(engine: Engine, iteration: int) -> bool:
    return iteration % STEPS_BETWEEN_LINES == 0
