"""measurements.dcm: the answers as a structured report, a refusal too."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import Code

from ..dicom.quiet_pydicom import quiet_pydicom
from ..drawing.class_names import class_names
from ..files.answers import landmarks_of, measurements_of
from ..files.arrays import plain
from ..files.stored_result import EMPTY_RESULT
from ..objects.about import ALGORITHM_FAMILY, about_the_maker, parameters_of, tracking
from ..objects.codes import OWN, BundleCodes, own_code, unit_code
from ..objects.identifiers import UNNAMED, identify, made_of, write_object
from ..objects.numbers import DEVIATION, NO_UNIT, OF_DRAWS, comment, number, numbers_of, without_value
from ..objects.places import outline_of, point_in_space, point_of, region_numbers
from ..objects.source import source_of
from .dicom_segmentation import EXAMPLE_CODES
from .dicom_segmentation import NAME as SEGMENTATION
from .result_json import six_digits
from .writer import Writer

if TYPE_CHECKING:
    import highdicom as hd

NAME = "measurements.dcm"
PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
TITLE = Code("126000", "DCM", "Imaging Measurement Report")
DEVICE = Code("121007", "DCM", "Device")
STATUS, REASON, FLAG = own_code("status", "Status"), own_code("reason", "Reason"), own_code("flag", "Flag")
EXISTENCE = own_code("existence", "Share of the draws that have a part of it")
LANDMARK = own_code("landmark", "Landmark")


class DicomReportWriter(Writer):
    """Comprehensive 3D SR by TID 1500, unverified and preliminary: the study with its status, reasons and flags, then an entry an
    answer and a lesion. It refers to the segmentation that stands in the folder. Nothing where the study came as no DICOM.

    Args:
        codes: `dicom` of the bundle's metadata.
    """

    of_refusals = True
    of_dicom = True

    def __init__(self, codes: Mapping[str, Any]) -> None:
        self.codes = BundleCodes.of(codes)

    def write(self, study: Mapping[Hashable, Any], folder: Path) -> None:
        """Args: study: with `result`, and `dicom_files`, or refused with the `image` of its entry."""
        source = source_of(study)
        if not source:
            return
        place = folder / SEGMENTATION
        segmentation = dcmread(place, stop_before_pixels=True) if place.is_file() else None
        with quiet_pydicom():
            made = self._object(study, source, segmentation)
            identify([made], source[0])
        write_object(made, folder / NAME)

    def lacks(self, study: Mapping[Hashable, Any]) -> tuple[str, ...]:
        """NO_DICOM_SOURCE where there is nothing to file an object under."""
        return () if source_of(study) else ("NO_DICOM_SOURCE",)

    @classmethod
    def example(cls) -> DicomReportWriter:
        """See `Writer.example`."""
        return cls(EXAMPLE_CODES)

    def _object(self, study: Mapping[Hashable, Any], source: Sequence[Dataset], segmentation: Dataset | None) -> Dataset:
        import highdicom as hd
        from highdicom.coding_schemes import CodingSchemeIdentificationItem

        result = six_digits({**EMPTY_RESULT, **plain(study["result"])})
        entries = Entries(self.codes, result, class_names(study) if "segmentation" in study else [], source, segmentation)
        device = hd.sr.DeviceObserverIdentifyingAttributes(
            uid=made_of("device"), name="caveat", manufacturer_name="caveat developers", model_name="caveat"
        )
        observer = hd.sr.ObservationContext(
            observer_device_context=hd.sr.ObserverContext(hd.sr.CodedConcept.from_code(DEVICE), device)
        )
        content = hd.sr.MeasurementReport(observer, PROCEDURE, imaging_measurements=list(entries.all()), title=TITLE)
        scheme = CodingSchemeIdentificationItem(OWN, name="caveat", responsible_organization="caveat developers")
        made = hd.sr.Comprehensive3DSR(
            evidence=[*source, *([segmentation] if segmentation is not None else [])],
            content=content[0],
            series_instance_uid=UNNAMED,
            series_number=902,
            sop_instance_uid=UNNAMED,
            instance_number=1,
            is_complete=True,
            is_final=False,
            is_verified=False,
            coding_schemes=[scheme],
            series_description="RESEARCH caveat measurements",
            **about_the_maker(study),
        )
        without_value(made)
        return made


@dataclass(frozen=True)
class Entries:
    """The groups of a report.

    Args:
        codes: of the bundle. result: with six digits. classes: names of the labels, if there are any.
        source: reduced headers of the series. segmentation: that was made of the study, None where there is none.
    """

    codes: BundleCodes
    result: Mapping[str, Any]
    classes: Sequence[str]
    source: Sequence[Dataset]
    segmentation: Dataset | None

    def all(self) -> Iterator[Any]:
        """The study, then every answer, then the lesions."""
        yield self._study()
        for answer in measurements_of(self.result):
            yield self._measurement(answer)
        for answer in landmarks_of(self.result):
            yield from self._landmark(answer)
        for place, lesion in enumerate(self.result["lesions"], start=1):
            yield self._lesion(place, lesion)

    def _study(self) -> Any:
        import highdicom as hd

        said = [
            (STATUS, self.result["status"], ""),
            *((REASON, reason["code"], reason["message"]) for reason in self.result["reasons"]),
            *((FLAG, flag, "") for flag in self.result["flags"]),
        ]
        evaluations = [hd.sr.QualitativeEvaluation(name, own_code(code, text or code)) for name, code, text in said]
        group = self._group("study", qualitative_evaluations=evaluations)
        sentences = (f"{reason['code']}: {reason['message']}. {reason['what_to_do']}" for reason in self.result["reasons"])
        return with_comments(group, *sentences)

    def _measurement(self, answer: Mapping[str, Any]) -> Any:
        import highdicom as hd

        labels = answer["classes"]
        codes = self.codes.classes.get(labels[0])
        quantity = self.codes.quantities.get(answer["name"]) or own_code(unit_code(answer["unit"]).value, answer["name"])
        about: dict[str, Any] = {"measurements": numbers_of(answer, quantity)}
        if codes:
            about |= {"finding_type": codes.type, "finding_category": codes.category}
        if self.segmentation is None or len(labels) > 1 or answer["value"] is None:
            group = self._group(answer["name"], **about)
        else:
            # Built by hand: where the only segment stands in the shared groups, highdicom's own way does not find it.
            segment = hd.sr.ReferencedSegment(
                self.segmentation.SOPClassUID,
                self.segmentation.SOPInstanceUID,
                labels[0],
                source_series=hd.sr.SourceSeriesForSegmentation(self.source[0].SeriesInstanceUID),
            )
            site = self._site(labels[0])
            group = hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=self._tracked(self.classes[labels[0]]),
                referenced_segment=segment,
                finding_sites=[site] if site is not None else None,
                **about,
            )
        return with_comments(group, answer["statement"])

    def _landmark(self, answer: Mapping[str, Any]) -> Iterator[Any]:
        """The point, then its regions; where the image does not show it, why there is none."""
        import highdicom as hd

        site = None if self.codes.region is None else [hd.sr.FindingSite(anatomic_location=self.codes.region)]
        name = own_code("landmark-name", answer["title"])
        about: dict[str, Any] = {"finding_type": name, "finding_category": LANDMARK, "finding_sites": site}
        if answer["value"] is None:
            yield with_comments(self._group(answer["name"], **about), answer["statement"])
            return
        entry = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations
        tracked = self._tracked(answer["name"])
        point = entry(tracked, referenced_region=point_of(answer, self.source[0]), **about)
        yield with_comments(point, answer["statement"])
        for region in filter(None, (answer["region"], answer["simultaneous_region"])):
            outline = outline_of(answer, region, self.result["input"], self.source[0])
            if outline is not None:
                numbers = region_numbers(region)
                yield entry(self._tracked(answer["name"]), referenced_region=outline, measurements=numbers, **about)

    def _lesion(self, place: int, lesion: Mapping[str, Any]) -> Any:
        """By its centre: it is a piece of a segment, and no segment of its own."""
        import highdicom as hd

        unit, deviation = unit_code(lesion["unit"]), lesion["draws"]["sd"]
        quantity = next(iter(self.codes.quantities.values()), own_code("size", "Size"))
        numbers = [number(quantity, lesion["value"], unit), number(EXISTENCE, lesion["existence"], NO_UNIT)]
        if deviation is not None:
            numbers.append(number(quantity, deviation, unit, derivation=DEVIATION, method=OF_DRAWS))
        centre = point_in_space(lesion["centre"], self.source[0])
        entry = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations
        return entry(
            self._tracked(f"lesion {place}"), referenced_region=centre, measurements=numbers, algorithm_id=self._algorithm()
        )

    def _group(self, name: str, **about: Any) -> Any:
        """An entry that looks at the segmentation as a whole, or at the first image where there is none."""
        import highdicom as hd

        seen = self.source[0] if self.segmentation is None else self.segmentation
        image = hd.sr.SourceImageForMeasurementGroup(seen.SOPClassUID, seen.SOPInstanceUID)
        return hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracked(name), algorithm_id=self._algorithm(), source_images=[image], **about
        )

    def _algorithm(self) -> hd.sr.AlgorithmIdentification:
        import highdicom as hd

        return hd.sr.AlgorithmIdentification(
            name=self.result["bundle"].get("name", "caveat"),
            version=self.result["bundle"].get("version", "unknown"),
            family=ALGORITHM_FAMILY,
            parameters=[f"{key}={value}" for key, value in parameters_of(self.result).items()],
        )

    def _tracked(self, name: str) -> hd.sr.TrackingIdentifier:
        import highdicom as hd

        names = tracking(self.result, self.source[0], name)
        return hd.sr.TrackingIdentifier(uid=names["tracking_uid"], identifier=names["tracking_id"])

    def _site(self, label: int) -> hd.sr.FindingSite | None:
        import highdicom as hd

        codes = self.codes.classes.get(label)
        if codes is None or codes.region is None and codes.modifier is None:
            return None
        return hd.sr.FindingSite(anatomic_location=codes.region or codes.type, topographical_modifier=codes.modifier)


def with_comments(group: Any, *sentences: str) -> Any:
    """A group with sentences added. Args: group: of a report. Returns: the same."""
    group[0].ContentSequence.extend(comment(sentence) for sentence in sentences)
    return group
