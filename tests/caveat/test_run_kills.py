"""kill -9 at any moment: nothing is lost, nothing is there twice, and the resumed run ends as one that nobody touched."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
import zipfile
from pathlib import Path

import pytest
from lesion_bundle import small_bundle
from poison import state, write_crops

from caveat.run.here import Here
from caveat.run.job import Job
from caveat.run.run import run
from caveat.transforms.files.temporary_folder import temporary_folder
from caveat.transforms.study.discover import find_studies

KILLS = {"files": 50, "an archive": 20}


class Loaded(Here):
    """In a process that was forked from one with the bundle loaded: what is killed is the run, and not the import of torch."""

    def load(self):
        return self.bundle.facts


def packed(folder: Path) -> Path:
    """An archive of a folder's files."""
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.iterdir()):
            file.write(path, path.name)
    return archive


def whole_run(here: Here, given: Path, out: Path, resume: bool) -> None:
    """From the search on, which unpacks archives."""
    run(here, find_studies(given), out, given, resume, {})


@pytest.mark.slow
@pytest.mark.parametrize("kind", KILLS)
def test_a_run_killed_at_any_moment_is_resumed_to_the_same_bytes(kind, tmp_path, capfd, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    temporary_folder.cache_clear()  # of this process: each run has its own
    bundle = small_bundle(tmp_path / "bundles")
    given, out = write_crops(tmp_path / "in", "a", "b", "broken"), tmp_path / "out"
    given = packed(given) if kind == "an archive" else given
    overrides = {"output_dir": out, "point": [-12.0, -12.0, 5.0], "inferer::draws": 2, "threads": 1}
    here = Loaded(Job(bundle, (bundle / "configs" / "inference.yaml",), overrides).on("cpu"))
    Here.load(here)

    def go_on(resume: bool, kill_after: float | None = None) -> float:
        """Returns: seconds until it ended, or was killed."""
        process = multiprocessing.get_context("fork").Process(target=whole_run, args=(here, given, out, resume))
        start = time.monotonic()
        process.start()
        process.join(kill_after)
        process.kill()
        process.join()
        return time.monotonic() - start

    whole = go_on(resume=False)
    expected = state(out)
    assert json.loads(expected["run.json"])["sealed"] is True
    moments = random.Random(0)
    for trial in range(KILLS[kind]):
        os.rename(out, tmp_path / f"done{trial}")
        go_on(resume=True, kill_after=moments.uniform(0, whole))
        if trial % 5 == 0:  # and once more on the way
            go_on(resume=True, kill_after=moments.uniform(0, whole))
        go_on(resume=True)
        assert state(out) == expected, f"kill {trial}"
        assert not [path for path in Path(out).iterdir() if path.name.startswith(".")]
        assert len(list((tmp_path / "tmp").iterdir())) <= 1, "of the last one, which a forked process leaves to the next"
