"""Line integrals through a volume, by ITK."""

from __future__ import annotations

import itk
import numpy as np

from .cone_beam import ConeBeam


def line_integrals(volume: np.ndarray, spacing_mm: float, beam: ConeBeam) -> np.ndarray:
    """Integrate along the ray from the source to each pixel.

    ITK integrates between the middles of the outermost voxels alone, so that half a voxel is lost on either side and the
    border with it: one voxel of zeros around the volume gives both back.

    Args:
        volume: (z, y, x), LPS, not negative: what is negative would not be integrated.
        spacing_mm: of its cubic voxels.

    Returns:
        (rows, columns) float32, in the volume's unit times mm.

    Raises:
        ValueError: a negative value.

    Source: `itk::RayCastInterpolateImageFunction`, the ray casting of ITK's digitally reconstructed radiographs.
    """
    if volume.min() < 0:
        raise ValueError(f"a negative value would be left out: {volume.min()}")
    image = itk.image_from_array(np.pad(volume, 1).astype(np.float32))
    image.SetSpacing([spacing_mm] * 3)
    image.SetOrigin([-(count + 1) / 2 * spacing_mm for count in volume.shape[::-1]])
    kind, identity = type(image), itk.Euler3DTransform[itk.D].New()
    rays = itk.RayCastInterpolateImageFunction[kind, itk.D].New()
    rays.SetInputImage(image)
    rays.SetTransform(identity)
    rays.SetFocalPoint(beam.source.tolist())
    rays.SetThreshold(0.0)
    detector = itk.ResampleImageFilter[kind, kind].New(Input=image, Interpolator=rays, Transform=identity)
    detector.SetSize([*beam.shape[::-1], 1])
    detector.SetOutputSpacing([beam.pitch_mm, beam.pitch_mm, 1.0])
    detector.SetOutputOrigin(beam.pixels()[0, 0].tolist())
    axes = np.stack([beam.along_columns, beam.along_rows, beam.central_ray], axis=1)
    detector.SetOutputDirection(itk.matrix_from_array(axes))
    detector.Update()
    return itk.array_from_image(detector.GetOutput())[0]
