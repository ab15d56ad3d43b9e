"""What tells the volumes of one series apart: phases, echoes, b-values, energies, reconstructions."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from .functional_groups import FRAME_TYPES, FunctionalGroups
from .header_values import comparable, private_text, text

SEPARATING = (
    *("stack", "temporal position", "echo", "diffusion", "image type", "inversion", "flip angle", "sequence", "contrast"),
    *("energy", "kernel", "cardiac phase", "correction", "encoding", "dimension"),
)
"""What cannot differ within one volume."""
NUMBERING = ("acquisition", "trigger", "acquisition time", "object")
"""What may: a scanner acquires some of a volume's slices after the others, or later in the beat of the heart; an enhanced object
holds a part of them. It tells volumes apart only where slices lie at one place."""
STACK = SEPARATING.index("stack")
PLACES = frozenset(
    Tag(keyword)
    for keyword in ("StackID", "InStackPositionNumber", "ImagePositionPatient", "ImageOrientationPatient", "SliceLocation")
)
"""What dimensions point to that tell slices apart, not volumes; stacks are told by their names."""
PET_METHODS = (
    *("AttenuationCorrectionMethod", "ScatterCorrectionMethod", "RandomsCorrectionMethod", "DecayCorrection"),
    "ReconstructionMethod",
)
"""Of a whole series: PS3.3, C.8.9.1."""
PRIVATE_B_VALUES = (
    (0x0019, "SIEMENS MR HEADER", 0x0C),
    (0x2001, "Philips Imaging DD 001", 0x03),
    (0x0043, "GEMS_PARM_01", 0x39),
)
"""Group, creator and element; GE has three more numbers behind it, which say nothing of a volume."""
PRIVATE_COMPONENTS = ((0x0043, "GEMS_PARM_01", 0x2F), (0x2005, "Philips MR Imaging DD 001", 0x11))
"""Magnitude, phase, real or imaginary."""
DIGITS = 5
"""Of a scan parameter that are compared: it may have been a float32."""


def classic_keys(header: Dataset) -> tuple[str, ...]:
    """Those of a single-frame object, in the order of `SEPARATING` and `NUMBERING`, as comparable text; "" where absent."""
    return (
        "",
        comparable(header, "TemporalPositionIdentifier"),
        _several(header, "EchoNumbers", "EchoTime"),
        f"{_several(header, 'DiffusionBValue', 'DiffusionGradientOrientation')} {_of_makers(header, PRIVATE_B_VALUES)}",
        f"{_kind(text(header, 'ImageType'))} {text(header, 'ComplexImageComponent')} {_of_makers(header, PRIVATE_COMPONENTS)}",
        _several(header, "InversionTime"),
        _several(header, "FlipAngle"),
        _several(header, "ScanningSequence", "SequenceVariant", "SequenceName", "MRAcquisitionType"),
        comparable(header, "ContrastBolusAgent"),
        _several(header, "KVP"),
        _several(header, "ConvolutionKernel", "FilterType"),
        _several(header, "NominalPercentageOfCardiacPhase"),
        _several(header, "CorrectedImage", *PET_METHODS),
        "",
        "",
        comparable(header, "AcquisitionNumber"),
        _several(header, "TriggerTime"),
        comparable(header, "AcquisitionTime"),
        "",
    )


def enhanced_keys(groups: FunctionalGroups, index: int, instance: str) -> tuple[str, ...]:
    """Those of a frame of an enhanced object; where it was converted from single frames, what has no group is as they said it.

    Args:
        index: of the frame.
        instance: identifier of the object.

    Source: DICOM PS3.3, C.7.6.16.2 (groups), C.7.6.16.2.25 (attributes of converted frames).
    """
    converted = classic_keys(groups.item("UnassignedPerFrameConvertedAttributesSequence", index))
    own = _group_keys(groups, index, instance)
    return tuple(stated.strip() or kept.strip() for stated, kept in zip(own, converted, strict=True))


def _group_keys(groups: FunctionalGroups, index: int, instance: str) -> tuple[str, ...]:

    def group(keyword: str) -> Dataset:
        return groups.item(keyword, index)

    content, diffusion, timing = (
        group("FrameContentSequence"),
        group("MRDiffusionSequence"),
        group("MRTimingAndRelatedParametersSequence"),
    )
    kinds, beat = [group(keyword) for keyword in FRAME_TYPES], group("CardiacSynchronizationSequence")
    velocity, labelling = group("MRVelocityEncodingSequence"), group("MRArterialSpinLabelingSequence")
    return (
        comparable(content, "StackID"),
        comparable(content, "TemporalPositionIndex") or _several(group("TemporalPositionSequence"), "TemporalPositionTimeOffset"),
        _several(group("MREchoSequence"), "EffectiveEchoTime"),
        f"{_several(diffusion, 'DiffusionBValue', 'DiffusionDirectionality')} {_direction(diffusion)}",
        " ".join(f"{_kind(text(kind, 'FrameType'))} {text(kind, 'ComplexImageComponent')}" for kind in kinds),
        _several(group("MRModifierSequence"), "InversionTimes"),
        _several(timing, "FlipAngle"),
        "",
        comparable(group("ContrastBolusUsageSequence"), "ContrastBolusAgentAdministered"),
        _several(group("CTXRayDetailsSequence"), "KVP"),
        _several(group("CTReconstructionSequence"), "ConvolutionKernel", "ReconstructionAlgorithm"),
        _several(beat, "NominalPercentageOfCardiacPhase"),
        _several(group("PETFrameTypeSequence"), "AttenuationCorrected", "ScatterCorrected"),
        f"{_several(velocity, 'VelocityEncodingDirection', 'VelocityEncodingMaximumValue')} {text(labelling, 'ASLContext')}",
        _dimensions(content, groups),
        comparable(content, "FrameAcquisitionNumber"),
        _several(beat, "NominalCardiacTriggerDelayTime"),
        comparable(content, "FrameAcquisitionDateTime"),
        instance,
    )


def _dimensions(content: Dataset, groups: FunctionalGroups) -> str:
    """The indices of a frame along the object's own dimensions, but for those that say where it lies.

    Source: DICOM PS3.3, C.7.6.17.
    """
    values = text(content, "DimensionIndexValues").split("\\")
    if len(values) != len(groups.dimensions):
        return ""
    return " ".join(value for value, pointer in zip(values, groups.dimensions, strict=True) if pointer not in PLACES)


def _direction(diffusion: Dataset) -> str:
    """That of the gradient of a diffusion group, "" where it has none."""
    found = diffusion.get("DiffusionGradientDirectionSequence")
    return _several(found[0], "DiffusionGradientOrientation") if found else ""


def _of_makers(header: Dataset, places: Sequence[tuple[int, str, int]]) -> str:
    """What makers of MR scanners say in elements of their own: older ones say it nowhere else."""
    if text(header, "Modality") != "MR":
        return ""
    return " ".join(private_text(header, *place).partition("\\")[0] for place in places)


def _kind(image_type: str) -> str:
    """What an image type says beyond original or derived, primary or secondary."""
    return "\\".join(part.strip() for part in image_type.split("\\")[2:])


def _several(data: Dataset, *keywords: str) -> str:
    return " ".join(comparable(data, keyword, DIGITS) for keyword in keywords)
