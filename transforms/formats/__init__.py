"""Headers, geometry and pixels of the kinds of file, apart from DICOM."""
