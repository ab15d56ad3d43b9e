"""Predictions that the tables are made of, made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from caveat.commands.sampling_options import choose_configs
from caveat.run_bundle import run_bundle

ROOT = Path(__file__).resolve().parent.parent


def predict_once(
    bundle: Path,
    out: Path,
    studies: list[dict[str, Any]],
    sampler: str | None,
    writers: list[dict[str, Any]],
    **overrides: Any,
) -> None:
    """Predict into a folder on the CPU, unless every study stands there already, and print the counts.

    Args:
        bundle: its folder. out: folder below `ROOT`.
        studies: entries of a data list. sampler: None for the bundle's own.
        writers: of what the tables read. overrides: of further entries of the bundle's config.
    """
    if all((out / study["name"] / "result.json").is_file() for study in studies):
        return
    overrides |= {"datalist": studies, "output_dir": out, "resume": True, "device": "$torch.device('cpu')", "writers": writers}
    counts, _ = run_bundle(bundle, choose_configs(bundle, sampler), overrides)
    print(out.relative_to(ROOT), counts, flush=True)
