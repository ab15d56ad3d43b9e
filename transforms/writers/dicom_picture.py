"""picture-1.dcm and so on: the sentences and the views as pictures, for viewers that show neither masks nor reports."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from ..dicom.quiet_pydicom import quiet_pydicom
from ..drawing.sentence_page import picture_page, text_pages
from ..drawing.views import scene_of
from ..files.arrays import plain
from ..files.stored_result import EMPTY_RESULT
from ..objects.about import about_the_maker
from ..objects.identifiers import UNNAMED, identify, write_object
from ..objects.source import source_of
from .preview import panel
from .writer import Writer

OF_IDENTITY = {
    "patient_id": "PatientID",
    "patient_name": "PatientName",
    "patient_birth_date": "PatientBirthDate",
    "patient_sex": "PatientSex",
    "accession_number": "AccessionNumber",
    "study_id": "StudyID",
    "study_date": "StudyDate",
    "study_time": "StudyTime",
    "referring_physician_name": "ReferringPhysicianName",
    "study_instance_uid": "StudyInstanceUID",
}
"""Arguments of highdicom's constructor, and the elements that they are."""


class DicomPictureWriter(Writer):
    """Secondary captures of one series: first what was measured in words, then a page a view with the first sentence below it.

    Nothing where the study came as no DICOM.

    Args:
        longest: of the views, as of the report: with the same, all show one drawing.
    """

    of_refusals = True
    of_dicom = True

    def __init__(self, longest: int = 1000) -> None:
        self.longest = longest

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with `result`; unless it was refused `input`, and what there is of labels."""
        source = source_of(study)
        if not source:
            return
        with quiet_pydicom():
            pages = [_capture(page, number, study, source[0]) for number, page in enumerate(self._pages(study), start=1)]
            identify(pages, source[0])
        for number, page in enumerate(pages, start=1):
            write_object(page, folder / f"picture-{number}.dcm")

    @classmethod
    def example(cls) -> DicomPictureWriter:
        """See `Writer.example`."""
        return cls(longest=64)

    def _pages(self, study: Mapping[Hashable, Any]) -> Iterator[np.ndarray]:
        sentences = sentences_of(study)
        yield from text_pages(sentences)
        if "input" in study:
            for view in scene_of(study).whole(self.longest):
                yield picture_page(panel(study, view), view.title, view.sides, sentences[0] if sentences else "")


def sentences_of(study: Mapping[Hashable, Any]) -> list[str]:
    """What a reader must see: statements, reasons, flags. Args: study: with `result`."""
    result = {**EMPTY_RESULT, **plain(study["result"])}
    statements = [answer["statement"] for answer in result["answers"]]
    reasons = [f"{reason['code']}: {reason['message']}. {reason['what_to_do']}" for reason in result["reasons"]]
    flags = [f"Flagged: {', '.join(result['flags'])}"] if result["flags"] else []
    return [*statements, *reasons, *flags]


def _reference(source: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
    return reference


def _capture(page: np.ndarray, number: int, study: Mapping[Hashable, Any], source: Dataset) -> Dataset:
    import highdicom as hd

    made = hd.sc.SCImage(
        pixel_array=page,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "P"),  # asked for, and taken back below: a page of text has none
        series_instance_uid=UNNAMED,
        series_number=903,
        sop_instance_uid=UNNAMED,
        instance_number=number,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        series_description="RESEARCH caveat picture",
        **{argument: source.get(keyword) for argument, keyword in OF_IDENTITY.items()},
        **about_the_maker(study),
    )
    made.PatientOrientation, made.Laterality, made.BurnedInAnnotation = [], "", "YES"
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.SourceImageSequence = Items([_reference(source)])  # else pictures of two series that look alike would be one
    return made
