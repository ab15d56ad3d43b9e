#!/bin/sh
# Orthanc never announces as stable a series that arrived less than StableAge before it was restarted.
#
# Expected: Orthanc Book, "Stable resources" (https://orthanc.uclouvain.be/book/faq/features.html#stable-resources): a series is
#   stable once it has received no instance for StableAge seconds; when it becomes stable an event is written to /changes, and
#   IsStable of /series/{id} says so. So whoever follows /changes for StableSeries learns of every series.
# Seen: a series is stored, Orthanc is ended as a service is (SIGTERM) within StableAge and started again on the same storage. It
#   then answers IsStable true at once, and /changes gets no StableSeries, StableStudy or StablePatient of it, however long one
#   waits: the clock lives in the process alone. A series that was left undisturbed has all three.
# Orthanc is that of Debian 12: apt-get install orthanc=1.10.1+dfsg-2+deb12u1. It runs on two ports of this machine alone.
# Exits with 0 while this is so.
set -eu
command -v Orthanc > /dev/null || { echo "needs Orthanc: apt-get install orthanc=1.10.1+dfsg-2+deb12u1"; exit 2; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" --quiet install pydicom==3.0.1
cd "$place"
cat > seen.py <<'PYTHON'
import io
import json
import socket
import subprocess
import time
from pathlib import Path
from urllib.request import Request, urlopen

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

STABLE_AGE, EVENTS = 4, {"StableSeries", "StableStudy", "StablePatient"}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def ask(path, data=None):
    return json.load(urlopen(Request(f"http://127.0.0.1:{http}{path}", data=data)))


def start():
    orthanc = subprocess.Popen(["Orthanc", "orthanc.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(120):
        try:
            ask("/system")
            return orthanc
        except OSError:
            time.sleep(0.5)
    raise SystemExit("Orthanc does not start")


def store(patient):
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID, image.Modality, image.PatientID = SecondaryCaptureImageStorage, "OT", patient
    image.SOPInstanceUID, image.SeriesInstanceUID, image.StudyInstanceUID = (generate_uid() for _ in range(3))
    image.Rows = image.Columns = 2
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation, image.PixelData = 7, 0, bytes(4)
    file = io.BytesIO()
    image.save_as(file, enforce_file_format=True)
    return ask("/instances", file.getvalue())


def said_of(stored):
    own = {stored[key] for key in ("ParentSeries", "ParentStudy", "ParentPatient")}
    events = {change["ChangeType"] for change in ask("/changes?limit=1000")["Changes"] if change["ID"] in own}
    return ask(f"/series/{stored['ParentSeries']}")["IsStable"], sorted(events & EVENTS)


http = free_port()
settings = {"StorageDirectory": "storage", "IndexDirectory": "storage", "StableAge": STABLE_AGE, "HttpPort": http, "Plugins": []}
settings |= {"DicomPort": free_port(), "RemoteAccessAllowed": False, "AuthenticationEnabled": False}
Path("orthanc.json").write_text(json.dumps(settings))
orthanc = start()
try:
    print("Orthanc", ask("/system")["Version"])
    undisturbed = store("1")
    time.sleep(3 * STABLE_AGE)
    print("undisturbed, after three times StableAge:", *said_of(undisturbed))
    assert said_of(undisturbed) == (True, sorted(EVENTS))
    interrupted = store("2")
    orthanc.terminate()
    orthanc.wait()
    orthanc = start()
    time.sleep(5 * STABLE_AGE)
    print("restarted within StableAge, after five times that:", *said_of(interrupted))
    assert said_of(interrupted) == (True, [])
finally:
    orthanc.terminate()
    orthanc.wait()
PYTHON
"$place/venv/bin/python" seen.py
