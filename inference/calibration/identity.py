"""What a record is valid for: everything that can change a draw's value, seed and device aside."""

from __future__ import annotations

import enum
import hashlib
import inspect
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import monai
import numpy as np
import torch
from monai.transforms import Transform

from caveat.reasons import StudyRefused

from ...transforms.writers.result_json import six_digits
from .answers import entries_of
from .kinds.answer_kind import kind_of

GRID_SPACING = "grid_spacing_mm"
SAME_SPACING = 0.01
"""Relative difference of the network's grids that one record serves. A field that is brought to a whole number of elements, from
other pixels or with a column of them cut off, comes out up to one element in its length different: 0.5 % for 208 of them."""
OF_SAMPLING = (
    *("sampler", "sampler_settings", "source", "draws", "temperature"),
    *("roi_size", "overlap", "blending", "align", "precision", GRID_SPACING, "feature_reference"),
    *("link", "region_channel", "clip_windows"),
)
OF_MEASUREMENT = {"measurement": "name", "unit": "unit", "classes": "classes"}
"""Facts of an entry of `measurements`, by the name they have in the identity."""
OF_INPUT = ("preparation",)
"""Facts of the input that a bundle may state."""
ANY = "any"
"""Of a fact that a record does not depend on."""
OF_UNIT = ("unit", GRID_SPACING)
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
OF_BUNDLE = ("weights_sha256", "preprocessing_sha256")


