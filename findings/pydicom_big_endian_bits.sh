#!/bin/sh
# pydicom reads pixels of one bit in big-endian words in the order of the bytes, not of the words: pairs of eight pixels change places.
#
# Expected: DICOM PS3.5 2016b, the last with big endian, 8.1.1 and 8.2 (as correction CP-565 words them): pixel cells fill a word from its
#   least significant bit where the VR is OW, a byte where it is OB, and in which order the two bytes of an OW word stand is a
#   matter of the transfer syntax. In big endian a word begins with its most significant byte: pixels 0 to 7 of OW stand in the
#   second byte; those of OB, in the first. The same is said of overlays.
# Seen (pydicom 3.0.2): one bit in OW comes out as if it were OB: of a row of 16 pixels whose first 8 are set, the last 8 are. The
#   same holds for overlays. Words of 8 bits are turned round as they should be (option be_swap_ow), and little endian is right.
# Exits with 0 while this is so.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m pip --quiet install --no-compile --target "$place/packages" pydicom==3.0.2 numpy==2.4.6
cd "$place"
PYTHONPATH="$place/packages" python3 - <<'PYTHON'
import struct
import sys
from io import BytesIO

import pydicom
from pydicom import dcmread

print("pydicom", pydicom.__version__)
BIG, LITTLE = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1"


def element(order, group, number, vr, value):
    value += b"\0" * (len(value) % 2)
    long = vr in (b"OB", b"OW")
    length = struct.pack(order + "HI", 0, len(value)) if long else struct.pack(order + "H", len(value))
    return struct.pack(order + "HH", group, number) + vr + length + value


def file_of(syntax, vr, bits, data):
    """One row of pixels, written byte by byte, with an overlay of 16 columns where the pixels are of one bit."""
    order = ">" if syntax == BIG else "<"
    meta = element("<", 2, 0x10, b"UI", syntax.encode())
    short = {0x02: 1, 0x10: 1, 0x11: 16, 0x100: bits, 0x101: bits, 0x102: bits - 1, 0x103: 0}
    numbers = {number: (b"US", struct.pack(order + "H", value)) for number, value in short.items()}
    image = b"".join(element(order, 0x28, number, *value) for number, value in sorted((numbers | {4: (b"CS", b"MONOCHROME2")}).items()))
    plane = {0x10: 1, 0x11: 16, 0x100: 1, 0x102: 0}
    overlay = b"".join(element(order, 0x6000, number, b"US", struct.pack(order + "H", value)) for number, value in plane.items())
    overlay += element(order, 0x6000, 0x3000, b"OW", data) if bits == 1 else b""
    pixels = element(order, 0x7FE0, 0x10, vr, data)
    sop = element(order, 8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.7.1")
    length = element("<", 2, 0, b"UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + sop + image + overlay + pixels


first = [1] * 8 + [0] * 8  # the word 0x00ff
numbers = list(range(16))
swapped = bytes(number ^ 1 for number in numbers)
CASES = {
    ("little endian", "OW, 1 bit"): (LITTLE, b"OW", 1, b"\xff\x00", first),
    ("big endian", "OB, 1 bit"): (BIG, b"OB", 1, b"\xff\x00", first),
    ("big endian", "OW, 1 bit"): (BIG, b"OW", 1, b"\x00\xff", first),
    ("big endian", "OW, 8 bits"): (BIG, b"OW", 8, swapped, numbers),
}
wrong = set()
for (order, what), (syntax, vr, bits, data, expected) in CASES.items():
    read = dcmread(BytesIO(file_of(syntax, vr, bits, data)))
    found = read.pixel_array.ravel().tolist()
    print(f"{order:13} {what:10} expected {expected} read {found}")
    if found != expected:
        wrong.add((order, what))
    if bits == 1 and vr == b"OW":
        marked = read.overlay_array(0x6000).ravel().tolist()
        print(f"{order:13} overlay    expected {expected} read {marked}")
        if marked != expected:
            wrong.add((order, "overlay"))
sys.exit(wrong != {("big endian", "OW, 1 bit"), ("big endian", "overlay")})
PYTHON
