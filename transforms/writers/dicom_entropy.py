"""entropy.dcm: where the draws are in doubt, as a DICOM parametric map."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import Code
from pydicom.uid import JPEGLSLossless

from ..dicom.quiet_pydicom import quiet_pydicom
from ..drawing.class_names import class_names
from ..files.arrays import array_of, is_picture
from ..objects.about import about_the_maker
from ..objects.codes import own_code
from ..objects.identifiers import UNNAMED, identify, write_object
from ..objects.planes import volume_of
from ..objects.source import source_of
from .writer import Writer

BIT = Code("bit", "UCUM", "bit")
"""UCUM has no nat."""
STORED_MOST = 2**16 - 1


class DicomEntropyWriter(Writer):
    """The entropy of the mean probability, in bit, on the grid of the series: 16 bits with a slope, JPEG-LS without loss.

    The slope is that of the most that there can be, log2 of the number of classes, so that maps of one bundle are alike. Nothing
    where the study came as no DICOM, or is a picture.
    """

    of_dicom = True

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with `entropy` (1, *spatial) in nats, of a volume, and `dicom_files`."""
        if "entropy" not in study or is_picture(study):
            return
        source = source_of(study)
        if not source:
            return
        with quiet_pydicom():
            made = _map(study, source)
            identify([made], source[0])
        write_object(made, folder / "entropy.dcm")

    @classmethod
    def example(cls) -> DicomEntropyWriter:
        """See `Writer.example`."""
        return cls()


def _map(study: Mapping[Hashable, Any], source: tuple[Dataset, ...]) -> Dataset:
    import highdicom as hd

    bits = array_of(study, "entropy")[0].astype(np.float64) / math.log(2)
    most = max(math.log2(len(class_names(study))), float(bits.max()))
    slope = float(f"{most / STORED_MOST:.10g}")  # what a decimal string of 16 characters holds
    stored = np.rint(bits / slope).clip(0, STORED_MOST).astype(np.uint16)
    meaning = hd.pm.RealWorldValueMapping(
        lut_label="entropy",
        lut_explanation="entropy of the mean probability over the draws",
        unit=BIT,
        value_range=(0, STORED_MOST),
        slope=slope,
        intercept=0.0,
        quantity_definition=own_code("entropy", "Entropy of class probabilities"),
    )
    made = hd.pm.ParametricMap(
        source_images=list(source),
        pixel_array=volume_of(study, stored, source[0].FrameOfReferenceUID),
        series_instance_uid=UNNAMED,
        series_number=905,
        sop_instance_uid=UNNAMED,
        instance_number=1,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[meaning],
        window_center=STORED_MOST / 2,
        window_width=float(STORED_MOST),
        transfer_syntax_uid=JPEGLSLossless,
        content_label="CAVEAT",
        content_description="RESEARCH, not for diagnosis",
        series_description="RESEARCH caveat entropy",
        **about_the_maker(study),
    )
    made.ContentCreatorName, made.Laterality = "", ""
    return made
