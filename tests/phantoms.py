"""Small images made by formula: a fundus photograph, volumes, and files with one defect each."""

from __future__ import annotations

import gzip
import struct
import zlib
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image
from scipy import ndimage

SPACING_MM = (0.9, 1.2, 2.5)


def fundus(rows: int = 180, columns: int = 190, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photograph like a fundus: a bright round field with dark curved vessels on a dark surround.

    Returns:
        (rows, columns, 3) uint8; its vessels (rows, columns) bool; its field of view (rows, columns) bool.
    """
    random = np.random.default_rng(seed)
    row, column = np.mgrid[:rows, :columns].astype(float)
    radius = 0.46 * min(rows, columns)
    down, right = (row - rows / 2) / radius, (column - columns / 2) / radius
    field = down**2 + right**2 < 1
    vessels = np.zeros_like(field)
    for curve in random.uniform(-1, 1, (6, 3)):
        vessels |= np.abs(down - 0.7 * curve[0] - 0.5 * curve[1] * right - 0.5 * curve[2] * right**2) < 0.025
    vessels &= field
    colour = np.array([190.0, 95.0, 45.0])
    light = (1 - 0.25 * (down**2 + right**2))[..., None] * colour - 45.0 * vessels[..., None]
    photograph = np.where(field[..., None], light, 4.0) + random.normal(0, 2, (rows, columns, 3))
    return np.clip(photograph, 0, 255).astype(np.uint8), vessels, field


def picture_bytes(pixels: np.ndarray | Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """A picture as Pillow writes it. Args: pixels: (rows, columns) or (rows, columns, channels)."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def write_fundus(path: Path, seed: int = 0, rows: int = 450, columns: int = 470) -> Path:
    """A fundus photograph as a file; its extension says the format."""
    path.write_bytes(_fundus_file(path.suffix, seed, rows, columns))
    return path


@cache
def _fundus_file(suffix: str, seed: int, rows: int, columns: int) -> bytes:
    """One that many tests ask for is compressed once."""
    file = BytesIO()
    Image.fromarray(fundus(rows, columns, seed)[0]).save(file, format=Image.registered_extensions()[suffix])
    return file.getvalue()


def cephalogram(rows: int = 240, columns: int = 194, seed: int = 0) -> np.ndarray:
    """A film like a lateral cephalogram: a bright skull with a face to its right, a jaw and a spine, on a dark ground.

    Returns:
        (rows, columns) uint8.
    """
    random = np.random.default_rng(seed)
    down, right = np.mgrid[:rows, :columns] / np.array([rows, columns])[:, None, None] + random.uniform(-0.02, 0.02, (2, 1, 1))
    skull = np.hypot((down - 0.35) / 0.28, (right - 0.45) / 0.38)
    jaw = np.hypot((down - 0.72) / 0.12, (right - 0.62) / 0.22)
    film = 30 + 60 * (skull < 1) + 90 * (np.abs(skull - 1) < 0.06) + 70 * (jaw < 1) + 80 * (np.abs(jaw - 1) < 0.12)
    film += 70 * ((np.abs(right - 0.35) < 0.06) & (down > 0.6)) + 50 * (np.hypot(down - 0.42, right - 0.45) < 0.05)
    return np.clip(film * random.uniform(0.8, 1.2) + random.normal(0, 4, film.shape), 0, 255).astype(np.uint8)


def write_cephalogram(path: Path, seed: int = 0) -> Path:
    """A cephalogram as a file; its extension says the format."""
    Image.fromarray(cephalogram(seed=seed)).save(path)
    return path


def nuclei(
    rows: int = 200, columns: int = 216, count: int = 24, radius: float = 9.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A fluorescence picture: bright ellipses on dark ground, on a grid that is a little shaken, so that few touch.

    Returns:
        (rows, columns) uint8; the nuclei's numbers, int (rows, columns), from 1.
    """
    random = np.random.default_rng(seed)
    down, right = np.mgrid[:rows, :columns].astype(float)
    across = int(np.ceil(np.sqrt(count * columns / rows)))
    pitch = np.array([rows / np.ceil(count / across), columns / across])
    numbers, light = np.zeros((rows, columns), int), np.full((rows, columns), 8.0)
    for number in range(count):
        middle = (np.divmod(number, across) + np.array([0.5, 0.5]) + random.uniform(-0.1, 0.1, 2)) * pitch
        turn, long = random.uniform(0, np.pi), random.uniform(1.0, 1.25)
        along = (down - middle[0]) * np.cos(turn) + (right - middle[1]) * np.sin(turn)
        beside = (right - middle[1]) * np.cos(turn) - (down - middle[0]) * np.sin(turn)
        distance = np.hypot(along / long, beside * long)
        numbers[(distance < radius) & (numbers == 0)] = number + 1
        light = np.maximum(light, random.uniform(90, 140) / (1 + np.exp(np.clip((distance - radius) / 0.6, -50, 50))))
    return np.clip(light + random.normal(0, 1.5, light.shape), 0, 255).astype(np.uint8), numbers


def write_nuclei(path: Path, seed: int = 0) -> Path:
    """A fluorescence picture as a file; its extension says the format."""
    Image.fromarray(nuclei(seed=seed)[0]).save(path)
    return path


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file, with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def raw_png(pixels: np.ndarray, colour_type: int, *extra: bytes, size: tuple[int, int] | None = None) -> bytes:
    """A PNG written by hand, 8 or 16 bits as the array has: what Pillow cannot write.

    Args:
        pixels: (rows, columns, channels), uint8 or uint16.
        colour_type: 0 grey, 2 RGB, 4 grey with alpha, 6 RGB with alpha.
        extra: chunks between header and pixels.
        size: rows, columns to declare, where they are to be other than the array's.
    """
    rows, columns = size or pixels.shape[:2]
    depth = 8 * pixels.dtype.itemsize
    lines = pixels.astype(pixels.dtype.newbyteorder(">"))
    content = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines))
    header = struct.pack(">IIBBBBB", columns, rows, depth, colour_type, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", header), *extra, png_chunk(b"IDAT", content), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def ellipsoid(shape: tuple[int, int, int] = (12, 10, 8), seed: int = 0) -> np.ndarray:
    """A bright ellipsoid on noise. Returns: (x, y, z) int16."""
    random = np.random.default_rng(seed)
    axes = np.ogrid[tuple(slice(0, size) for size in shape)]
    distance = sum(((axis - (size - 1) / 2) / (0.35 * size)) ** 2 for axis, size in zip(axes, shape, strict=True))
    return np.where(distance < 1, 900, 100).astype(np.int16) + random.integers(-20, 20, shape).astype(np.int16)


def oblique_affine(spacing_mm: tuple[float, float, float] = SPACING_MM, left_handed: bool = False) -> np.ndarray:
    """Axes turned by 20 and 35 degrees, an origin off zero. Returns: (4, 4), mm."""
    a, b = np.deg2rad(20), np.deg2rad(35)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.diag(spacing_mm) @ np.diag([-1 if left_handed else 1, 1, 1])
    affine[:3, 3] = -11, 7, 3
    return affine


def nifti_bytes(
    voxels: np.ndarray | None = None,
    affine: np.ndarray | None = None,
    version: int = 1,
    big_endian: bool = False,
    extra: bytes = b"",
    **fields: Any,
) -> bytes:
    """A NIfTI file.

    Args:
        voxels: as stored; an ellipsoid by default.
        affine: in sform (code 1) and pixdim; oblique by default. The qform is not coded.
        version: 1 or 2.
        big_endian: byte order.
        extra: bytes behind the voxels.
        fields: of the header, set last, unchecked, whatever they make of it. `sform` and `qform` take an affine and code it.
    """
    voxels = ellipsoid() if voxels is None else voxels
    affine = oblique_affine() if affine is None else affine
    image = (nib.Nifti1Image if version == 1 else nib.Nifti2Image)(voxels, affine, dtype=voxels.dtype)
    order = ">" if big_endian else "<"
    header = type(image.header)(endianness=order)
    header.set_data_dtype(voxels.dtype)
    header.set_data_shape(voxels.shape)
    header.set_zooms((np.linalg.norm(affine[:3, :3], axis=0).tolist() + [1] * 4)[: voxels.ndim])
    header.set_sform(affine, code=1)
    header.set_xyzt_units("mm")
    header["magic"] = b"n+1" if version == 1 else b"n+2"
    header["vox_offset"] = 352 if version == 1 else 544
    for name, value in fields.items():
        if name in ("sform", "qform"):
            getattr(header, f"set_{name}")(value, code=1)
    for name, value in fields.items():
        if name not in ("sform", "qform"):
            header[name] = value
    return header.binaryblock + b"\0\0\0\0" + voxels.astype(voxels.dtype.newbyteorder(order)).tobytes(order="F") + extra


def write_nifti(path: Path, **options: Any) -> Path:
    """A NIfTI file, compressed where its name says so. Args: options: as of `nifti_bytes`."""
    data = nifti_bytes(**options)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def metaimage_bytes(voxels: np.ndarray | None = None, big_endian: bool = False, compressed: bool = False, **fields: Any) -> bytes:
    """A MetaImage file on the oblique grid. Args: fields: of the header, as text; None leaves one out."""
    voxels = ellipsoid() if voxels is None else voxels
    types = {"u1": "MET_UCHAR", "i2": "MET_SHORT", "i4": "MET_INT", "f4": "MET_FLOAT"}
    affine = np.diag([-1, -1, 1, 1]) @ oblique_affine()
    header = {
        "ObjectType": "Image",
        "NDims": voxels.ndim,
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": big_endian,
        "CompressedData": compressed,
        "TransformMatrix": _words((affine[:3, :3] / SPACING_MM).T),
        "Offset": _words(affine[:3, 3]),
        "ElementSpacing": _words(SPACING_MM),
        "DimSize": " ".join(map(str, voxels.shape)),
        "ElementType": types[voxels.dtype.str[1:]],
        **fields,
    }
    content = voxels.astype(voxels.dtype.newbyteorder(">" if big_endian else "<")).tobytes(order="F")
    content = zlib.compress(content) if compressed else content
    header |= {"CompressedDataSize": len(content)} if compressed else {}
    header["ElementDataFile"] = header.pop("ElementDataFile", "LOCAL")  # always the last
    text = "".join(f"{name} = {value}\n" for name, value in header.items() if value is not None)
    return text.encode() + content


def nrrd_bytes(voxels: np.ndarray | None = None, big_endian: bool = False, compressed: bool = False, **fields: Any) -> bytes:
    """An NRRD file on the oblique grid, in LPS. Args: fields: of the header, as text; None leaves one out."""
    voxels = ellipsoid() if voxels is None else voxels
    types = {"u1": "uchar", "i2": "short", "i4": "int", "f4": "float"}
    affine = np.diag([-1, -1, 1, 1]) @ oblique_affine()
    header = {
        "type": types[voxels.dtype.str[1:]],
        "dimension": voxels.ndim,
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, voxels.shape)),
        "space directions": " ".join(f"({_words(column, ',')})" for column in affine[:3, :3].T),
        "kinds": "domain domain domain",
        "endian": "big" if big_endian else "little",
        "encoding": "gzip" if compressed else "raw",
        "space origin": f"({_words(affine[:3, 3], ',')})",
        **fields,
    }
    text = "NRRD0004\n" + "".join(f"{name}: {value}\n" for name, value in header.items() if value is not None) + "\n"
    content = voxels.astype(voxels.dtype.newbyteorder(">" if big_endian else "<")).tobytes(order="F")
    return text.encode() + (gzip.compress(content, mtime=0) if compressed else content)


def _words(numbers: Any, between: str = " ") -> str:
    return between.join(repr(float(number)) for number in np.ravel(numbers))


@cache
def defective_files() -> dict[str, tuple[bytes, str]]:
    """Files with one defect each, by name. Returns: their bytes, and the reason code that they must be refused with."""
    photograph = fundus()[0]
    png, jpeg, volume = picture_bytes(photograph), picture_bytes(photograph, "JPEG"), nifti_bytes()
    flat = np.full((40, 50, 3), 7, np.uint8)
    nan = ellipsoid().astype(np.float32)
    nan[3, 4, 5] = np.nan
    return {
        "cut.png": (png[: len(png) // 2], "TRUNCATED"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "TRUNCATED"),
        "empty.png": (b"", "EMPTY_FILE"),
        "text.png": (b"this is no picture", "NOT_AN_IMAGE"),
        "constant.png": (picture_bytes(flat), "CONSTANT_IMAGE"),
        "damaged.png": (png[:200] + bytes([png[200] ^ 255]) + png[201:], "CORRUPT"),
        "huge.png": (raw_png(flat, 2, size=(40_000, 40_000)), "TOO_LARGE"),
        "ink.jpg": (picture_bytes(Image.fromarray(photograph).convert("CMYK"), "JPEG"), "UNSUPPORTED_PIXEL_FORMAT"),
        "cut.nii": (volume[:-100], "TRUNCATED"),
        "longer.nii": (volume + b"\0" * 100, "SIZE_MISMATCH"),
        "cut.nii.gz": (gzip.compress(volume)[:-200], "TRUNCATED"),
        "nan.nii.gz": (gzip.compress(nifti_bytes(nan)), "NON_FINITE_VOXELS"),
        "four.nii.gz": (gzip.compress(nifti_bytes(np.stack([ellipsoid()] * 2, axis=-1))), "NOT_3D"),
        "nowhere.nii.gz": (gzip.compress(nifti_bytes(sform_code=0)), "NO_ORIENTATION"),
        "dicom.dcm": (b"\0" * 128 + b"DICM" + b"\0" * 100, "NOT_DICOM"),
    }


def hippocampus_crop(seed: int = 0, shape: tuple[int, int, int] = (35, 50, 36)) -> tuple[np.ndarray, np.ndarray]:
    """A grey curved body with a white rim and fluid beside it, in smooth tissue, as in a crop around a hippocampus.

    Returns:
        (x, y, z) float32 intensities; labels (x, y, z) uint8, 1 the front and 2 the back of the body.
    """
    random = np.random.default_rng(seed)
    x, y, z = (axis / extent - 0.5 for axis, extent in zip(np.indices(shape).astype(float), shape, strict=True))
    beside = x - (1.25 * y**2 - 0.157)
    across = np.hypot(beside, 1.1 * (z + 0.05 + 0.55 * y)) / (0.15 + 0.09 * y)  # thicker and lower towards the front
    tissue = ndimage.gaussian_filter(random.normal(size=shape), 3)
    image = 125 + 18 * tissue / tissue.std()
    image[(across < 1.5) & (np.abs(y) < 0.4)] = 160
    image[(across >= 1.5) & (across < 1.8) & (np.abs(y) < 0.4) & (beside < 0)] = 40
    body = (across < 1) & (np.abs(y) < 0.36)
    image[body] = 100
    image = ndimage.gaussian_filter(image, 0.6) + random.normal(0, 4, shape)
    return image.astype(np.float32), (body * np.where(y > 0.02, 1, 2)).astype(np.uint8)


def lung_crop(spacing_mm: tuple[float, float, float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Lung with a ball of tissue of 9 mm in it. Returns: (32, 32, 5) int16 Hounsfield units; the ball, uint8."""
    axes = np.ogrid[:32, :32, :5]
    distance = sum(((axis - middle) * spacing) ** 2 for axis, middle, spacing in zip(axes, (15, 16, 2), spacing_mm, strict=True))
    noise = np.random.default_rng(seed).integers(-30, 30, distance.shape)
    return (np.where(distance < 20, 40, -850) + noise).astype(np.int16), (distance < 20).astype(np.uint8)


def write_lung_crop(path: Path, seed: int = 0, spacing_mm: tuple[float, float, float] = (0.8, 0.8, 2.5)) -> Path:
    """A crop around a made-up lung nodule as a NIfTI file, with its outline beside it as NAME_label.nii.gz."""
    image, label = lung_crop(spacing_mm, seed)
    affine = np.diag([-spacing_mm[0], -spacing_mm[1], spacing_mm[2], 1.0])
    write_nifti(path.with_name(path.name.replace(".nii", "_label.nii")), voxels=label, affine=affine)
    return write_nifti(path, voxels=image, affine=affine)


def write_hippocampus_crop(path: Path, seed: int = 0) -> Path:
    """A crop around a made-up hippocampus as a NIfTI file, 1 mm, with its labels beside it as NAME_label.nii.gz."""
    image, labels = hippocampus_crop(seed)
    for voxels, target in ((image, path), (labels, path.with_name(path.name.replace(".nii", "_label.nii")))):
        volume = nib.Nifti1Image(voxels, np.eye(4))
        volume.header.set_xyzt_units("mm")
        nib.save(volume, target)
    return path


HEAD_SPACING_MM = (1.25, 1.25, 5.0)


def head(seed: int = 0, skull: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A head on FLAIR with a bright ball in one hemisphere: scalp, bone, grey rim, white matter, dark ventricles.

    Returns:
        (160, 176, 26) float32 intensities, 1.25 x 1.25 x 5 mm; the ball, uint8.
    """
    random = np.random.default_rng(seed)
    x, y, z = (
        axis - (extent - 1) / 2 for axis, extent in zip(np.indices((160, 176, 26)).astype(float), (160, 176, 26), strict=True)
    )
    radius = np.sqrt((x / 62) ** 2 + (y / 76) ** 2 + ((z + 3) / 15.5) ** 2)
    ventricle = (np.abs(np.abs(x) - 7) < 4) & (np.abs(y) < 22) & (np.abs(z) < 3)
    ball = (x - 26) ** 2 + (y - 12) ** 2 + (4 * (z - 1)) ** 2 < 17**2
    shells = [ball, ventricle, radius < 0.72, radius < 0.82, radius < 0.9, radius < 1]
    image = np.select(shells, [230.0, 20.0, 100.0, 120.0, 8.0 if skull else 0.0, 210.0 if skull else 0.0], 0.0)
    image[image > 0] += random.normal(0, 5, int((image > 0).sum()))
    return np.clip(image, 0, None).astype(np.float32), (ball & (radius < 0.82)).astype(np.uint8)


def write_head(path: Path, seed: int = 0, skull: bool = True) -> Path:
    """A made-up head as a NIfTI file, its ball beside it as NAME_label.nii.gz."""
    image, label = head(seed, skull)
    affine = np.diag([-HEAD_SPACING_MM[0], -HEAD_SPACING_MM[1], HEAD_SPACING_MM[2], 1.0])
    write_nifti(path.with_name(path.name.replace(".nii", "_label.nii")), voxels=label, affine=affine)
    return write_nifti(path, voxels=image, affine=affine)
