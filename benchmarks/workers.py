"""A batch of hippocampus crops in one process of an earlier version, and in two worker processes of this one.

    CAVEAT_DATA=../shared/data python benchmarks/workers.py [--before COMMIT] [--studies 40] [--workers 2]

Both run `python -m caveat predict` from the start of the program to its end, on the CPU. Wall time needs a machine that does
nothing else, so the load before each side stands beside it, and processor seconds a study, which need none. Outputs of one worker
and of several are compared byte by byte. Writes benchmarks/results/workers.json and prints it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "data_lists" / "hippocampus.json"
RESULT = Path(__file__).resolve().parent / "results" / "workers.json"
PARTS = ("test", "calibration", "training")
EARLIER = "2e429e7"
"""The last commit that measured every study in the program's own process."""


def main() -> None:
    """Run both sides and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", default=EARLIER)
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        parts = json.loads(LIST.read_text(encoding="utf-8"))
        batch = [entry for part in PARTS for entry in parts[part]][: options.studies]
        (work / "list.json").write_text(json.dumps({"batch": batch}))
        before = work / "before"
        subprocess.run(["git", "worktree", "add", "-q", "--detach", str(before), options.before], cwd=ROOT, check=True)
        try:
            sides = {
                f"one process at {options.before}": measure(work, "a", before),
                f"{options.workers} workers": measure(work, "b", ROOT, "--workers", str(options.workers)),
                "1 worker": measure(work, "c", ROOT, "--workers", "1"),
            }
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(before)], cwd=ROOT, check=True)
        same = outputs(work / "b") == outputs(work / "c")
    first, second, _ = (side["studies_a_minute"] for side in sides.values())
    table = {
        "studies": options.studies,
        "cores": len(os.sched_getaffinity(0)),
        "sides": sides,
        "workers_over_one_process": round(second / first, 2),
        "bytes_of_1_and_of_several_workers_equal": same,
    }
    RESULT.write_text(json.dumps(table, indent=1) + "\n")
    print(json.dumps(table, indent=1))


def measure(work: Path, out: str, code: Path, *options: str) -> dict[str, Any]:
    """One side. Returns: studies a minute, processor seconds a study, load of the machine before."""
    command = [sys.executable, "-m", "caveat", "predict", "hippocampus_volume", "--data", str(work / "list.json")]
    command += ["--split", "batch", "-o", str(work / out), "--device", "cpu", *options]
    data = {"CAVEAT_DATA": str(Path(os.environ.get("CAVEAT_DATA", ROOT.parent / "shared" / "data")).resolve())}
    environment = {**os.environ, "PYTHONPATH": str(code), **data}
    load, start, used = os.getloadavg()[0], time.monotonic(), processor_seconds()
    subprocess.run(command, cwd=code, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, studies = time.monotonic() - start, len(list((work / out).glob("*/result.json")))
    return {
        "studies": studies,
        "wall_seconds": round(wall, 1),
        "studies_a_minute": round(60 * studies / wall, 2),
        "processor_seconds_a_study": round((processor_seconds() - used) / studies, 2),
        "load_before": round(load, 1),
    }


def processor_seconds() -> float:
    """Of all children that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def outputs(out: Path) -> dict[str, bytes]:
    """Every output but the journal."""
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file() and p.name != "journal.jsonl"}


if __name__ == "__main__":
    main()
