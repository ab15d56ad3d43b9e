"""MONAI Label's server with our app: on this machine, without any request to another one but the archive."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import caveat

from ..bundle_folders import find_bundle, read_metadata
from ..say import say
from ..transforms.files.temporary_folder import temporary_folder

MAIN = "import caveat.monai_label.pydicom_alias\nfrom caveat.monai_label.app import LabelApp\n"
"""What MONAI Label looks for the app in; the processes that it starts load it too."""
SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Server:
    """What is served where.

    Args:
        studies: a folder, or the URL of a DICOMweb archive. bundles: names or paths.
        host, port: to listen on. origins: web pages, such as OHIF's, that may ask.
        trained: folder for trainings. cache: folder for what comes from an archive.
        device: as of `caveat predict`.
    """

    studies: str
    bundles: Sequence[str]
    host: str
    port: int
    origins: Sequence[str]
    trained: Path
    cache: Path
    device: str = "auto"

    def run(self) -> None:
        """Serve until stopped. Nothing of monailabel is loaded before its settings are there."""
        home = temporary_folder()
        app = home / "app"
        app.mkdir()
        (app / "main.py").write_text(MAIN, encoding="ascii")
        os.environ.update(self.environment(home))
        tempfile.tempdir = None  # looked up again: uploads go into the folder that nobody else enters
        from . import pydicom_alias  # noqa: F401, I001
        from monailabel.config import settings
        from monailabel.main import Main

        # Not by the environment: from there they are objects that monailabel 0.8 fails to print. None would be every page.
        settings.MONAI_LABEL_CORS_ORIGINS = [f"http://127.0.0.1:{self.port}", *self.origins]
        threading.Thread(target=self._say_when_it_answers, daemon=True).start()
        main = Main(loglevel=logging.WARNING, actions="start_server")
        main.action_start_server(main.args_parser().parse_args(self._arguments(app)))

    def _say_when_it_answers(self) -> None:
        """Half a minute after the start; whoever connects before meets nobody."""
        while True:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
            except OSError:
                time.sleep(SECONDS_BETWEEN_LOOKS)
            else:
                break
        say(f"caveat: http://{self.host}:{self.port} answers")

    def environment(self, home: Path) -> dict[str, str]:
        """Settings of MONAI Label. Args: home: a folder of this process."""
        (home / "uploads").mkdir()
        code = str(Path(caveat.__file__).resolve().parent.parent)  # the same code in the processes that the server starts
        modalities = [read_metadata(find_bundle(one)).get("series", {}) for one in self.bundles]
        wanted = next((one["modality"] for one in modalities if isinstance(one, dict) and "modality" in one), None)
        return {
            "TMPDIR": str(home / "uploads"),
            # Where dcmqi's programs lie, which write labels for an archive.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), *filter(None, [os.environ.get("PATH")])]),
            "PYTHONPATH": os.pathsep.join([code, *filter(None, [os.environ.get("PYTHONPATH")])]),
            "MONAI_LABEL_SESSION_PATH": str(home / "uploads" / "sessions"),
            "MONAI_LABEL_AUTO_UPDATE_SCORING": "false",
            "MONAI_LABEL_TRACKING_ENABLED": "false",
            "MONAI_LABEL_DICOMWEB_CONVERT_TO_NIFTI": "false",
            "MONAI_LABEL_DICOMWEB_CACHE_PATH": str(self.cache.resolve()),
            "MONAI_LABEL_DICOMWEB_CACHE_EXPIRY": "10",
            **({"MONAI_LABEL_DICOMWEB_SEARCH_FILTER": json.dumps({"Modality": wanted})} if wanted else {}),
        } | {name: value for name, value in os.environ.items() if name == "MONAI_LABEL_DICOMWEB_SEARCH_FILTER"}

    def _arguments(self, app: Path) -> list[str]:
        conf = {
            "bundles": os.pathsep.join(str(find_bundle(one)) for one in self.bundles),
            "device": self.device,
            "trained": str(self.trained.resolve()),
            "zoo_source": "local",
            "sam2": "false",
        }
        where = ["--app", str(app), "--studies", self.studies, "--host", self.host, "--port", str(self.port)]
        said = [word for name, value in conf.items() for word in ("--conf", name, value)]
        return ["start_server", *where, *said, "--verbose", "WARNING", "--log_level", "warning"]