def identity_of(result: Mapping[str, Any], bundle: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal between calibration and use, for intervals to hold.

    Args:
        result: of a study, in memory or as read from `result.json`; its `sampling` is looked at (of the grid's spacing not
            the axes along which the bundle leaves a study's own), and whether `input` says that the study was cropped by a
            box or a point (such a crop is not placed as those are that a data set comes in) and how it was prepared.
        bundle: with weights_sha256 and preprocessing_sha256; `result["bundle"]` of a stored result.
        entry: of `measurements`.
    """
    facts = {key: bundle.get(key) for key in OF_BUNDLE}
    facts |= {key: result["sampling"].get(key) for key in OF_SAMPLING}
    facts |= {key: entry.get(stored) for key, stored in OF_MEASUREMENT.items()}
    spacing = facts[GRID_SPACING]
    if spacing and (own := result["sampling"].get("own_spacing_axes")):
        facts[GRID_SPACING] = [None if axis in own else distance for axis, distance in enumerate(spacing)]
    known = result.get("input", {})
    facts["crop"] = known.get("crop", {}).get("source", "")
    facts |= {key: known[key] for key in OF_INPUT if key in known}
    return six_digits(facts)  # as result.json stores them


def identity_of_target(result: Mapping[str, Any], bundle: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The same for several components: of landmarks their names in order, and unit, stand in the place of a measurement's.

    Args:
        names: of measurements or landmarks.

    Raises:
        StudyRefused: NOT_PREDICTED where the result does not state them.
    """
    entries = entries_of(result, names)
    if kind_of(entries[0]).share_one_record:
        return identity_of(result, bundle, {"name": list(names), "unit": entries[0]["unit"]})
    if len(entries) == 1:
        return identity_of(result, bundle, entries[0])
    stated = {stored: [entry.get(stored) for entry in entries] for stored in OF_MEASUREMENT.values()}
    return identity_of(result, bundle, stated)


def one_identity(identities: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The one identity of all studies.

    Raises:
        StudyRefused: MIXED_PREDICTIONS where they differ; RECORD_MISMATCH where they do not say what made them.
    """
    for other in identities[1:]:
        if differing := differences(identities[0], other):
            raise StudyRefused("MIXED_PREDICTIONS", f"they differ in {', '.join(differing)}")
    unknown = [key for key in OF_BUNDLE if not identities[0][key]]
    if unknown:
        raise StudyRefused("RECORD_MISMATCH", f"the predictions do not state {', '.join(unknown)}: no record can be tied to them")
    return dict(identities[0])


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Names of the facts in which two identities differ; one that only one of them has is a difference.

    Grid spacings are the same within `SAME_SPACING` along every axis. What is `ANY` in one of them is no difference.
    """
    absent = object()
    return sorted(key for key in {*a, *b} if not _alike(key, a.get(key, absent), b.get(key, absent)))


def of_any_unit(identity: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of a record of ratios: a ratio of two volumes is the same in every unit, on a grid of every spacing."""
    return {**identity, **dict.fromkeys(OF_UNIT, ANY)}


def _alike(key: str, one: Any, other: Any) -> bool:
    if ANY in (one, other):
        return True
    if key != GRID_SPACING or not isinstance(one, list) or not isinstance(other, list) or len(one) != len(other):
        return bool(one == other)
    along_axes = zip(one, other, strict=True)
    return all(a == b or (a and b and math.isclose(a, b, rel_tol=SAME_SPACING)) for a, b in along_axes)


def fingerprint(preprocessing: Transform) -> str:
    """sha256 of what the preprocessing does: transforms and their constructor parameters, of nested transforms too.

    A transform of MONAI counts by its public name and MONAI's minor version, any other by the `identity` that its own class
    states: a name that stays where the file moves, and a version that is raised where the output or a default changes. The
    same in every process, and not touched by attributes that a library adds, nor by new parameters that are left at their
    default. Parameters that a class names in `not_identity` are left out: they say something of one study, not of the task,
    such as a spacing stated by the user.

    Raises:
        ValueError: a transform without an identity, one whose parameters cannot be found on it, or that holds what cannot be
            written down, such as a lambda.
    """
    text = json.dumps(_describe(preprocessing).to_json(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class _Described:
    """A transform: identity, the parameters that it holds, those of them at their default, groups of transforms inside."""

    identity: str
    parameters: Mapping[str, Any]
    at_default: frozenset[str]
    inside: Sequence[Sequence[_Described]]

    def to_json(self) -> dict[str, Any]:
        """What is hashed. Attributes have no order, the transforms of a list have."""
        inside = sorted(([one.to_json() for one in group] for group in self.inside), key=json.dumps)
        parameters = {name: value for name, value in self.parameters.items() if name not in self.at_default}
        return {"transform": self.identity, "parameters": parameters, "inside": inside}


def _identity(kind: type) -> str:
    if "identity" in vars(kind):  # not inherited: a subclass does something else
        return str(vars(kind)["identity"])
    if getattr(monai.transforms, kind.__name__, None) is kind:
        return f"monai.{kind.__name__}/{'.'.join(monai.__version__.split('.')[:2])}"
    raise ValueError(f"{kind.__name__} states no `identity` of its own, so no record can be tied to it")


def _describe(transform: Transform) -> _Described:
    """Identity, constructor parameters that it holds, and the descriptions of the transforms inside it.

    MONAI's dictionary transforms hand parameters on to an array transform inside them, where they are found. A parameter is
    held under its own name, or behind an underscore as MONAI's `lazy` is.
    """
    kind = type(transform)
    held = {name.removeprefix("_"): value for name, value in vars(transform).items()} | vars(transform)
    parameters = [one for one in inspect.signature(kind.__init__).parameters.values() if one.name != "self"]
    wanted = {one.name: one.kind for one in parameters if one.name not in getattr(kind, "not_identity", ())}
    groups = [[_describe(inner) for inner in _transforms(value)] for value in vars(transform).values()]
    inside = [group for group in groups if group]
    lost = [
        name for name, passed in wanted.items() if passed not in VARIADIC and name not in held and not _is_inside(name, inside)
    ]
    if lost:
        raise ValueError(f"{kind.__name__} does not keep {', '.join(lost)}, so no record can be tied to it")
    found = {name: _plain(held[name], kind) for name in wanted if name in held and not _transforms(held[name])}
    defaults = {one.name: one.default for one in parameters}
    return _Described(
        _identity(kind), found, frozenset(name for name in found if _is_plainly(defaults[name], found[name], kind)), inside
    )


def _is_plainly(default: Any, value: Any, kind: type) -> bool:
    """Whether a default is this value. Args: value: as JSON."""
    try:
        return default is not inspect.Parameter.empty and json.dumps(_plain(default, kind)) == json.dumps(value)
    except ValueError:  # a default that cannot be written down is none that was left alone
        return False


def _transforms(value: Any) -> list[Transform]:
    """The transforms that an attribute holds, if any."""
    items = value if isinstance(value, list | tuple) else [value]
    return [item for item in items if isinstance(item, Transform)]


def _is_inside(name: str, inside: Sequence[Sequence[_Described]]) -> bool:
    return any(name in one.parameters or _is_inside(name, one.inside) for group in inside for one in group)


def _plain(value: Any, kind: type) -> Any:
    """A parameter as JSON, the same in every process. Raises: ValueError: an object that cannot be written down."""
    if isinstance(value, np.ndarray | np.generic | torch.Tensor):
        value = value.tolist()
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, kind) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, kind) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item, kind) for item in value), key=str)
    if isinstance(value, torch.dtype | np.dtype):
        return str(value)
    if callable(value) and _is_named(value):
        return f"{value.__module__}.{value.__qualname__}"
    raise ValueError(f"{kind.__name__} holds a {type(value).__name__}, which no record can be tied to")


def _is_named(value: Any) -> bool:
    """Whether a callable's name tells it from every other, and stays: neither a lambda, nor made in a function, nor an object's
    method, nor one of ours, whose file may move."""
    name = getattr(value, "__qualname__", "<none>")
    if str(getattr(value, "__module__", "")).partition(".")[0] == "caveat":
        return False
    return "<" not in name and not (inspect.ismethod(value) and not isinstance(value.__self__, type))
