"""Reason codes: why a study was refused or flagged, and what to do about it. Imports nothing of caveat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One line of meaning, one line of what to do."""

    meaning: str
    what_to_do: str


REASONS: dict[str, Reason] = {
    # Files and folders
    "NO_INPUT_FOUND": Reason(
        "no image was found",
        "give a file, or a folder that holds pictures (PNG, JPEG, TIFF) or NIfTI files; links are not followed",
    ),
    "UNREADABLE_FOLDER": Reason("the folder does not exist or may not be read", "correct the path, or its access rights"),
    "UNREADABLE_FILE": Reason(
        "the file does not exist, may not be read, or is no regular file",
        "correct the path, or its access rights",
    ),
    "EMPTY_FILE": Reason("the file holds no bytes", "copy or export it again"),
    "NOT_AN_IMAGE": Reason("the bytes are no image, whatever the name says", "give the image itself, not a file named like one"),
    "UNSUPPORTED_FILE_TYPE": Reason(
        "the file is an image of a type that is not read here",
        "convert it to PNG or TIFF (pictures) or to single-file NIfTI (volumes), without losing bits",
    ),
    "INPUT_CHANGED": Reason(
        "the file's sha256 is not the one in the data list",
        "restore the file that the list was made of, or make the list again",
    ),
    "TRUNCATED": Reason("the file ends before its image does", "copy or export it again"),
    "CORRUPT": Reason("the file is damaged: its contents contradict its own format", "copy or export it again"),
    "CORRUPT_GZIP": Reason("the compressed file is damaged: its checksum or structure is wrong", "copy or compress it again"),
    "SIZE_MISMATCH": Reason(
        "the file holds more than its header declares",
        "export it again; never cut it to fit, since the header may be what is wrong",
    ),
    "TOO_LARGE": Reason(
        "the image is larger than the limit",
        "crop it or reduce its resolution, or check whether its header is right",
    ),
    "ARCHIVE_REFUSED": Reason(
        "the zip archive holds what is not unpacked here: a name that leads out of it or stands twice, a link, something "
        "encrypted, another archive, or more than the limits",
        "unpack it yourself, look at what it holds, and give the folder",
    ),
    # Pictures
    "MULTI_PAGE": Reason("the file holds several pictures", "save the one that is meant as a file of its own"),
    "HAS_TRANSPARENCY": Reason("the picture is transparent in places", "save it without an alpha channel"),
    "UNSUPPORTED_PIXEL_FORMAT": Reason(
        "the picture's pixels are stored in a way that cannot be read without changing them",
        "save it as grey or RGB, 8 or 16 bits a channel (TIFF: also float)",
    ),
    "NO_PIXEL_SPACING": Reason(
        "the picture does not say how large a pixel is (a resolution in dpi is that of a print)",
        "read results in pixels, or state the spacing with --spacing",
    ),
    # NIfTI
    "BAD_HEADER": Reason("the header contradicts itself or its format", "export the image again with another program"),
    "AFFINE_CONFLICT": Reason(
        "the header's two positions in space (qform and sform) disagree by more than 0.5 mm",
        "find out which is right and write it to both",
    ),
    "NO_ORIENTATION": Reason(
        "the header does not say how the image lies in space",
        "convert it again from DICOM; where only sizes matter, pass --assume-orientation",
    ),
    "SINGULAR_AFFINE": Reason("the header's affine has no volume", "convert the image again from DICOM"),
    "BAD_AFFINE": Reason("the header's affine holds values that are no position in space", "convert the image again from DICOM"),
    "SHEARED_AFFINE": Reason(
        "the image's axes are not at right angles",
        "resample the image to a rectangular grid",
    ),
    "MISSING_SPACING": Reason(
        "the header does not say how large a voxel is", "convert it again, or state the spacing with --spacing"
    ),
    "IMPLAUSIBLE_SPACING": Reason(
        "a voxel measures less than 0.01 mm or more than 20 mm",
        "check the header's voxel size and its unit",
    ),
    "PIXDIM_DISAGREES": Reason(
        "the header's voxel size (pixdim) is not that of its affine; the affine was used",
        "check the voxel size that is reported",
    ),
    "SPACING_UNIT_UNSTATED": Reason(
        "the header does not say in which unit its voxel size is; mm was taken",
        "check the voxel size that is reported",
    ),
    "ORIENTATION_ASSUMED": Reason(
        "the image's orientation was assumed, as asked for",
        "use sizes only, never sides or directions",
    ),
    "NON_FINITE_VOXELS": Reason("voxels are not finite numbers (NaN or infinite)", "replace them by the value that is meant"),
    "NOT_3D": Reason("the image is not one three-dimensional volume", "save the volume that is meant as a file of its own"),
    "UNSUPPORTED_DATATYPE": Reason(
        "voxels are complex numbers, colours or another type that is not one real number",
        "save them as integers or float32",
    ),
    # DICOM: files and studies
    "NOT_DICOM": Reason("the file is no DICOM object, or a damaged one", "copy or export it again"),
    "TRUNCATED_PIXEL_DATA": Reason("a DICOM file holds fewer pixels than it declares", "copy or export the study again"),
    "CONFLICTING_IDENTITY": Reason(
        "one series says that it belongs to two studies or to two patients",
        "export the study again from the archive; anonymise it with a program that keeps series apart",
    ),
    "SEVERAL_STUDIES": Reason("the files belong to more than one study or patient", "give one study at a time"),
    "UNSUPPORTED_MULTIFRAME": Reason(
        "the file holds many frames without saying of each where it lies (nuclear medicine, ultrasound, cine, mosaic)",
        "export it as single slices or as an enhanced object",
    ),
    "INCOMPLETE_CONCATENATION": Reason("an object was split into parts, and not all of them are here", "export the series again"),
    "SECONDARY_CAPTURE": Reason(
        "the series is a picture of a screen, or in colour, without a position in space",
        "give the images that it was made of",
    ),
    # DICOM: which series
    "AMBIGUOUS_SERIES": Reason(
        "more than one series of the study fits, and they may be different measurements",
        "choose one by its number with --series; caveat check lists them",
    ),
    "AMBIGUOUS_TEMPORAL": Reason(
        "one series holds several volumes of the same place (phases, echoes, b-values ...)",
        "choose one by its number with --series where caveat check lists them; else export them apart",
    ),
    "NO_SUITABLE_SERIES": Reason(
        "no series of the study is of the kind that the bundle measures", "see caveat check for what is there"
    ),
    "WRONG_MODALITY": Reason("the study was taken with another kind of machine", "use a bundle made for this modality"),
    "MIXED_MATRIX": Reason(
        "slices of one series have different numbers of rows or columns", "export the series again, or split it"
    ),
    "MIXED_SPACING": Reason("slices of one series have different pixel sizes", "export the series again, or split it"),
    "MIXED_ORIENTATION": Reason("slices of one series lie in different directions", "split the series by direction"),
    "MIXED_FRAME_OF_REFERENCE": Reason(
        "slices or series lie in different spaces: the patient may have moved between them",
        "give images of one position of the patient",
    ),
    "MIXED_SOP_CLASS": Reason("one series holds objects of different kinds", "export the series again, or split it"),
    # DICOM: where slices lie
    "MISSING_PIXEL_SPACING": Reason("a slice does not say how large a pixel is", "export the series again from the archive"),
    "MISSING_POSITION": Reason("a slice does not say where it lies", "export the series again from the archive"),
    "MISSING_ORIENTATION": Reason("a slice does not say in which direction it lies", "export the series again from the archive"),
    "BAD_SPACING": Reason("the pixel size is no length between 0.01 and 20 mm", "export the series again from the archive"),
    "BAD_ORIENTATION": Reason(
        "the slices' directions are no right angle of unit length", "export the series again from the archive"
    ),
    "SINGLE_SLICE": Reason("the series has one slice; a volume needs at least two", "give the whole series"),
    "SLICE_GAP": Reason(
        "slices are missing between others",
        "export the series again; or pass --allow-gaps to have them interpolated and flagged",
    ),
    "VARIABLE_SPACING": Reason("the distance between slices changes", "give a series of evenly spaced slices, or resample it"),
    "DUPLICATE_POSITION": Reason("different slices lie at the same place", "export the series again, or split it"),
    "GANTRY_TILT": Reason(
        "the slices are not stacked along their normal (the gantry was tilted)",
        "pass --allow-tilt to have them resampled to a right-angled grid and flagged",
    ),
    "MISALIGNED_SLICES": Reason("slices are shifted sideways against each other", "export the series again from the archive"),
    # DICOM: pixel values and radiographs
    "CORRUPT_PIXEL_DATA": Reason("the pixels of a DICOM file are damaged", "copy or export the study again"),
    "CODESTREAM_MISMATCH": Reason(
        "a compressed frame has another size, or other bits, than the DICOM header says", "export the study again, uncompressed"
    ),
    "UNSUPPORTED_TRANSFER_SYNTAX": Reason(
        "the pixels are compressed in a way that is not read here (video, for instance)",
        "export the study again, uncompressed or as JPEG 2000, JPEG-LS, lossless JPEG or RLE",
    ),
    "INCONSISTENT_RESCALE": Reason(
        "slices say different things of what their values mean: some are rescaled, or have a unit, and others not",
        "export the series again from the archive",
    ),
    "BAD_RESCALE": Reason(
        "the rescale of a slice is damaged: no slope other than zero, no intercept, or a table of another length than declared",
        "export the series again from the archive",
    ),
    "CT_WITHOUT_RESCALE": Reason(
        "a CT series does not say how its values become Hounsfield units, or is in another unit",
        "give the original images from the scanner",
    ),
    "NON_SQUARE_PIXELS": Reason(
        "the radiograph's pixels are not square, and it does not say how large they are",
        "state both sizes with --spacing ROWS,COLUMNS; or export it from the archive with its pixel spacing",
    ),
    # DICOM: accepted, flagged
    "SPACING_UNVERIFIED": Reason(
        "two slices give one distance, which nothing confirms", "check the slice distance that is reported"
    ),
    "DUPLICATE_DROPPED": Reason(
        "a slice was there twice, pixel for pixel; one copy was left out", "nothing, if copies are expected"
    ),
    "GAPS_INTERPOLATED": Reason("missing slices were interpolated, as asked for", "look at the image where slices were missing"),
    "TILT_RESAMPLED": Reason(
        "tilted slices were resampled to a right-angled grid, as asked for; what lies outside them has the smallest value",
        "look at the image's edges",
    ),
    "OVERLAPPING_SLICES": Reason("slices are thicker than the distance between them", "nothing; the distance alone is used"),
    "GAPPED_ACQUISITION": Reason(
        "slices are thinner than the distance between them: what lies between was not imaged",
        "expect a larger error for small structures",
    ),
    "DERIVED_IMAGE": Reason("the image was computed from others, or captured", "prefer the original images"),
    "BURNED_IN_ANNOTATION": Reason("the image says that text is burned into its pixels", "look for text in the region measured"),
    "PADDING_REPLACED": Reason(
        "pixels outside of the field of view were marked as such; they were given the smallest value of the others", "nothing"
    ),
    "PADDING_UNCERTAIN": Reason(
        "pixels outside of the field of view were marked before a lossy compression, and can no longer be told; they were left",
        "look at the image's edges, or give the original images",
    ),
    "CALIBRATION_UNSTATED": Reason(
        "the radiograph's pixel spacing does not say in which plane it holds",
        "compare a length that you know, or read sizes as relative",
    ),
    "MAGNIFIED": Reason(
        "the spacing holds in the detector's plane; what was nearer to the X-ray tube is smaller than measured",
        "divide lengths by the magnification at the structure's depth, areas by its square",
    ),
    "POLARITY_CONTRADICTED": Reason(
        "the radiograph says two things of whether high values are bright; its photometric interpretation was used",
        "look at the image: bone should be bright",
    ),
    "LOSSY_COMPRESSED": Reason("the image was compressed with loss", "prefer the original images"),
    "RESAMPLED_TO_FIRST": Reason(
        "the second series lies on another grid and was resampled to that of the first", "look at both in the report"
    ),
    "PARTIAL_COVERAGE": Reason(
        "the second series does not cover all of the first; where it is missing it has its smallest value",
        "see whether the structure lies where both are",
    ),
    # What the task expects
    "NOT_THIS_KIND": Reason("the bundle measures another kind of image", "use a bundle made for this kind of image"),
    "WRONG_CHANNELS": Reason(
        "the picture has another number of colour channels than the bundle reads",
        "give the picture as it was taken (colour or grey)",
    ),
    "CONSTANT_IMAGE": Reason("the image has one value everywhere", "check the export; there is nothing to measure"),
    "CHANNELS_OFF_GRID": Reason(
        "the channels do not lie on one grid",
        "resample them to one grid; nothing is moved here without being asked",
    ),
    "SPACING_NOT_MEASURED": Reason(
        "the image's voxels are larger or smaller than those that the bundle measures",
        "give the scan at the resolution it was taken with; thick slices cannot be measured by a bundle of thin ones",
    ),
    "STATED_SPACING_MISMATCH": Reason(
        "the spacing stated has another number of axes than the image",
        "state one number, or one for each axis: rows, columns for pictures; x, y, z for volumes",
    ),
    "LOW_RESOLUTION": Reason(
        "the picture is too small for the structures that are measured",
        "give the picture at the size it was taken, not a thumbnail",
    ),
    "NO_FIELD_OF_VIEW": Reason(
        "no bright round field on a dark surround was found in the picture",
        "give a fundus photograph whose whole field of view is visible",
    ),
    "FIELD_OF_VIEW_MISMATCH": Reason(
        "the image, or the box stated, is larger or smaller than the region that the bundle measures",
        "say where the structure is: --point X,Y,Z takes the bundle's own box around it, --roi takes a box of yours (mm)",
    ),
    "ROI_OUTSIDE_IMAGE": Reason(
        "the box or the point lies outside the image, in part or wholly",
        "state it in mm of the image's own space, RAS as in NIfTI (DICOM and ITK turn the sign of the first two)",
    ),
    "ROI_CUT_AT_BORDER": Reason(
        "the box around the point reaches over the image's edge and was cut there",
        "see in the report whether the whole structure lies in what is left",
    ),
    "REGION_UNREADABLE": Reason(
        "the file given for the box or the point is damaged, or is no mask",
        "give a mask as NIfTI, MetaImage, NRRD or DICOM segmentation, or the contours of an RTSTRUCT",
    ),
    "AMBIGUOUS_REGION": Reason(
        "the file given for the box or the point holds several segments or contoured structures",
        "save the one that is meant as a file of its own",
    ),
    "EMPTY_REGION": Reason("the mask or the contours given for the box or the point are empty", "give one that is not"),
    "REGION_OTHER_FRAME": Reason(
        "the mask or the contours were drawn in another frame of reference than the image's, so places do not correspond",
        "give a region that was drawn on this image, or numbers",
    ),
    # The command line
    "WRONG_USAGE": Reason("the command's options do not fit together", "see caveat COMMAND --help"),
    "BUNDLE_NOT_FOUND": Reason(
        "there is no bundle of this name, and no bundle folder at this path", "see caveat info for the names"
    ),
    # Weights and bundles
    "WEIGHTS_REFUSED": Reason(
        "the file of weights is missing, or is no plain state dictionary of this network",
        "restore the weights that came with the bundle",
    ),
    "WEIGHTS_HASH_MISMATCH": Reason(
        "the sha256 of the weights is not the one on the bundle's list",
        "restore the weights that came with the bundle",
    ),
    "WEIGHTS_NOT_FINITE": Reason("weights are not finite numbers (NaN or infinite)", "restore the weights, or train again"),
    "BUNDLE_NOT_TRUSTED": Reason(
        "a bundle is code, and this one is neither shipped nor on the list of those allowed",
        "read the bundle; if you trust it, put its hash on the list",
    ),
    # Results
    "NOTHING_FOUND": Reason("nothing was found; this is not a measurement of zero", "look at the image and its maps"),
    "GRID_MATTERS": Reason(
        "the value on the image's own grid differs by more than 1 % from that on the network's grid",
        "look at both values; the image's resolution limits the measurement",
    ),
    "LANDMARK_OUTSIDE_IMAGE": Reason(
        "a landmark was found at the edge of the image or beyond it, where the image does not show it",
        "do not use this landmark's position; see in the result which it is, and look at the image",
    ),
    "TOUCHES_BORDER": Reason(
        "the structure reaches the border of what was measured, so part of it may lie beyond",
        "see in the report whether it is cut; give the whole series, or a larger box",
    ),
    "NO_CALIBRATION_RECORD": Reason(
        "no calibration record fits these weights and settings, so draws are shown without an interval",
        "calibrate with caveat calibrate, or use the bundle's own settings",
    ),
    "OUT_OF_RANGE": Reason(
        "the study is unlike those the record was calibrated on, so its interval is withheld",
        "see in the report which check failed and look at the image; the value stands without an interval",
    ),
    "GATE_SCORE_MISSING": Reason(
        "too many calibration units lack a score that the gate is to check",
        "predict them again with the bundle's own settings, or leave the check out of the bundle's calibrate.yaml",
    ),
    "FEATURE_REFERENCE_MISMATCH": Reason(
        "the gate's reference of encoder features belongs to other weights, so the distance to it is not known",
        "build the reference again from predictions of these weights",
    ),
    "NON_FINITE_OUTPUT": Reason(
        "the network's output is not finite (NaN or infinite)", "check the weights, or try --precision float32"
    ),
    "OUTPUT_NOT_WRITABLE": Reason(
        "the output folder cannot be written to",
        "choose another folder outside the input, and check its access rights and free space",
    ),
    # Evaluation
    "NOT_PREDICTED": Reason(
        "the list names an image for which the predictions hold no result",
        "run caveat predict on the list's images into this folder, or choose the split that was predicted",
    ),
    "NO_TRUTH": Reason(
        "the list names no label for the image, or one that is not there",
        "give one label per rater of the bundle's evaluate.yaml, and set CAVEAT_DATA to the folder of the list's paths",
    ),
    "LABEL_OFF_GRID": Reason(
        "a label does not lie on the grid of its image",
        "give labels with the image's own shape, spacing and orientation",
    ),
    "LABEL_WITHOUT_CLASS": Reason(
        "a label lacks a class that the bundle measures, or holds a value that is none of its classes",
        "give labels numbered as the bundle's metadata names them, with every class in each",
    ),
    "POINTS_INCOMPLETE": Reason(
        "a table of points lacks a landmark that the bundle measures, names one twice, or holds no finite coordinates",
        "give columns rater, name, axis0, axis1 with one row a rater and landmark, named as the bundle names them",
    ),
    "DUPLICATE_PREDICTION": Reason(
        "the predictions hold more than one result for the same image",
        "keep one result per image in the folder",
    ),
    "MIXED_PREDICTIONS": Reason(
        "the predictions were made by different weights or samplers",
        "evaluate each run in a folder of its own",
    ),
    # Calibration
    "TOO_FEW_UNITS": Reason(
        "there are too few calibration units for an interval at this level",
        "calibrate on as many patients as are asked for, or choose a lower level",
    ),
    "UNITS_SEEN_IN_TRAINING": Reason(
        "calibration units were seen in training or early stopping, where errors are smaller than on new images",
        "calibrate on patients that the weights have never seen",
    ),
    "UNITS_SEEN_IN_CALIBRATION": Reason(
        "the record was made of units that it is to be checked on, where its coverage says nothing",
        "check it on other patients; if they are others, give each a unit's name of their own",
    ),
    "NON_FINITE_DRAWS": Reason(
        "a value or a draw of a stored prediction is no finite number",
        "predict the image again, and leave result.json as it was written",
    ),
    "MISSING_STUDY_SCORE": Reason(
        "the conformity score needs a study score that the prediction does not have",
        "predict the images again with the bundle's own settings",
    ),
    "RECORD_EDITED": Reason(
        "a calibration record is damaged, or was changed after it was made",
        "restore the record, or make it again with caveat calibrate",
    ),
    "RECORD_MISMATCH": Reason(
        "the calibration record was made with other weights or settings, so the interval is withheld",
        "use the settings of the record, or calibrate with caveat calibrate",
    ),
    "RECORD_AMBIGUOUS": Reason(
        "two calibration records in one folder are valid for the same measurement, weights and settings",
        "keep one of them in the folder, or name its file with --record",
    ),
    "EMPTY_INTERVAL": Reason(
        "the two ends of the interval have crossed; their midpoint is given for both",
        "look at the draws: they scatter far more than the errors of the calibration units",
    ),
    "UNEXPECTED_ERROR": Reason(
        "the program failed on this study in a way that was not foreseen",
        "report the code and how the image was made; the other studies are not affected",
    ),
}


class StudyRefused(Exception):
    """A study that cannot be measured correctly; the batch goes on.

    Args:
        code: a key of `REASONS`.
        found: what was found, in numbers; never a word from the file.

    Raises:
        ValueError: the code is not in the table.
    """

    def __init__(self, code: str, found: str = "") -> None:
        if code not in REASONS:
            raise ValueError(f"{code!r} is no reason code")
        self.code = code
        self.found = found
        super().__init__(f"{code}: {found or REASONS[code].meaning}")

    def __reduce__(self) -> tuple[type[StudyRefused], tuple[str, str]]:
        """Pickled by its arguments, so that it crosses processes unchanged."""
        return type(self), (self.code, self.found)
