"""segmentation.dcm: the mask as a DICOM segmentation of the series it was measured on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from ..dicom.quiet_pydicom import quiet_pydicom
from ..drawing.class_colours import CLASS_COLOURS
from ..drawing.class_names import class_names
from ..files.arrays import array_of, is_picture, plain
from ..objects.about import ALGORITHM_FAMILY, about_the_maker, parameters_of, tracking
from ..objects.codes import BundleCodes, ClassCodes
from ..objects.identifiers import UNNAMED, identify, write_object
from ..objects.planes import volume_of
from ..objects.source import source_of
from .writer import Writer

if TYPE_CHECKING:
    import highdicom as hd

NAME = "segmentation.dcm"


class DicomSegmentationWriter(Writer):
    """A segment a class, on the grid of the series, in its study and frame of reference. Planes without any are left out.

    Nothing where the study came as no DICOM, and where nothing was found: a mask without a voxel would say that it is not there.

    Args:
        codes: `dicom` of the bundle's metadata.
        labelmap: one label map, which few viewers read, in place of a binary segment a class.
    """

    of_dicom = True
    name = NAME
    key = "segmentation"
    about: Mapping[str, Any] = {"series_number": 901, "series_description": "RESEARCH caveat segmentation"}

    def __init__(self, codes: Mapping[str, Any], labelmap: bool = False) -> None:
        self.codes = BundleCodes.of(codes)
        self.kind = "LABELMAP" if labelmap else "BINARY"

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with what is written (`key`) of a volume, and `dicom_files`."""
        if self.key not in study or is_picture(study) or not self.values(study).any():
            return
        source = source_of(study)
        if not source:
            return
        with quiet_pydicom():  # highdicom quotes names that it doubts
            made = self._object(study, source)
            identify([made], source[0])
        write_object(made, folder / self.name)

    def values(self, study: Mapping[Hashable, Any]) -> np.ndarray:
        """What is written, see `volume_of`."""
        return array_of(study, "segmentation")[0].astype(np.uint8)

    @classmethod
    def example(cls) -> DicomSegmentationWriter:
        """See `Writer.example`."""
        return cls(EXAMPLE_CODES)

    def _object(self, study: Mapping[Hashable, Any], source: tuple[Dataset, ...]) -> Dataset:
        import highdicom as hd

        made = hd.seg.Segmentation(
            source_images=list(source),
            pixel_array=volume_of(study, self.values(study), source[0].FrameOfReferenceUID),
            segmentation_type=self.kind,
            segment_descriptions=self._segments(study, source[0]),
            series_instance_uid=UNNAMED,
            sop_instance_uid=UNNAMED,
            instance_number=1,
            content_label="CAVEAT",
            content_description="RESEARCH, not for diagnosis",
            **self.about,
            **about_the_maker(study),
        )
        made.ContentCreatorName = ""
        for item in made.SegmentSequence:
            codes = self.codes.classes.get(int(item.SegmentNumber))
            if codes and codes.modifier:
                modifier = Items([hd.sr.CodedConcept.from_code(codes.modifier)])
                item.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = modifier
        return made

    def _segments(self, study: Mapping[Hashable, Any], source: Dataset) -> list[hd.seg.SegmentDescription]:
        import highdicom as hd

        result = plain(study["result"])
        bundle = result.get("bundle", {})
        algorithm = hd.AlgorithmIdentificationSequence(
            name=bundle.get("name", "caveat"),
            version=bundle.get("version", "unknown"),
            family=ALGORITHM_FAMILY,
            source="caveat",
            parameters=parameters_of(result),
        )
        segments = []
        for label, name in list(enumerate(class_names(study)))[1:]:
            codes: ClassCodes = self.codes.classes[label]
            colour = CLASS_COLOURS[(label - 1) % len(CLASS_COLOURS)]
            segments.append(
                hd.seg.SegmentDescription(
                    segment_number=label,
                    segment_label=name,
                    segmented_property_category=codes.category,
                    segmented_property_type=codes.type,
                    algorithm_type="AUTOMATIC",
                    algorithm_identification=algorithm,
                    anatomic_regions=[codes.region] if codes.region else None,
                    display_color=hd.color.CIELabColor.from_string(colour),
                    **tracking(result, source, name),
                )
            )
        return segments


EXAMPLE_CODES = {
    "classes": {
        str(label): {"category": ["91723000", "SCT", "Anatomical Structure"], "type": ["12738006", "SCT", "Brain"]}
        for label in range(1, 8)
    },
    "measurements": {"disc": ["118565006", "SCT", "Volume"]},
}
"""Of `example_study`."""
