"""Identifiers made of content: equal runs make equal objects, and whatever differs has another identifier."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID

from ..dicom.quiet_pydicom import quiet_pydicom

OURS = uuid.UUID("6f0f5f0e-6d0e-5f0b-9d54-0b6d6f2f7a11")
"""The name space of this program's identifiers."""
UNNAMED = "2.25.1"
"""Of an object whose content is not complete yet."""
WITHOUT_DATE = "19000101"
OF_THE_MOMENT = (
    "InstanceCreationDate",
    "InstanceCreationTime",
    "DateOfSecondaryCapture",
    "TimeOfSecondaryCapture",
    "ContributionDateTime",
)
"""Optional, and another in every run."""


def made_of(*words: str) -> str:
    """A unique identifier of words. Source: DICOM PS3.5, B.2."""
    return f"2.25.{uuid.uuid5(OURS, '|'.join(words)).int}"


def is_made(identifier: str) -> bool:
    """Whether an identifier has the form of `made_of`, a UUID of version 5; others take random ones, or a root of their own."""
    root, _, number = identifier.partition("2.25.")
    if root or not re.fullmatch("[0-9]{1,39}", number) or int(number) >= 2**128:
        return False
    return uuid.UUID(int=int(number)).version == 5


def identify(objects: Sequence[Dataset], source: Dataset) -> None:
    """Name the objects of one new series, in place, by what is in them.

    Whatever of two runs differs in an object (images, weights, settings, versions, records) differs in its bytes, and they make
    its identifier: an archive that keeps the first of two objects with one identifier keeps the right one.
    The date of the content is that of the study, since the moment of the run would make equal runs unequal.

    Args:
        objects: made with `UNNAMED` as their own and their series' identifier.
        source: of the reduced headers.
    """
    for one in objects:
        for data in (one, *one.get("ContributingEquipmentSequence", ())):
            for keyword in OF_THE_MOMENT:
                if keyword in data:
                    delattr(data, keyword)
        one.SpecificCharacterSet = "ISO_IR 192"
        one.ContentDate, one.ContentTime = source.StudyDate or WITHOUT_DATE, source.StudyTime or "000000"
        _name_dimensions(one, UNNAMED)
    digests = [hashlib.sha256(bytes_of(one)).hexdigest() for one in objects]
    for number, (one, digest) in enumerate(zip(objects, digests, strict=True)):
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = UID(made_of("object", str(number), digest))
        one.SeriesInstanceUID = made_of("series", *digests)
        _name_dimensions(one, made_of("dimensions", digest))


def _name_dimensions(one: Dataset, identifier: str) -> None:
    for items in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for entry in one.get(items, ()):
            entry.DimensionOrganizationUID = identifier


def bytes_of(one: Dataset) -> bytes:
    """An object as it stands in a file."""
    file = BytesIO()
    with quiet_pydicom():
        one.save_as(file, enforce_file_format=True)
    return file.getvalue()


def write_object(one: Dataset, path: Path) -> None:
    """One file."""
    path.write_bytes(bytes_of(one))
