"""A mixed stream: a stated share of the units is degraded, each at random, as on a hospital's morning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from caveat.reasons import StudyRefused

from ...transforms.corruptions.corruption import all_corruptions
from ...transforms.study.data_list import read_list
from ..stored.list_part import read_entries
from .degraded import Degradation, seeded, write_degraded, write_list
from .made_from import sha256_of, taken
from .strengths import is_strength

CLEAN = "clean"
"""The stratum of what is left as it is."""


@dataclass(frozen=True)
class Stratum:
    """A severity.

    Args:
        name: such as "mild".
        share: of all units.
        corruptions: name to lowest and highest strength; each is as likely as another.
    """

    name: str
    share: float
    corruptions: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class MixedStream:
    """Args: seed: of all that is drawn. strata: their shares are at most 1; the rest is clean."""

    seed: int
    strata: tuple[Stratum, ...]

    def draw(self, unit: str) -> tuple[str, Degradation | None]:
        """What happens to a unit: a function of the seed and its name, so units are degraded independently and alike.

        Returns:
            name of the stratum; what is done, None for clean.
        """
        random = seeded(f"{self.seed} {unit}")
        place = random.uniform()
        for stratum in self.strata:
            if place < stratum.share:
                name = sorted(stratum.corruptions)[random.randint(len(stratum.corruptions))]
                return stratum.name, Degradation(name, round(random.uniform(*stratum.corruptions[name]), 4))
            place -= stratum.share
        return CLEAN, None


def read_stream(path: Path) -> MixedStream:
    """A file such as data_lists/hippocampus_stream.yaml.

    Raises:
        StudyRefused: WRONG_USAGE.
    """
    try:
        stated = yaml.safe_load(path.read_text(encoding="utf-8"))
        strata = tuple(
            Stratum(
                name, float(facts["share"]), {key: (float(low), float(high)) for key, (low, high) in facts["corruptions"].items()}
            )
            for name, facts in stated["strata"].items()
        )
        stream = MixedStream(int(stated["seed"]), strata)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StudyRefused("WRONG_USAGE", "the stream's file needs a seed and strata with share and corruptions") from error
    ranges = [(name, *span) for stratum in strata for name, span in stratum.corruptions.items()]
    if not all(low <= high and is_strength(name, low) and is_strength(name, high) for name, low, high in ranges):
        raise StudyRefused(
            "WRONG_USAGE",
            f"corruptions are {', '.join(all_corruptions())}; strengths are two ascending numbers, above 0 but for turns",
        )
    shares = [stratum.share for stratum in strata]
    if min(shares, default=0) < 0 or sum(shares) > 1 + 1e-9 or not all(stratum.corruptions for stratum in strata):
        raise StudyRefused("WRONG_USAGE", "shares must be at least 0 and together at most 1, each stratum with a corruption")
    return stream


def write_stream(
    data_list: Path,
    splits: Sequence[str],
    stream: MixedStream,
    dataset_dir: Path,
    folder: Path,
    points_dir: Path | None = None,
) -> dict[str, Any]:
    """Degrade parts of a list; the others stay as they are, so that calibration still sees which units trained the weights.

    Args:
        data_list: MONAI's form. splits: the parts to degrade.
        stream: what happens to each unit.
        dataset_dir: what the list's paths are relative to. points_dir: see `write_degraded`.
        folder: gets images, labels, points and `list.json`, whose entries of these parts have paths relative to it, `stratum`
            and `degradation`; nothing else lies there, see `taken`.

    Returns:
        number of images by part and stratum.

    Raises:
        StudyRefused: WRONG_USAGE; of an image that cannot be degraded its code: a list without it would be a selection, on
            which nothing could be calibrated; as `taken`.
    """
    whole = read_list(data_list)
    drawn = {split: [(entry, *stream.draw(entry["unit"])) for entry in read_entries(data_list, split)] for split in splits}
    pairs = [(entry | {"stratum": stratum}, done) for entries in drawn.values() for entry, stratum, done in entries]
    with taken(folder, {"stream": sha256_of([whole, [*splits], asdict(stream)])}) as held:
        written, refused = write_degraded(pairs, dataset_dir, folder, points_dir)
        if refused:
            raise StudyRefused(refused[0]["code"], f"{len(refused)} of {len(pairs)} images; the first: {refused[0]['found']}")
        parts, counts = _with_degraded(whole, drawn, written, stream)
        write_list(parts, folder)
        held.note(refused)
    return counts


def _with_degraded(
    whole: Mapping[str, Any], drawn: Mapping[str, Sequence[Any]], written: Sequence[dict[str, Any]], stream: MixedStream
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The list with the parts that were degraded, and how many images of each are of which stratum."""
    parts, counts = dict(whole), {}
    for split, entries in drawn.items():
        parts[split], written = written[: len(entries)], written[len(entries) :]
        names = [CLEAN, *(stratum.name for stratum in stream.strata)]
        counts[split] = {name: sum(entry["stratum"] == name for entry in parts[split]) for name in names}
    return parts, counts
