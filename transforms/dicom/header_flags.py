"""What a series says of itself that is accepted, but that a reader of the result should know."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from .frame import Frame
from .guarded_header import guarded_header
from .header_values import text
from .instance import Instance

LOSSY_SYNTAXES: tuple[UID, ...] = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)
"""JPEG 2000 has one name for both: there the header's own statement decides."""


def header_flags(frames: Sequence[Frame]) -> tuple[str, ...]:
    """DERIVED_IMAGE, BURNED_IN_ANNOTATION, LOSSY_COMPRESSED, DUPLICATE_DROPPED, IDENTIFIERS_MISSING: each where it holds for any
    of the files."""
    instances = {id(frame.instance): frame.instance for frame in frames}.values()
    with guarded_header():
        checks: dict[str, Callable[[Instance], bool]] = {
            "DERIVED_IMAGE": _is_derived,
            "BURNED_IN_ANNOTATION": _has_text,
            "LOSSY_COMPRESSED": _is_lossy,
            "DUPLICATE_DROPPED": lambda instance: bool(instance.copies),
            "IDENTIFIERS_MISSING": lambda instance: not instance.is_identified,
        }
        return tuple(flag for flag, holds in checks.items() if any(holds(instance) for instance in instances))


def _is_derived(instance: Instance) -> bool:
    kinds = text(instance.header, "ImageType").split("\\")[:2]
    return "DERIVED" in kinds or "SECONDARY" in kinds


def _has_text(instance: Instance) -> bool:
    return text(instance.header, "BurnedInAnnotation") == "YES"


def _is_lossy(instance: Instance) -> bool:
    syntax = instance.header.file_meta.get("TransferSyntaxUID")
    return syntax in LOSSY_SYNTAXES or str(instance.header.get("LossyImageCompression") or "") == "01"
