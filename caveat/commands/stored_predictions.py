"""The options of commands that look at stored predictions and at the truths of a data list."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..bundle_folders import choose_configs, read_metadata
from ..reasons import StudyRefused
from .stated_path import stated_input
from .stated_record import check_stated_record


def add_stored_predictions(parser: argparse.ArgumentParser, config: str, writes: str, data: str, record: str) -> None:
    """Add them.

    Args:
        config: of the bundle that is used. writes: what else goes to the predictions. data, record: what list and record are.
    """
    parser.add_argument(
        "bundle", metavar="BUNDLE", help=f"name of a shipped bundle, or path of a bundle folder; its {config} is used"
    )
    add_run_and_list(parser, f"folder that caveat predict wrote; {writes} go there too", data)
    parser.add_argument("--split", default="test", metavar="NAME", help="part of the list (default: test)")
    parser.add_argument("--record", type=stated_input, metavar="PATH", help=f"{record} (default: the bundle's)")


def add_run_and_list(parser: argparse.ArgumentParser, run: str, data: str) -> None:
    """Add the predictions and the list alone. Args: run, data: what they are."""
    parser.add_argument("-p", "--predictions", type=stated_input, required=True, metavar="OUT", help=run)
    starts = f"{data}; its paths start from CAVEAT_DATA (../shared/data)"
    parser.add_argument("--data", type=stated_input, required=True, metavar="LIST", help=starts)


def check_stored_predictions(options: argparse.Namespace, config: Path) -> None:
    """What can be said to be wrong before anything is read. Raises: StudyRefused: WRONG_USAGE, and as `check_stated_record`."""
    if not config.is_file():
        raise StudyRefused("WRONG_USAGE", f"the bundle has no {config.name}")
    check_run_and_list(options)
    check_stated_record(options.record)


def check_run_and_list(options: argparse.Namespace) -> None:
    """Whether there are such. Raises: StudyRefused: WRONG_USAGE."""
    if not options.data.is_file():
        raise StudyRefused("WRONG_USAGE", "--data names no file")
    if not options.predictions.is_dir():
        raise StudyRefused("WRONG_USAGE", "--predictions names no folder")


def refuse_other_bundle(predictions: Path, bundle: Path, weights: bool = True) -> None:
    """Refuse predictions that are not the bundle's own: which images its networks have seen, and whose truth theirs is, says
    nothing of other networks.

    Args:
        weights: whether they must be those of one of its samplers too, or its name alone is asked for.

    Raises:
        StudyRefused: WRONG_USAGE; CORRUPT as `read_results`.
    """
    from ..inference.stored.stored_study import read_results

    made = [result["bundle"] for result in read_results(predictions).values() if result["status"] != "REFUSED"]
    what_to_do = "name the bundle that made them, or predict again with this one"
    name = _stated(bundle, None, "name")
    if others := sum(one.get("name") != name for one in made):
        raise StudyRefused(
            "WRONG_USAGE", f"{others} of {len(made)} predictions state another bundle's name than {name}: {what_to_do}"
        )
    if not weights:
        return
    own = [_stated(bundle, sampler, "weights_sha256") for sampler in (None, *read_metadata(bundle).get("samplers", {}))]
    if others := sum(one.get("weights_sha256") not in own for one in made):
        raise StudyRefused(
            "WRONG_USAGE", f"{others} of {len(made)} predictions state other weights (sha256) than the bundle has: {what_to_do}"
        )


def _stated(bundle: Path, sampler: str | None, fact: str) -> Any:
    """What a bundle's results say of it; None where its configs do not. Args: sampler: None for its own."""
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config([str(path) for path in choose_configs(bundle, sampler)])
    return parser.get_parsed_content(fact) if fact in parser else None
