"""What a network could have learnt instead: scores of how the films were made, out of fold, beside those of the networks.

    python benchmarks/chest_radiograph_acquisition.py       # after chest_radiograph_predict.py train

Every score is of a model that has not seen the film nor another of its patient. Prints the tables of
bundles/chest_radiograph/docs/README.md; features are kept below out/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import chest_radiograph_predict as chest
import frame
import numpy as np
import torch
from frame import DATA
from PIL import Image
from scipy import ndimage
from skimage.exposure import match_histograms
from sklearn.ensemble import RandomForestClassifier

from caveat.inference.calibration.quantile import miss_rate, quantile
from caveat.inference.evaluation.markdown import markdown_table
from caveat.inference.metrics.auc import auroc
from caveat.inference.stored.list_part import read_entries
from caveat.inference.training.last_layer import fit_last_layer
from caveat.networks.backbones.pooled_features import pool

BORDER, CORNER, BLUR, BLOCK = 24, 64, 16, 16
"""Pixels of a film of 256: width of the border, side of the upper corners, sigma of the blur, side of what is averaged."""
BINS = 10
TREES = 300
STACK_STRENGTHS = (0.01, 0.1, 1.0, 10.0)
RESAMPLES, SEED = 1000, 0
GROUPS = 50
"""Of films of like acquisition score, as many in each."""
DIVISIONS = 200
LEVELS = (0.8, 0.9, 0.95)
Scores = Mapping[str, np.ndarray]


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    entries = read_entries(chest.OUT_OF_FOLD, "out_of_fold")
    positive = np.array([entry["class"] == chest.CLASSES[1] for entry in entries])
    folds = np.array([entry["fold"] for entry in entries])
    units = np.array([entry["unit"] for entry in entries])
    films = [pixels(entry) for entry in entries]
    print(swapped_table(films, positive, folds, units), "\n", flush=True)
    acquisition = acquisition_scores(films, positive, folds)
    stack = crossed(np.column_stack([*acquisition.values()]), positive, folds, STACK_STRENGTHS)
    networks = {
        name: network_scores(overlay, folds) for name, overlay in (("inner film, ranks", None), ("whole film", "whole_film"))
    }
    both = {
        f"stack and {name}": crossed(np.column_stack([stack, own]), positive, folds, STACK_STRENGTHS)
        for name, own in networks.items()
    }
    print(
        auroc_table({**networks, **acquisition, "stack of the acquisition scores": stack, **both}, positive, folds, units), "\n"
    )
    print(pairs_table(networks, both, stack, positive, units), "\n")
    first = first_of_each(entries)
    kept = {**networks, "border, trunk": acquisition["border, trunk"], "stack": stack}
    print(sets_table({name: own[first] for name, own in kept.items()}, positive[first]))


def pixels(entry: Mapping[str, str]) -> np.ndarray:
    """A film, (256, 256) float, 0 to 1."""
    with Image.open(DATA / entry["image"]) as image:
        return np.asarray(image.convert("L"), dtype=np.float32) / 255


def network_scores(overlay: str | None, folds: np.ndarray) -> np.ndarray:
    """Logit of the network that has not seen the film, dropout off, (films,)."""
    return own_logits(chest.features_of(chest.trunk_of_imagenet(), overlay), overlay, folds)


def own_logits(features: np.ndarray, overlay: str | None, folds: np.ndarray) -> np.ndarray:
    """The same of given features. Args: features: (films, 1280)."""
    head = frame.parsed_bundle(chest.BUNDLE, overlay, {}).get_parsed_content("network").backbone.head
    weight, bias = head.weight.detach().numpy()[:, :, 0, 0], head.bias.detach().numpy()
    logits = (features @ weight.T + bias).reshape(len(features), len(chest.FOLDS), -1)[np.arange(len(features)), folds]
    return logits[:, 1] - logits[:, 0]


def swapped_table(films: list[np.ndarray], positive: np.ndarray, folds: np.ndarray, units: np.ndarray) -> str:
    """The whole film's network on films that have the grey values of another film, of their own class or of the other."""
    random = np.random.default_rng(SEED)
    rows = []
    for name, of in (("its own", None), ("of another film of its class", positive), ("of a film of the other class", ~positive)):
        donors = [None if of is None else films[random.choice(np.flatnonzero(of == one))] for one in positive]
        shown = (
            scaled(film if donor is None else match_histograms(film, donor)) for film, donor in zip(films, donors, strict=True)
        )
        own = own_logits(trunk_features(f"whole film, histogram {name}", shown), "whole_film", folds)
        rows.append([name, cell(resampled(units, lambda chosen, own=own: auroc(own[chosen], positive[chosen])))])  # type: ignore[misc]
    return markdown_table(["grey values of the film", "AUROC of the whole film's network (95 %)"], rows)


