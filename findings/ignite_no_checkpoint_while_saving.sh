#!/bin/sh
# While ignite saves the next checkpoint there is no earlier one on disk any more.
#
# Expected: the handler of a training that may be killed keeps the last state until the next is whole. ignite's DiskSaver is atomic by
#   default ("if True, checkpoint is serialized to a temporary file, and then moved to final destination, so that files are guaranteed
#   to not be damaged"), and Checkpoint(n_saved=1), its default, is said to be the "number of objects that should be kept on disk".
# Seen (pytorch-ignite 0.5.5): before the second state is serialized the first file is removed, so from then until the move the folder
#   holds a temporary file alone: a training that is killed meanwhile has nothing to go on from. With n_saved=2 one older file stays.
#   MONAI's CheckpointSaver(n_saved=1) is made of it.
# Exits with 0 while this is so.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" --quiet install torch==2.13.0 pytorch-ignite==0.5.5 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'PYTHON'
import sys
from pathlib import Path

import ignite
import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, DiskSaver

print("pytorch-ignite", ignite.__version__)


def there_while_saving(kept: int) -> list[list[str]]:
    """Args: kept: n_saved. Returns: the checkpoints on disk each time that one is about to be serialized."""
    folder, seen = Path(f"kept{kept}"), []

    class Saver(DiskSaver):
        def _save_func(self, *arguments):
            seen.append(sorted(file.name for file in folder.glob("*.pt")))
            super()._save_func(*arguments)

    trainer, model = Engine(lambda engine, batch: None), torch.nn.Linear(2, 2)
    saver = Saver(str(folder), create_dir=True)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, Checkpoint({"model": model}, saver, n_saved=kept))
    trainer.run([0], max_epochs=3)
    return seen


one, two = there_while_saving(1), there_while_saving(2)
for kept, seen in ((1, one), (2, two)):
    print(f"n_saved={kept}: on disk before each of three states is written: {seen}")
sys.exit(not (one == [[], [], []] and [len(names) for names in two] == [0, 1, 1]))
PYTHON
