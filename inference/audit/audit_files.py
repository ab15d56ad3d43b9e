"""An audit as files, and as lines to read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...transforms.files.plural import plural
from ...transforms.files.whole_file import write_text
from ..evaluation.markdown import markdown_table
from .audit import WARN_AT

SCHEMA = "caveat-audit-1"
LARGEST_ODDS = 1e6


def save_audit(found: Mapping[str, Any], folder: Path) -> str:
    """Write audit.json and audit.md into the folder of the predictions. Args: found: of `audit`. Returns: what audit.md says."""
    file = folder / "audit.json"
    text = to_markdown(found, changed=file.is_file() and not is_continued(_read(file), found))
    write_text(file, json.dumps({"schema": SCHEMA, **found}, indent=1, allow_nan=False) + "\n")
    write_text(folder / "audit.md", text)
    return text


def is_continued(earlier: Any, found: Mapping[str, Any]) -> bool:
    """Whether the earlier audit's cases stand first and in their order, with the same answers: one stream, looked at again.

    Args:
        earlier: what audit.json holds, which may be of anybody.
    """
    try:
        if found["order"][: len(earlier["order"])] != earlier["order"]:
            return False
        now = {(row["promise"], part["part"]): part for row in found["promises"] for part in row["parts"]}
        before = {(row["promise"], part["part"]): part for row in earlier["promises"] for part in row["parts"]}
        return all(
            key in now and now[key]["record"] == part["record"] and now[key]["which"][: part["cases"]] == part["which"]
            for key, part in before.items()
        )
    except (TypeError, LookupError):  # no audit of ours
        return False


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def to_markdown(found: Mapping[str, Any], changed: bool = False) -> str:
    """What was found, in words. Args: changed: whether earlier cases are no longer those of the last audit."""
    units, withheld = found["units"], found["withheld"]
    lines = [
        "# Audit of calibration records",
        f"{units} {found['drawn']} units with a truth, in order of arrival; {units - withheld} counted. Intervals were withheld "
        f"of {withheld} ({withheld / units:.0%}), of which no record promises anything.",
        *_left_out(found["left_out"]),
        *(_promise(row) for row in found["promises"]),
        _conclusion(found),
    ]
    if changed:
        lines.append(
            "**The cases of an earlier audit in this folder are not the first of these, or have other truths.** Looks at two "
            "different streams do not share one guarantee: keep the order, and add new cases at the end."
        )
    return "\n\n".join(lines) + "\n"


def _left_out(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    codes = ", ".join(f"{count} {code}" for code, count in Counter(row["code"] for row in rows).items())
    return [f"Images left out: {codes}. Those without a truth must not be a selection."] if rows else []


def _promise(row: Mapping[str, Any]) -> str:
    """One promise as a table."""
    head = ["promised", "record", "level", "calibrated on", "covered", "evidence now", "highest"]
    cells = [
        [part["part"], part["record"][:12] + (" (cross-validated: approximate)" if part["approximate"] else "")]
        + [f"{100 * part['level']:g} %", f"{part['n']} {plural(part['unit'])}", f"{part['covered']} of {part['cases']}"]
        + [odds(part["evidence"]), odds(part["highest"])]
        for part in row["parts"]
    ]
    truths = "; ".join(dict.fromkeys(part["truth"] for part in row["parts"]))
    now, highest = odds(row["evidence"][-1]), odds(row["highest"])
    said = f"**{row['promise'].capitalize()}**, promised {truths}: mean evidence {now}, highest {highest}."
    return f"{said}\n\n{markdown_table(head, cells)}"


def _conclusion(found: Mapping[str, Any]) -> str:
    if not found["promises"]:
        return "No interval was stated, so there is nothing to audit."
    now, highest = odds(found["evidence"][-1]), odds(found["highest"])
    if found["warned_after"] is None:
        return (
            f"No warning: the evidence against the records is {now}, at its highest {highest}; they are doubted from "
            f"{WARN_AT:g} : 1 on. Few cases prove nothing: docs/calibration.md says how many it takes."
        )
    return (
        f"**WARNING after {found['warned_after']} units: the evidence reached {highest}.** A fair record reaches {WARN_AT:g} : 1 "
        "in at most one of twenty audits, however long. Another rater, protocol or kind of patient than the record's? Make a "
        "record of your own cases (caveat calibrate), and do not use these intervals."
    )


def odds(evidence: float) -> str:
    """ "0.42 : 1", "1800 : 1"; beyond a million nobody asks how much."""
    if evidence > LARGEST_ODDS:
        return f"over {LARGEST_ODDS:,.0f} : 1".replace(",", " ")
    return f"{evidence:.0f} : 1" if evidence >= 10 else f"{evidence:.2g} : 1"
