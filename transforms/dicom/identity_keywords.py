"""What is asked of a file to say whose image it is, before anything else is."""

from __future__ import annotations

IDENTIFIERS = ("StudyInstanceUID", "PatientID", "IssuerOfPatientID", "AccessionNumber", "StudyID")
"""Compared as they are written: 007 and 7 are two patients."""
PATIENT = (
    *("PatientBirthDate", "PatientBirthTime", "PatientSex", "OtherPatientIDs", "EthnicGroup"),
    *("PatientAge", "PatientSize", "PatientWeight"),
)
STUDY = ("StudyDate", "StudyTime")
SERIES = (
    *("SeriesNumber", "Modality", "SeriesDescription", "ProtocolName", "Laterality", "PatientPosition"),
    *("ManufacturerModelName", "DeviceSerialNumber"),
)
WHERE_IDENTIFIERS_ARE_LOST = (
    *("StudyDescription", "ReferringPhysicianName", "InstitutionName", "StationName", "Manufacturer", "BodyPartExamined"),
    *("PatientAddress", "PatientSpeciesDescription", "ClinicalTrialSubjectID", "AdmissionID", "RequestingPhysician"),
    *("PerformedProcedureStepID", "PerformedProcedureStepStartDate", "OperatorsName"),
)
"""Asked only there: archives correct such words of a study while its files are still arriving."""
DATES = ("SeriesDate", "AcquisitionDate")
"""Asked only there, too: a series may last over midnight, and no longer."""
PLACES = ("SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID", "ConversionType", "NumberOfFrames")
"""What tells series apart beside, and projections from slices."""
SORTED_BY = (*IDENTIFIERS, *PATIENT, *STUDY, *SERIES, *WHERE_IDENTIFIERS_ARE_LOST, *DATES, *PLACES)
"""Elements that files are sorted by; a damaged one shows where its file is read, as the fault of that file."""
