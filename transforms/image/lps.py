"""DICOM's and ITK's space in ours: from left, back and up (LPS) to right, front and up (RAS)."""

from __future__ import annotations

import numpy as np

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
"""Factors of x, y and z."""
