"""What sixteen hypotheses cost beside one, for each sampler of the lung lesion bundle: the ratio, not seconds.

    python benchmarks/lung_lesions_cost.py [--bundle FOLDER] [--device cuda]

One study of 96 x 96 elements and twelve slices, as a typical nodule's; the window passes the network, the mean over the draws
is formed. Both sides take turns in one run, so that a busy machine slows both; the figure is the ratio of the medians. Beside it
the ratio of the multiplications in convolutions and linear layers, which neither noise nor statistics of the draws are part of.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from frame import parsed_bundle
from torch.utils.flop_counter import FlopCounterMode

from caveat.bundle_folders import find_bundle, read_metadata
from caveat.inference.evaluation.markdown import markdown_table

SIZE = (1, 1, 96, 96, 12)
DRAWS = 16
TURNS = 7
MOMENTS = [{"_target_": "caveat.inference.reducers.moments.Moments"}]


def main() -> None:
    """Print a row a sampler."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", default="lung_lesions", help="name or folder (default: the shipped one)")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    bundle = find_bundle(options.bundle)
    rows = [row_of(bundle, sampler, torch.device(options.device)) for sampler in read_metadata(bundle)["samplers"]]
    print(
        markdown_table(["sampler", "draws", "seconds for one draw", "seconds for all", "ratio", "ratio of multiplications"], rows)
    )


def row_of(bundle: Path, sampler: str, device: torch.device) -> list[str]:
    """Time one draw and all of a sampler's draws. Args: sampler: as the metadata names it."""
    config = parsed_bundle(bundle, sampler, {"device": f"$torch.device('{device}')", "reducers": MOMENTS})
    network, inferer = (config.get_parsed_content(name) for name in ("network", "inferer"))
    network.eval()
    study = torch.rand(SIZE, generator=torch.Generator().manual_seed(0)).to(device)
    draws = min(DRAWS, network.capacity or DRAWS)

    def run(count: int) -> None:
        inferer.draws = count
        inferer(study, network)
        if device.type == "cuda":
            torch.cuda.synchronize()

    one, all_draws = medians(lambda: run(1), lambda: run(draws))
    multiplications = multiplied(lambda: run(draws)) / multiplied(lambda: run(1))
    return [sampler, str(draws), f"{one:.3f}", f"{all_draws:.3f}", f"{all_draws / one:.2f}", f"{multiplications:.2f}"]


def multiplied(side: Callable[[], None]) -> int:
    """Multiplications and additions of one call."""
    with FlopCounterMode(display=False) as counter:
        side()
    return counter.get_total_flops()


def medians(*sides: Callable[[], None]) -> list[float]:
    """Seconds of each side, taken in turns after one that does not count."""
    seconds: list[list[float]] = [[] for _ in sides]
    for turn in range(TURNS + 1):
        for side, times in zip(sides, seconds, strict=True):
            start = time.perf_counter()
            side()
            if turn:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in seconds]


if __name__ == "__main__":
    main()