def scaled(film: np.ndarray) -> np.ndarray:
    """From 0 to 1, as the network of whole films sees it."""
    return (film - film.min()) / (film.max() - film.min())


def acquisition_scores(films: list[np.ndarray], positive: np.ndarray, folds: np.ndarray) -> dict[str, np.ndarray]:
    """Logits out of fold, by what the model sees."""
    blurred = [ndimage.gaussian_filter(film, BLUR) for film in films]
    numbers = {
        "border, pixels": np.array([border_of(film)[::8, ::8][border_of(np.ones_like(film))[::8, ::8] > 0] for film in films]),
        "blurred, pixels": np.array([film[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK].ravel() for film in blurred]),
        "mean and spread": np.array([[film.mean(), film.std()] for film in films]),
    }
    seen = {"border, trunk": map(border_of, films), "blurred, trunk": blurred, "upper corners, trunk": map(corners_of, films)}
    numbers |= {name: trunk_features(name, shown) for name, shown in seen.items()}
    found = {
        name: crossed(of, positive, folds, chest.STRENGTHS if name.endswith("trunk") else STACK_STRENGTHS)
        for name, of in numbers.items()
    }
    histograms = np.array(
        [[*np.histogram(film, BINS, (0, 1))[0] / film.size, *np.quantile(film, (0.1, 0.5, 0.9))] for film in films]
    )
    return found | {"histogram, forest": forest(histograms, positive, folds)}


def border_of(film: np.ndarray) -> np.ndarray:
    """The film, 0 but at its border."""
    out = film.copy()
    out[BORDER:-BORDER, BORDER:-BORDER] = 0
    return out


def corners_of(film: np.ndarray) -> np.ndarray:
    """The film, 0 but in its upper corners."""
    out = np.zeros_like(film)
    out[:CORNER, :CORNER], out[:CORNER, -CORNER:] = film[:CORNER, :CORNER], film[:CORNER, -CORNER:]
    return out


@torch.no_grad()
def trunk_features(name: str, films: object) -> np.ndarray:
    """Pooled features of altered films, (films, 1280), kept under a name."""
    kept = chest.OUT / "features_of" / f"{name.replace(', ', '_').replace(' ', '_')}.npy"
    if not kept.is_file():
        trunk, config = chest.trunk_of_imagenet(), frame.parsed_bundle(chest.BUNDLE, None, {})
        coloured, normalised = (config.get_parsed_content(step) for step in ("coloured", "normalised"))
        found = []
        for film in films:  # type: ignore[attr-defined]
            image = normalised(coloured({"image": torch.as_tensor(film)[None]}))["image"]
            found.append(pool(trunk.decode_features(trunk.encode(torch.as_tensor(image)[None]))))
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, torch.cat(found).numpy())
    return np.load(kept)


def crossed(numbers: np.ndarray, positive: np.ndarray, folds: np.ndarray, strengths: tuple[float, ...]) -> np.ndarray:
    """Logit of every film by the regression of the other folds."""
    out = np.zeros(len(folds))
    for fold in np.unique(folds):
        others = folds != fold
        layer = fit_last_layer(numbers[others].astype(np.float64), positive[others].astype(int), folds[others], strengths)
        logits = layer.logits(numbers[~others])
        out[~others] = logits[:, 1] - logits[:, 0]
    return out


