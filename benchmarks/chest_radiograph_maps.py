"""Saliency maps of the boxed films, a map a draw: what benchmarks/chest_radiograph_saliency.py makes its tables of.

    python benchmarks/chest_radiograph_maps.py      # after chest_radiograph_predict.py train; half an hour of one quiet core

Each of the 44 films is looked at by draws of a network that has not seen it: the one of its fold, or on films of the test all
five in turn. Of every method the mean over the draws is kept, their standard deviation, and the share of draws in which a pixel
is among the strongest tenth, on the grid of the inner film (256 x 256). Of the first films also the map without dropout, and that
of the same network with its last stages and its last layer shuffled: what survives that is no explanation. Writes
out/chest_radiograph/maps/FILM.npz.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import chest_radiograph_predict as chest
import frame
import numpy as np
import torch
from frame import DATA
from monai.visualize import OcclusionSensitivity, SmoothGrad, VanillaGrad
from torch import nn

from caveat.inference.reducers.evidence import evidence_of, strongest
from caveat.inference.stored.list_part import read_entries
from caveat.networks.backbones.efficientnet_lite import SHARED
from caveat.networks.draws.draw import Draw, first_draws
from caveat.networks.draws.place import Place
from caveat.networks.samplers.shared_trunk import SharedTrunk

OUT = chest.OUT / "maps"
BOXES = DATA / "chest_xray" / "nih_boxes.csv"
DRAWS = 5
STEPS = 4
"""Of integrated gradients, and noisy copies of SmoothGrad."""
MASK = 64
"""Side of what occlusion hides at once, side by side."""
SHUFFLED = 15
"""Films whose network is shuffled too."""
GREY = 0.0
"""Of the normalised film: about the middle of the ranks, in the place of what is hidden and as baseline."""
PNEUMONIA = 1
SIDE = 256
Method = Callable[[nn.Module, torch.Tensor], torch.Tensor]


class OneDraw(nn.Module):
    """The logits of one draw, as MONAI's maps want them."""

    def __init__(self, sampler: SharedTrunk, draw: Draw) -> None:
        super().__init__()
        self.sampler, self.draw = sampler.requires_grad_(False), draw
        self.eval()

    def evidence(self, films: torch.Tensor) -> torch.Tensor:
        """Args: films: (B, 3, H, W). Returns: (B, classes, H, W)."""
        places = [Place((0, 0), tuple(films.shape[2:]), tuple(films.shape[2:]))] * len(films)
        return self.sampler.decode(self.sampler.encode(films, places, None), [self.draw], places, None)[0]

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Returns: (B, classes)."""
        return self.evidence(films).mean(dim=(2, 3))


def evidence(network: nn.Module, film: torch.Tensor) -> torch.Tensor:
    """What the bundle writes: the class activation map, GradCAM before its rectifier."""
    with torch.no_grad():
        return evidence_of(network.evidence(film)[0])  # type: ignore[operator]


def gradient(network: nn.Module, film: torch.Tensor) -> torch.Tensor:
    """Simonyan et al. 2014."""
    return VanillaGrad(network)(film.clone(), PNEUMONIA)[0].abs().sum(dim=0)


def smooth_gradient(network: nn.Module, film: torch.Tensor) -> torch.Tensor:
    """Smilkov et al. 2017, the same noise in every draw."""
    torch.manual_seed(0)
    return SmoothGrad(network, n_samples=STEPS, verbose=False)(film.clone(), PNEUMONIA)[0].abs().sum(dim=0)


def integrated_gradients(network: nn.Module, film: torch.Tensor) -> torch.Tensor:
    """Sundararajan et al. 2017, from an even grey, by the midpoint rule."""
    total = torch.zeros_like(film)
    for step in range(STEPS):
        total += VanillaGrad(network)(GREY + (step + 0.5) / STEPS * (film - GREY), PNEUMONIA)
    return ((film - GREY) * total / STEPS)[0].sum(dim=0).abs()


def occlusion(network: nn.Module, film: torch.Tensor) -> torch.Tensor:
    """Zeiler and Fergus 2014: how far the logit falls where a part is hidden."""
    hidden = OcclusionSensitivity(network, mask_size=MASK, n_batch=8, verbose=False, mode=GREY, overlap=0.0, activate=False)
    with torch.no_grad():
        return -hidden(film)[0][0, PNEUMONIA].as_subclass(torch.Tensor)


METHODS: Mapping[str, Method] = {
    "evidence": evidence,
    "gradient": gradient,
    "integrated gradients": integrated_gradients,
    "SmoothGrad": smooth_gradient,
    "occlusion": occlusion,
}


def main() -> None:
    """Write the maps of each boxed film, once."""
    torch.set_num_threads(1)
    config = frame.parsed_bundle(chest.BUNDLE, None, {})
    prepare, sampler = config.get_parsed_content("preprocessing"), config.get_parsed_content("network")
    OUT.mkdir(parents=True, exist_ok=True)
    for number, entry in enumerate(boxed_entries()):
        file = OUT / f"{name_of(entry)}.npz"
        if file.is_file():
            continue
        film = prepare({"image": DATA / entry["image"]})["image"][None].as_tensor()
        np.savez_compressed(file, **maps_of(film, sampler, entry.get("fold"), number < SHUFFLED))
        print(file.name, flush=True)


def boxed_entries() -> list[dict[str, Any]]:
    """Entries of the films that have a box, those of the folds with the number of the network that has not seen them."""
    names = {line.partition(",")[0].rpartition("/")[2] for line in BOXES.read_text(encoding="utf-8").splitlines()[1:]}
    listed = [*read_entries(chest.OUT_OF_FOLD, "out_of_fold"), *read_entries(chest.LIST, "test")]
    return [entry for entry in listed if f"{name_of(entry)}.jpg" in names]


def name_of(entry: Mapping[str, Any]) -> str:
    """Of a film."""
    return str(entry["image"]).rpartition("/")[2].removesuffix(".jpg")


def maps_of(film: torch.Tensor, sampler: SharedTrunk, fold: int | None, also_shuffled: bool) -> dict[str, np.ndarray]:
    """All maps of a film. Args: film: (1, 3, H, W). fold: whose network looks at it; None for all five in turn."""
    sampler.only = fold
    networks = {"off": without_dropout(sampler), "shuffled": without_dropout(shuffle(sampler))} if also_shuffled else {}
    out: dict[str, np.ndarray] = {}
    for name, method in METHODS.items():
        draws = torch.stack([method(OneDraw(sampler, draw), film).detach().double() for draw in first_draws(DRAWS, 0)])
        out[f"{name}, mean"] = draws.mean(dim=0).half().numpy()
        out[f"{name}, sd"] = draws.std(dim=0).half().numpy()
        out[f"{name}, share"] = torch.stack([strongest(one) for one in draws]).double().mean(dim=0).half().numpy()
        for which, network in networks.items():
            out[f"{name}, {which}"] = method(OneDraw(network, Draw(0, 0)), film).detach().half().numpy()
    return out


def without_dropout(sampler: SharedTrunk) -> SharedTrunk:
    """The same network with its dropout off; network 0 where all five would take turns."""
    out = copy.deepcopy(sampler)
    for layer in out.layers:
        layer.p = 0.0
    return out


def shuffle(sampler: SharedTrunk) -> SharedTrunk:
    """The last three stages, and all behind them, with their weights in another order: as large, and meaningless."""
    out, generator = copy.deepcopy(sampler), torch.Generator().manual_seed(0)
    parts = [*out.backbone.stages[SHARED:], out.backbone.last, out.backbone.head]  # type: ignore[index]
    with torch.no_grad():
        for parameter in (one for part in parts for one in part.parameters()):
            parameter.copy_(parameter.flatten()[torch.randperm(parameter.numel(), generator=generator)].reshape(parameter.shape))
    return out


if __name__ == "__main__":
    main()
