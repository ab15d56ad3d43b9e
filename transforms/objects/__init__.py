"""DICOM objects that leave: what they say of their source, their codes, their identifiers."""
