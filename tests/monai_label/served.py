"""`caveat label` in a process of its own on a free port of this machine, ended by its number."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from free_port import free_port

UP_S = 300.0


@dataclass
class Served:
    """Args: studies: folder or URL. bundles: names or paths. place: for logs and trainings. options: more of the command."""

    studies: str
    bundles: list[str]
    place: Path
    options: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0

    def __enter__(self) -> Served:
        self.port = free_port()
        command = [sys.executable, "-m", "caveat", "label", "--studies", self.studies, "--bundles", ",".join(self.bundles)]
        where = ["--port", str(self.port), "--trained", str(self.place / "trained"), "--device", "cpu"]
        with open(self.place / "log.txt", "wb") as log:
            self.process = subprocess.Popen(
                [*command, *where, *self.options], stdout=log, stderr=log, env=os.environ | self.environment
            )
        end = time.monotonic() + UP_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                requests.get(f"{self.url}/info/", timeout=5).raise_for_status()
                return self
            except requests.RequestException:
                time.sleep(0.5)
        self.__exit__()
        raise RuntimeError((self.place / "log.txt").read_text(errors="replace")[-4000:])

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def url(self) -> str:
        """Of the server."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """JSON."""
        answer = requests.get(f"{self.url}{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def wait_for(self, task: str, seconds: float = 1200.0) -> dict[str, Any]:
        """A task of the server, such as "scoring", until it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.get(f"/{task}/")
            if state["status"] not in ("SUBMITTED", "RUNNING"):
                return state
            time.sleep(1)
        raise TimeoutError(task)
