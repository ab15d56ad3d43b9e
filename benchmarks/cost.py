"""How the cost grows with draws, voxels and studies: a naive loop and caveat, in turns, one thread, CPU time. Plots cost.png.

    python benchmarks/cost.py [--turns N]

draws     1, 4, 16 and 64 of channel dropout on a crop of the hippocampus set
voxels    16 draws of the same crop, laid side by side once, twice, four and eight times
studies   `caveat predict` on 1, 4 and 20 crops: the whole command with its start, the ensemble that ships, maps and reports

Sides and crop are those of speed.py. Points are kept in results/cost.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from matplotlib.figure import Figure
from naive_loop import naive_answer
from speed import DATA, DRAWS, HERE, RESULTS, bundle_parts, crop
from turns import take_turns

Points = dict[str, list[float]]
"""CPU seconds of each turn, by how many there were."""
DRAWN, COPIES, STUDIES = (1, 4, 16, 64), ((1, 1, 1), (2, 1, 1), (2, 2, 1), (2, 2, 2)), (1, 4, 20)
NAIVE, OURS = "a loop, stack and statistics", "caveat"


def main() -> None:
    """Measure, keep the points, plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    turns = parser.parse_args().turns
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    measured = {
        "draws": both_sides([(draws, (1, 1, 1), draws) for draws in DRAWN], turns),
        "voxels": both_sides([(DRAWS, copies, copies[0] * copies[1] * copies[2]) for copies in COPIES], turns),
        "studies": {OURS: {str(count): [predict(count) for _ in range(turns)] for count in STUDIES}},
    }
    RESULTS.with_name("cost.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    plot(measured, HERE / "results" / "cost.png")


def both_sides(work: Sequence[tuple[int, tuple[int, ...], int]], turns: int) -> dict[str, Points]:
    """The loop and caveat. Args: work: draws, copies of the crop along each axis, and under which number the point stands."""
    network, inferer, config = bundle_parts("hippocampus_volume", "dropout")
    study = config.get_parsed_content("preprocessing")(crop())["image"].as_tensor()[None].float()
    points: dict[str, Points] = {NAIVE: {}, OURS: {}}
    for draws, copies, number in work:
        inferer.draws = draws
        repeated = study.repeat(1, 1, *copies)
        sides: tuple[Callable[[], object], ...] = (
            lambda repeated=repeated: naive_answer(repeated, inferer, network),
            lambda repeated=repeated: inferer(repeated, network),
        )
        timed = take_turns(*sides, turns)
        points[NAIVE][str(number)], points[OURS][str(number)] = timed.first, timed.second
        print(draws, copies, timed, flush=True)
    return points


def predict(count: int) -> float:
    """CPU seconds of the command on the first images of the hippocampus set."""
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder, "images")
        images.mkdir()
        for image in sorted((DATA / "hippocampus" / "images").glob("*.nii.gz"))[:count]:
            shutil.copyfile(image, images / image.name)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ["predict", "hippocampus_volume", "-i", str(images), "-o", str(Path(folder, "out")), "--device", "cpu"]
        subprocess.run([sys.executable, "-m", "caveat", *command], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(count, round(seconds, 1), flush=True)
    return seconds


def plot(measured: dict[str, dict[str, Points]], path: Path) -> None:
    """A panel each, every turn a point, medians joined."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    titles = {"draws": "draws of a crop", "voxels": "voxels, in crops; 16 draws", "studies": "studies, the whole command"}
    for axes, (name, sides) in zip(figure.subplots(1, 3), measured.items(), strict=True):
        for (side, points), colour in zip(
            sides.items(), ("tab:gray", "tab:blue") if len(sides) == 2 else ("tab:blue",), strict=True
        ):
            numbers = [int(number) for number in points]
            axes.plot(numbers, [sorted(seconds)[len(seconds) // 2] for seconds in points.values()], color=colour, label=side)
            for number, seconds in zip(numbers, points.values(), strict=True):
                axes.plot([number] * len(seconds), seconds, ".", color=colour)
        axes.set(xlabel=titles[name], ylabel="CPU seconds, one thread", ylim=(0, None), xlim=(0, None), xticks=numbers)
    figure.axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
