"""The app that MONAI Label loads: bundles as models, how unsure they are as scores and strategies, `caveat train` as trainer."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from monailabel.config import settings
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.datastore import Datastore, DefaultLabelTag
from monailabel.interfaces.tasks.infer_v2 import InferTask
from monailabel.interfaces.tasks.scoring import ScoringMethod
from monailabel.interfaces.tasks.strategy import Strategy
from monailabel.interfaces.tasks.train import TrainTask
from monailabel.tasks.activelearning.first import First
from monailabel.tasks.activelearning.random import Random

from caveat import __version__

from ..bundle_folders import find_bundle, settings_of
from ..listing.annotation_journal import SAVED, SERVED, SHOWN, Event, note
from ..reasons import StudyRefused
from .datastore import ArchiveDatastore, FolderDatastore
from .doubts import DOUBTS, INFORMATION, WIDTH
from .infer import Infer, kinds_of
from .refusal import answer_of
from .scoring import Doubts
from .segments import class_names
from .strategy import MostDoubtful
from .train import Train

DESCRIPTION = "measurements with error bars; research, not a medical device"


class LabelApp(MONAILabelApp):
    """See `MONAILabelApp`, which has to be the direct base.

    Args:
        app_dir: of the server. studies: folder or URL. conf: `bundles`, names or paths joined as in PATH; `device`; `trained`.
    """

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        self.bundles = [find_bundle(name) for name in conf["bundles"].split(os.pathsep)]
        self.device, self.trained = conf.get("device", "auto"), Path(conf["trained"])
        os.environ.pop("MONAI_LABEL_CORS_ORIGINS", None)  # with it the processes that the server starts cannot print it
        for task in ("train", "scoring", "batch_infer"):  # what their processes print names images
            logging.getLogger(f"task_{task}").setLevel(logging.WARNING)
        super().__init__(app_dir, studies, conf, name="caveat", description=DESCRIPTION, version=__version__)

    def init_infers(self) -> dict[str, InferTask]:
        """Every bundle's mask; nested levels and clicks where it has them."""
        return {f"{one.name}{kind}": Infer(one, kind, self.device) for one in self.bundles for kind in kinds_of(one)}

    def init_trainers(self) -> dict[str, TrainTask]:
        """Bundles that can be trained."""
        trainable = [one for one in self.bundles if (one / "configs" / "train.yaml").is_file()]
        return {one.name: Train(one, self.trained, self.device) for one in trainable}

    def init_scoring_methods(self) -> dict[str, ScoringMethod]:
        """One a bundle; it gives all its numbers."""
        return {f"{one.name}_doubt": Doubts(self._infers[one.name]) for one in self.bundles}

    def init_strategies(self) -> dict[str, Strategy]:
        """Doubt by each number that a bundle has, then what looks at no image."""
        doubtful = {f"{one.name}_{doubt}": MostDoubtful(one.name, doubt) for one in self.bundles for doubt in _doubts(one)}
        return {**doubtful, "random": Random(), "first": First()}

    def init_datastore(self) -> Datastore:
        """A folder or an archive, which knows what a label may hold."""
        if self.studies.startswith(("http://", "https://")):
            store = super().init_datastore()
        else:
            store = FolderDatastore(
                self.studies,
                extensions=settings.MONAI_LABEL_DATASTORE_FILE_EXT,
                auto_reload=settings.MONAI_LABEL_DATASTORE_AUTO_RELOAD,
                read_only=settings.MONAI_LABEL_DATASTORE_READ_ONLY,
            )
        store.classes = [class_names(bundle) for bundle in self.bundles]
        return store

    def init_remote_datastore(self) -> Datastore:
        """A DICOMweb archive."""
        stock = super().init_remote_datastore()
        stock._observer.stop()
        return ArchiveDatastore(
            stock._client, stock._search_filter, settings.MONAI_LABEL_DICOMWEB_CACHE_PATH, stock._fetch_by_frame, False
        )

    def _download_dcmqi_tools(self) -> None:
        """Nothing is downloaded: dcmqi is part of `caveat[label]`."""

    def infer(self, request: dict[str, Any], datastore: Datastore | None = None) -> dict[str, Any]:
        """One image of the datastore, or one that was just uploaded; no other path is read.

        Raises:
            HTTPException: a refusal.
        """
        task = self._infers.get(request.get("model"))
        if task is None:
            raise answer_of(StudyRefused("WRONG_USAGE", "there is no such model"))
        store, image = datastore or self.datastore(), str(request.get("image"))
        known = image in store.list_images()
        path = store.get_image_uri(image) if known else _uploaded(image)
        file, said = task({**request, "image": path})
        self._note(Event(SHOWN, image if known else "", str(request["model"]), said["caveat"]["input"]["sha256"]))
        tag, label = request.get("label_tag") or DefaultLabelTag.ORIGINAL, file
        if known and request.get("save_label"):
            label = store.save_label(image, file, tag, {"model": request["model"], "params": said})
        return {"label": label, "tag": tag, "file": file, "params": said}

    def infer_wsi(self, request: dict[str, Any], datastore: Datastore | None = None) -> dict[str, Any]:
        """Whole slides are not measured. Raises: HTTPException."""
        raise answer_of(StudyRefused("WRONG_USAGE", "whole slides are not measured here"))

    def next_sample(self, request: dict[str, Any]) -> dict[str, Any]:
        """The image to be annotated next, which the journal keeps. Raises: HTTPException: a refusal."""
        if request.get("strategy") and request["strategy"] not in self._strategies:
            raise answer_of(StudyRefused("WRONG_USAGE", f"strategies are {', '.join(self._strategies)}"))
        chosen = super().next_sample(request)
        if chosen:
            self._note(Event(SERVED, chosen["id"], str(request.get("strategy") or "random")))
        return chosen

    def on_save_label(self, image_id: str, label_id: str) -> None:
        """A label came in."""
        self._note(Event(SAVED, image_id))

    def _note(self, event: Event) -> None:
        note(Path(self.datastore()._datastore_path), event)


def _doubts(bundle: Path) -> list[str]:
    """The numbers that a bundle has: landmarks have no map, and without records there is no interval."""
    segments = "measurements" in settings_of(bundle)
    recorded = any((bundle / "calibration").glob("*.json"))
    missing = {*([] if segments else [INFORMATION, WIDTH]), *([] if recorded else [WIDTH])}
    return [doubt for doubt in DOUBTS if doubt not in missing]


def _uploaded(path: str) -> str:
    """A file that the server itself put into its temporary folder, which nobody else enters. Raises: HTTPException."""
    own = os.path.realpath(tempfile.gettempdir())
    real = os.path.realpath(path)
    if not real.startswith(own + os.sep) or not os.path.exists(real):
        raise answer_of(StudyRefused("UNREADABLE_FILE", "the datastore has no such image"))
    return real
