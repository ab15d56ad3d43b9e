"""A folder, or an archive that speaks DICOMweb, as MONAI Label's datastores, with what ours needs of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cachetools import TTLCache, cached
from monailabel.config import settings
from monailabel.datastore.dicom import DICOMWebDatastore
from monailabel.datastore.local import DataModel, ImageLabelModel, LocalDatastore
from monailabel.interfaces.datastore import DefaultLabelTag
from pydicom import Dataset

from ..reasons import StudyRefused
from ..transforms.objects.about import MANUFACTURER
from ..transforms.output.study_folder import folder_name
from .refusal import answer_of
from .saved_label import check_label

Classes = Sequence[Mapping[str, int]]
"""Of each bundle that is served, its classes' values by name."""


class FolderDatastore(LocalDatastore):
    """What is saved is looked at first, and no image takes another's place."""

    classes: Classes = ()

    def add_image(self, image_id: str, image_filename: str, image_info: dict[str, Any]) -> str:
        """Raises: HTTPException: a refusal."""
        own, extension = self._to_id(Path(image_filename).name)
        name = _plain(image_id or own)
        place = Path(self._datastore.image_path()) / self._filename(name, extension)
        if name in self.list_images() or os.path.lexists(place):  # also a list of the datastore's own
            raise answer_of(StudyRefused("WRONG_USAGE", "the datastore has an image of this name"))
        return super().add_image(image_id, image_filename, image_info)

    def save_label(self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any]) -> str:
        """Raises: HTTPException: a refusal."""
        _check(self, image_id, label_filename, label_tag, label_info)
        return super().save_label(image_id, label_filename, label_tag, label_info)


class ArchiveDatastore(DICOMWebDatastore):
    """Series are read as they are, by our own reader, so that they can be refused; and a segmentation that caveat pushed is no
    label: an image of which the archive has no other one is still to be annotated. What is saved is looked at first."""

    classes: Classes = ()

    @cached(cache=TTLCache(maxsize=16, ttl=settings.MONAI_LABEL_DICOMWEB_CACHE_EXPIRY))
    def get_labeled_images(self, label_tag: str | None = None, labels: list[str] | None = None) -> list[str]:
        """Series to which a segmentation of somebody else refers."""
        images = set(self.list_images())
        return sorted({image for image in map(self._annotated, self._segmentations()) if image in images})

    def get_unlabeled_images(self, label_tag: str | None = None, labels: list[str] | None = None) -> list[str]:
        """The others."""
        return sorted(set(self.list_images()) - set(self.get_labeled_images()))

    def update_image_info(self, image_id: str, info: dict[str, Any]) -> None:
        """Also of a series that was not converted, which the stock datastore does not know."""
        if image_id in self.list_images():
            self._datastore.objects.setdefault(image_id, ImageLabelModel(image=DataModel()))
        super().update_image_info(image_id, info)

    def save_label(
        self, image_id: str, label_filename: str, label_tag: str, label_info: dict[str, Any], label_id: str = ""
    ) -> str:
        """See `DICOMWebDatastore`. Raises: HTTPException: a refusal."""
        _check(self, image_id, label_filename, label_tag, label_info)
        self.update_image_info(image_id, {})
        return super().save_label(image_id, label_filename, label_tag, label_info, label_id)

    def _segmentations(self) -> list[Dataset]:
        """The first object of every segmentation series."""
        found = [Dataset.from_json(one) for one in self._client.search_for_series(search_filters={"Modality": "SEG"})]
        named = [(str(one["StudyInstanceUID"].value), str(one["SeriesInstanceUID"].value)) for one in found]
        return [Dataset.from_json(self._client.retrieve_series_metadata(*names)[0]) for names in named]

    @staticmethod
    def _annotated(segmentation: Dataset) -> str:
        """The series that it is a label of; "" where it is ours, or does not say."""
        if str(segmentation.get("Manufacturer", "")) == MANUFACTURER or not segmentation.get("ReferencedSeriesSequence"):
            return ""
        return str(segmentation.ReferencedSeriesSequence[0].SeriesInstanceUID)


def _plain(name: str) -> str:
    """A client's name for an image or a kind of label, which names a place in the datastore. Raises: HTTPException: another."""
    try:
        return folder_name(name)
    except ValueError:
        raise answer_of(StudyRefused("WRONG_USAGE", "a name of an image, or a tag, is a path")) from None


def _check(store: FolderDatastore | ArchiveDatastore, image: str, file: str, tag: str, info: Mapping[str, Any]) -> None:
    """Of a final label; what the server keeps under other tags are answers of ours. Raises: HTTPException."""
    try:
        if image not in store.list_images():
            raise StudyRefused("UNREADABLE_FILE", "the datastore has no such image")
        _plain(tag)
        if tag == DefaultLabelTag.FINAL:
            check_label(Path(file), Path(store.get_image_uri(image)), info or {}, store.classes)
    except StudyRefused as refusal:
        raise answer_of(refusal) from None
