#!/usr/bin/env bash
# pyjpegls: a 16-bit array whose values all fit one byte is encoded as another picture.
#
# Expected: `encode_array` takes "an ndarray containing the image data" and is lossless by default (its docstring), so decoding gives
# the array back, whatever its values; ITU-T T.87 codes 2 to 16 bits a sample.
# Seen (pyjpegls 1.5.1): the number of bits is taken from the array's largest value. Where that is 255 or less the codestream has up to
# eight bits, and CharLS is given the array's two-byte items as single bytes: it codes the first half of them, every second one zero.
# No exception, no warning. An array with one value of 256 or more is right.
# Exit status: 0 while it is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pyjpegls==1.5.1" "numpy==2.2.6"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import jpeg_ls
import numpy as np

print("pyjpegls", version("pyjpegls"), "numpy", np.__version__)
same = {}
for largest in (60, 255, 256, 4095):
    picture = (np.arange(34 * 40) % (largest + 1)).reshape(34, 40).astype(np.uint16)
    picture[-1, -1] = largest
    decoded = jpeg_ls.decode(np.frombuffer(jpeg_ls.encode_array(picture), dtype=np.uint8))
    same[largest] = bool(np.array_equal(decoded, picture))
    print(f"largest value {largest}: decoded as encoded: {same[largest]}; first row {decoded.ravel()[:6].tolist()}")
sys.exit(0 if same == {60: False, 255: False, 256: True, 4095: True} else 1)
PYTHON
