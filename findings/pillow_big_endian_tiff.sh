#!/bin/sh
# Pillow turns the bytes of signed and real values round in compressed TIFF files of big-endian order.
#
# Expected: TIFF 6.0, section 2: a file that begins with "MM" has its values from the most significant byte to the least, whatever
#   the compression, so -3 is -3. libtiff, by which Pillow decompresses such files, gives values in the machine's order (the
#   comment in TiffImagePlugin._setup says so too). tifffile reads what it wrote.
# Seen (Pillow 13.0.0, little-endian machine): with deflate, int16 -3, -2, -1 are read as -513, -257, -1; int32 and float32 alike
#   wrong, in silence. The same files without compression are right, and so is uint16: only its raw mode is replaced by that of
#   the machine's order ("I;16N" in TiffImagePlugin), not "I;16BS", "I;32BS" and "F;32BF".
# Exits with 0 while this is so.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" --quiet install pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6
cd "$place"
"$place/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import PIL
import tifffile
from PIL import Image

print("Pillow", PIL.__version__, "on a", sys.byteorder, "endian machine")
wrong = set()
for dtype in ("int16", "int32", "float32", "uint16"):
    for compression in (None, "zlib"):
        values = np.array([[1, 2, 3], [300, 400, 500]], dtype) if dtype == "uint16" else np.array([[-3, -2, -1], [1, 2, 300]], dtype)
        tifffile.imwrite("picture.tif", values, byteorder=">", compression=compression, photometric="minisblack")
        assert np.array_equal(tifffile.imread("picture.tif"), values)
        read = np.asarray(Image.open("picture.tif"))
        print(f"{dtype:8} {compression or 'raw':5} stored {values.ravel().tolist()} read {read.ravel().tolist()}")
        if not np.array_equal(read, values):
            wrong.add((dtype, compression))
sys.exit(wrong != {("int16", "zlib"), ("int32", "zlib"), ("float32", "zlib")})
PYTHON
