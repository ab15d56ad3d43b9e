"""DICOM: from files to one volume or one radiograph, or to the reason why not."""