def forest(numbers: np.ndarray, positive: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """The same by a random forest; its probabilities as logits."""
    out = np.zeros(len(folds))
    for fold in np.unique(folds):
        own = folds == fold
        trees = RandomForestClassifier(TREES, min_samples_leaf=5, random_state=SEED).fit(numbers[~own], positive[~own])
        p = trees.predict_proba(numbers[own])[:, 1].clip(0.01, 0.99)
        out[own] = np.log(p / (1 - p))
    return out


def resampled(units: np.ndarray, figure: Callable[[np.ndarray], float]) -> tuple[float, float, float]:
    """A figure, and its interval of 95 % over patients. Args: figure: of indices of films."""
    films_of = [np.flatnonzero(units == unit) for unit in np.unique(units)]
    random = np.random.default_rng(SEED)
    drawn = (
        np.concatenate([films_of[one] for one in random.integers(len(films_of), size=len(films_of))]) for _ in range(RESAMPLES)
    )
    lower, upper = np.nanquantile([figure(chosen) for chosen in drawn], [0.025, 0.975])
    return figure(np.arange(len(units))), float(lower), float(upper)


def cell(found: tuple[float, float, float], sign: str = "") -> str:
    """ "0.826 (0.797 to 0.853)"."""
    return f"{found[0]:{sign}.3f} ({found[1]:{sign}.3f} to {found[2]:{sign}.3f})"


def auroc_table(scores: Scores, positive: np.ndarray, folds: np.ndarray, units: np.ndarray) -> str:
    """A row a score."""
    rows = []
    for name, own in scores.items():
        found = resampled(units, lambda chosen, own=own: auroc(own[chosen], positive[chosen]))  # type: ignore[misc]
        by_fold = [auroc(own[folds == fold], positive[folds == fold]) for fold in np.unique(folds)]
        rows.append([name, cell(found), f"{min(by_fold):.2f} to {max(by_fold):.2f}"])
    return markdown_table(
        [f"what is seen ({len(units)} films, {len(set(units))} patients)", "AUROC out of fold (95 %)", "of folds"], rows
    )


def pairs_table(networks: Scores, both: Scores, stack: np.ndarray, positive: np.ndarray, units: np.ndarray) -> str:
    """What each network adds to the acquisition scores."""
    group = np.argsort(np.argsort(stack)) * GROUPS // len(stack)
    rows = []
    for name, own in networks.items():
        added, alone = both[f"stack and {name}"], own

        def gain(chosen: np.ndarray, added: np.ndarray = added) -> float:
            return auroc(added[chosen], positive[chosen]) - auroc(stack[chosen], positive[chosen])

        def less(chosen: np.ndarray, alone: np.ndarray = alone) -> float:
            return auroc(alone[chosen], positive[chosen]) - auroc(stack[chosen], positive[chosen])

        def of_pairs(chosen: np.ndarray, alone: np.ndarray = alone) -> float:
            return pairs_right(alone[chosen], positive[chosen], group[chosen])

        rows.append(
            [name, cell(resampled(units, less), "+"), cell(resampled(units, gain), "+"), cell(resampled(units, of_pairs))]
        )
    return markdown_table(
        ["network", "AUROC less the stack's", "stack with it less the stack", "right among pairs of like acquisition score"], rows
    )


def pairs_right(scores: np.ndarray, positive: np.ndarray, group: np.ndarray) -> float:
    """Share of pairs of a film of each class in one group that are in the right order, ties counted half."""
    right = pairs = 0.0
    for one in np.unique(group):
        own = group == one
        count = float((positive[own].sum()) * (~positive[own]).sum())
        if count:
            right += count * auroc(scores[own], positive[own])
            pairs += count
    return right / pairs


def first_of_each(entries: list[dict[str, str]]) -> np.ndarray:
    """Places of one film a patient, those of the list's part `one_of_each`."""
    wanted = {entry["sha256"] for entry in read_entries(chest.OUT_OF_FOLD, "one_of_each")}
    return np.array([place for place, entry in enumerate(entries) if entry["sha256"] in wanted])


def sets_table(scores: Scores, positive: np.ndarray) -> str:
    """Coverage and size of split conformal sets over random halves of the patients, of all and by class; and class by class."""
    rows = []
    for name, own in scores.items():
        p = 1 / (1 + np.exp(-own))
        improbable = np.column_stack([p, 1 - p])  # of no finding, of pneumonia
        truth = positive.astype(int)
        for level in LEVELS:
            found = np.mean([halved(improbable, truth, level, seed) for seed in range(DIVISIONS)], axis=0)
            rows.append(
                [
                    name,
                    f"{level:.0%}".replace("%", " %"),
                    *(f"{value:.3f}" for value in found[:3]),
                    f"{found[3]:.2f}",
                    f"{found[4]:.0%}".replace("%", " %"),
                    *(f"{value:.3f}" for value in found[5:7]),
                    f"{found[7]:.2f}",
                ]
            )
    head = [
        "network",
        "level",
        "coverage",
        "of no finding",
        "of pneumonia",
        "classes a set",
        "empty",
        "class by class: of no finding",
        "of pneumonia",
        "classes a set",
    ]
    return markdown_table(head, rows)


def halved(improbable: np.ndarray, truth: np.ndarray, level: float, seed: int) -> list[float]:
    """Of one division: the figures of a row."""
    order = np.random.default_rng([SEED, seed]).permutation(len(truth))
    known, new = order[: len(order) // 2], order[len(order) // 2 :]
    true_score = improbable[np.arange(len(truth)), truth]
    limit = quantile(true_score[known].tolist(), miss_rate(level))
    held = improbable[new] <= limit
    of_class = np.array([quantile(true_score[known][truth[known] == index].tolist(), miss_rate(level)) for index in (0, 1)])
    apart = improbable[new] <= of_class
    covered, covered_apart = (of[np.arange(len(new)), truth[new]] for of in (held, apart))
    by_class = [float(covered[truth[new] == index].mean()) for index in (0, 1)]
    by_class_apart = [float(covered_apart[truth[new] == index].mean()) for index in (0, 1)]
    return [
        float(covered.mean()),
        *by_class,
        float(held.sum(1).mean()),
        float((held.sum(1) == 0).mean()),
        *by_class_apart,
        float(apart.sum(1).mean()),
    ]


if __name__ == "__main__":
    main()
