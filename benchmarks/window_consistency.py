"""How much of a draw's spread survives the windows: ours beside MONAI's sliding window with plain dropout.

    python benchmarks/window_consistency.py [--draws 20] [--out benchmarks/results/window_consistency.json]

The shipped dropout network of `retinal_vessels` segments the fundus photograph that scikit-image carries, on the network
grid. The standard deviation of the vessel area over the draws is measured for several overlaps, window batches and
orders of windows, and beside it the same for `monai.inferers.sliding_window_inference` with the same network in which
torch's own dropout is left on. Also: how far a windowed draw is from the same draw on the full image, which is what
window borders cost.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path

import skimage
import torch
from monai.bundle import ConfigParser
from monai.inferers import sliding_window_inference

from caveat.bundle_folders import shipped_bundles
from caveat.inference.engine import inferer as inferer_module
from caveat.inference.engine.inferer import SamplingInferer
from caveat.inference.engine.windows import WindowPlan, plan_windows
from caveat.inference.reducers.extent import Extent
from caveat.inference.reducers.moments import Moments
from caveat.inference.targets.area import Area
from caveat.networks.samplers.dropout import DropoutSampler

REGION_CHANNEL = 3
WINDOW = 256
SIDE = 512
"""The middle of the photograph: two to five windows a side."""
SETTINGS = {
    "one window": {"overlap": 0.0, "whole": True},
    "overlap 0": {"overlap": 0.0},
    "overlap 0.25": {"overlap": 0.25},
    "overlap 0.5": {"overlap": 0.5},
    "overlap 0.75": {"overlap": 0.75},
    "overlap 0.5, window batch 1": {"overlap": 0.5, "window_batch": 1},
    "overlap 0.5, window batch 8": {"overlap": 0.5, "window_batch": 8},
    "overlap 0.5, windows reversed": {"overlap": 0.5, "reverse": True},
}


def main() -> None:
    """Print the table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "window_consistency.json")
    options = parser.parse_args()
    image, sampler = load()
    rows = {}
    for name, setting in SETTINGS.items():
        ours = areas_of_draws(image, sampler, options.draws, **setting)
        plain = areas_of_plain_dropout(image, sampler, options.draws, **setting)
        rows[name] = {"ours": summary(ours), "plain dropout": summary(plain)}
        print(f"{name:32s} ours {rows[name]['ours']}   plain dropout {rows[name]['plain dropout']}", flush=True)
    border = border_effect(image, sampler)
    print("a windowed draw against the same draw in one window, at overlap 0.25:", border)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(
        json.dumps({"draws": options.draws, "window": WINDOW, "rows": rows, "border": border}, indent=1) + "\n", encoding="utf-8"
    )


def load() -> tuple[torch.Tensor, DropoutSampler]:
    """The middle of the photograph on the network grid, and the shipped dropout network."""
    bundle = shipped_bundles()["retinal_vessels"]
    config = ConfigParser()
    config.read_config([str(bundle / "configs" / name) for name in ("inference.yaml", "dropout.yaml")])
    config.update({"bundle_root": str(bundle), "device": "$torch.device('cpu')"})
    study = config.get_parsed_content("preprocessing")({"image": str(Path(skimage.__file__).parent / "data" / "retina.jpg")})
    image = study["image"].as_tensor()[None]
    rows, columns = ((n - SIDE) // 2 for n in image.shape[2:])
    return image[:, :, rows : rows + SIDE, columns : columns + SIDE], config.get_parsed_content("network").cpu()


def areas_of_draws(
    image: torch.Tensor, sampler: DropoutSampler, draws: int, whole: bool = False, reverse: bool = False, **options: float
) -> list[float]:
    """Vessel area of each draw, in elements of the network grid."""
    reducers = [Moments(), Extent([Area("area", "Vessels", (1,))])]
    roi = (-1, -1) if whole else (WINDOW, WINDOW)
    inferer = SamplingInferer(roi, ["background", "vessel"], reducers, draws=draws, region_channel=REGION_CHANNEL, **options)
    inferer_module.plan_windows = reversed_slabs if reverse else plan_windows
    result = json.loads(inferer(image, sampler)["result"])
    inferer_module.plan_windows = plan_windows
    return result["answers"][0]["draws"]["values"]


def border_effect(image: torch.Tensor, sampler: DropoutSampler) -> dict[str, float]:
    """One draw in windows against the same draw in one window: what the windows' borders cost."""
    region = image[0, REGION_CHANNEL] > 0.5
    answers = []
    for roi in ((-1, -1), (WINDOW, WINDOW)):
        inferer = SamplingInferer(roi, ["background", "vessel"], [Moments()], draws=1, region_channel=REGION_CHANNEL)
        answers.append(inferer(image, sampler)["pred"][0, 1][region])
    whole, windowed = answers
    return {
        "mean absolute difference of the probability": round(float((whole - windowed).abs().mean()), 5),
        "share of pixels whose label differs": round(float(((whole > 0.5) != (windowed > 0.5)).float().mean()), 5),
    }


def reversed_slabs(*arguments: object, **options: object) -> WindowPlan:
    """The same windows, last first within each slab."""
    plan = plan_windows(*arguments, **options)
    return WindowPlan(plan.size, plan.padding, tuple(slab[::-1] for slab in plan.slabs), plan.importance)


def areas_of_plain_dropout(
    image: torch.Tensor, sampler: DropoutSampler, draws: int, whole: bool = False, reverse: bool = False, **options: float
) -> list[float]:
    """The same with torch's dropout left on: every window of every batch has a mask of its own."""
    network = sampler.backbone.eval()
    for layer in sampler.layers:
        layer.train()
    roi = tuple(image.shape[2:]) if whole else (WINDOW, WINDOW)
    region = image[0, REGION_CHANNEL] > 0.5
    areas = []
    for draw in range(draws):
        torch.manual_seed(draw)
        batch, overlap = int(options.get("window_batch", 4)), float(options["overlap"])
        logits = run_quietly(lambda b=batch, o=overlap: sliding_window_inference(image, roi, b, network, o, "gaussian"))
        areas.append(float(((logits.argmax(1)[0] == 1) & region).sum()))
    network.eval()
    return areas


def run_quietly(step: Callable[[], torch.Tensor]) -> torch.Tensor:
    """Without gradients."""
    with torch.no_grad():
        return step()


def summary(areas: list[float]) -> dict[str, float]:
    """Mean and standard deviation, in elements of the network grid."""
    return {"mean": round(statistics.fmean(areas), 1), "sd": round(statistics.stdev(areas), 1)}


if __name__ == "__main__":
    main()
