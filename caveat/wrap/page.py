"""The page of a wrapped bundle: what was taken over, what was not, and what nobody has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def page_of(metadata: Mapping[str, Any], taken: Sequence[tuple[str, str]], not_taken: Sequence[str]) -> str:
    """The page as Markdown. Args: taken: what, and how it was found out. not_taken: what somebody has to edit."""
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
            *([f"- {line}" for line in not_taken] or ["Nothing that is known of."]),
            "",
            "## Samplers",
            "",
            *(f"- `{sampler}`: {meaning}" for sampler, meaning in metadata["samplers"].items()),
            "",
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
            '- Nothing was measured yet: no record, so no interval. Until there is one the sentences say "not calibrated".',
            "- Names and order of classes and channels, the spacing and the way intensities were prepared are as they were",
            "  stated. A network answers wrong ones with a mask all the same: look at the first reports.",
            "- Draws by augmentation show how an answer moves with the image, not what the network does not know.",
            "",
        ]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
