"""A bundle's network trained on the labels of the datastore, by `caveat train`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.train import TrainTask

from ..exit_status import ExitStatus, RunFailed
from ..listing.annotated import annotated
from ..listing.entries import entries_of
from ..listing.parts import part_of_each
from ..own_process import command, environment
from ..transforms.files.whole_file import write_whole

SHARES = {"training": 0.8, "early_stopping": 0.2}
BUDGET = {"epochs": int, "iterations": int, "batch": int, "seed": int}
LIST = "list.json"


class Train(TrainTask):
    """Runs in a process that the server starts; its output is the task's log.

    Args:
        bundle: folder with a train.yaml. output: folder for trainings. device: as of `caveat train`.
    """

    def __init__(self, bundle: Path, output: Path, device: str) -> None:
        super().__init__(f"{bundle.name}, trained on the final labels; an image is a unit, and every fifth decides when to stop")
        self.bundle, self.output, self.device = bundle, output, device

    def config(self) -> dict[str, Any]:
        """What a viewer shows; 0 is the bundle's own budget."""
        return dict.fromkeys(BUDGET, 0)

    def __call__(self, request: Mapping[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Args: request: parts of the budget. Returns: where the network is. Raises: RunFailed, StudyRefused."""
        home = Path(datastore._datastore_path)  # type: ignore[attr-defined]  # of the cache, where images come from an archive
        folder = self._new_folder()
        write_whole(folder / LIST, lambda aside: aside.write_text(json.dumps(training_list(home), indent=1), encoding="utf-8"))
        stated = [(name, kind(request[name])) for name, kind in BUDGET.items() if request.get(name)]
        options = [word for name, value in stated for word in (f"--{name}", str(value))]
        status = subprocess.run(command("caveat", *self._command(folder, home), *options), env=environment()).returncode
        if status != ExitStatus.OK:
            raise RunFailed(f"caveat train ended with status {status}")
        return {"network": str(folder / "network" / "best.pt")}

    def _command(self, folder: Path, home: Path) -> Sequence[str]:
        where = ["--data", str(folder / LIST), "--root", str(home), "-o", str(folder / "network")]
        return ["train", str(self.bundle), *where, "--device", self.device.partition(":")[0]]

    def _new_folder(self) -> Path:
        """One of its own for each training."""
        place = self.output / self.bundle.name
        place.mkdir(parents=True, exist_ok=True)
        number = 1 + sum(1 for _ in place.iterdir())
        folder = place / f"{number:04d}"
        folder.mkdir()
        return folder


def training_list(home: Path) -> dict[str, list[dict[str, Any]]]:
    """All final labels, whatever was seen when they were drawn: a training promises nothing.

    Args:
        home: folder of the datastore.

    Raises:
        StudyRefused: WRONG_USAGE where there are too few; what an image is refused with.
    """
    found = annotated(home)
    names = [one.name for one in found]
    part_of = part_of_each(names, SHARES, seed=0)
    entries = entries_of([one.image for one in found], [[one.label for one in found]], names, home)
    return {part: [entry for entry in entries if part_of[entry["unit"]] == part] for part in SHARES}
