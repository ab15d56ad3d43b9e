"""Debian's Orthanc on loopback, with a configuration and a folder of its own, ended by its number."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from free_port import free_port
from pydicom import Dataset

from caveat.pacs.access import access
from caveat.pacs.archive import Archive

PLUGINS = "/usr/lib/orthanc"
UP_S, STABLE_S = 30.0, 1


@dataclass
class Orthanc:
    """Args: folder: of its own, made if it is not there."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Orthanc:
        """On the port it had before, else on a free one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        settings = {
            "StorageDirectory": "db",
            "IndexDirectory": "db",
            "HttpPort": self.port,
            "DicomServerEnabled": False,
            "RemoteAccessAllowed": False,
            "StableAge": STABLE_S,
            "Plugins": [str(path) for path in Path(PLUGINS).glob("libOrthancDicomWeb.so*")],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        (self.folder / "orthanc.json").write_text(json.dumps(settings), encoding="ascii")
        program = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
        with open(self.folder / "log.txt", "ab") as log:
            self.process = subprocess.Popen([program, "orthanc.json"], cwd=self.folder, stdout=log, stderr=log)
        end = time.monotonic() + UP_S
        while time.monotonic() < end:
            try:
                requests.get(f"{self.url}/system", timeout=5).raise_for_status()
                return self
            except requests.RequestException:
                time.sleep(0.1)
        raise RuntimeError("Orthanc did not come up")

    def kill(self) -> None:
        """At once, as a machine that loses its power."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def push(self, objects: list[Dataset]) -> None:
        """By STOW."""
        for one in objects:
            one.preamble = b"\0" * 128
        answer = Archive(access(self.url), "/dicom-web").client.store_instances(objects)
        if len(answer.ReferencedSOPSequence) != len(objects):
            raise RuntimeError("Orthanc did not take all objects")

    def get(self, path: str) -> Any:
        """JSON."""
        return requests.get(f"{self.url}{path}", timeout=30).json()

    def wait_until_stable(self) -> None:
        """Until every series has come to rest."""
        while not all(self.get(f"/series/{key}")["IsStable"] for key in self.get("/series")):
            time.sleep(0.1)

    def stored(self, sop_instance: str) -> bytes:
        """An object as it lies there."""
        (found,) = requests.post(f"{self.url}/tools/lookup", data=sop_instance, timeout=30).json()
        return requests.get(f"{self.url}/instances/{found['ID']}/file", timeout=30).content

    def modalities(self) -> list[str]:
        """Of its series, sorted."""
        return sorted(self.get(f"/series/{key}")["MainDicomTags"]["Modality"] for key in self.get("/series"))
