"""The page of a wrapped bundle: what was taken over, what was not, and what nobody has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..transforms.files.one_line import one_line

UNCALIBRATED = '- Nothing was measured yet: no record, so no interval. Until there is one the sentences say "not calibrated".'
OUT_OF_FOLD = (
    "- The records are of the networks' own cross-validation; what the training took from all cases (the plans, whose\n"
    "  spacing, window and intensities are theirs too) is not in what is proven. Figures of all networks together need new cases."
)


def page_of(
    metadata: Mapping[str, Any],
    taken: Sequence[tuple[str, str]],
    not_taken: Sequence[str],
    records: Sequence[Mapping[str, str]] = (),
) -> str:
    """The page as Markdown.

    Args:
        taken: what, and how it was found out. not_taken: what somebody has to edit. records: see `describe`.
    """
    name = metadata["name"]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"{metadata['description']}. Written by `caveat wrap`; a bundle like the shipped ones. Not a medical device.",
            "",
            "## What was taken over",
            "",
            "| what | as |",
            "|---|---|",
            *(f"| {what} | {_cell(how)} |" for what, how in taken),
            "",
            "## What was not",
            "",
            *([f"- {one_line(line)}" for line in not_taken] or ["Nothing that is known of."]),
            "",
            "## Samplers",
            "",
            *(f"- `{sampler}`: {meaning}" for sampler, meaning in metadata["samplers"].items()),
            "",
            *_table(records),
            "## Use",
            "",
            f"    caveat predict {name} -i IMAGES -o OUT",
            f"    caveat calibrate {name} -p OUT --data LIST --truth WORDS",
            f"    caveat evaluate {name} -p OUT --data LIST",
            "",
            "The folder is called by its path. LIST is made by `caveat list`. Records go to `calibration/`.",
            "",
            "## Data and licence",
            "",
            f"The weights are those of whoever trained them; `models/` links to them. Licence: {metadata['weights_license']}.",
            "",
            "## Limits",
            "",
            OUT_OF_FOLD if records else UNCALIBRATED,
            "- Names and order of classes and channels, the spacing and the way intensities were prepared are as they were",
            "  stated. A network answers wrong ones with a mask all the same: look at the first reports.",
            "- Draws by augmentation show how an answer moves with the image, not what the network does not know.",
            "",
        ]
    )


def _table(records: Sequence[Mapping[str, str]]) -> list[str]:
    if not records:
        return []
    titles = list(records[0])
    rows = [titles, ["---"] * len(titles), *([row.get(title, "") for title in titles] for row in records)]
    return ["## Records", "", *(f"| {' | '.join(row)} |" for row in rows), ""]


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")
