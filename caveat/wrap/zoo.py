"""A bundle of MONAI's model zoo, or one of its kind: network, preprocessing, windows and link as literals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import monai.networks.nets
from monai.bundle import ConfigParser
from torch import nn

from ..bundle_folders import read_metadata
from ..reasons import StudyRefused
from .literals import Literals, is_off
from .members import Members
from .network_parts import fetches_weights, is_network_part
from .of_strangers import of_strangers
from .preprocessing import UNREAD, of_one_key, taken_over
from .task import Task
from .weights_file import WeightsFile
from .wrapped import Wrapped, class_names

CONFIGS = ("inference.json", "inference.yaml", "inference.yml")
NETWORKS = ("monai.networks.", "torch.nn.")
"""What may be named as a network, or as a part of one."""
MASKS = ("segmentation", "labels")
"""What metadata call an answer that is a mask."""
TRANSFORMS = "preprocessing#transforms"
LINKS = ("softmax", "sigmoid")
BLENDINGS = ("constant", "gaussian")
PROGRAM = "TorchScript, in place of network_def: a program, which ran now and runs in every prediction"
LEFT_OUT = ("Activations", "AsDiscrete", "Invert", "SaveImage", "EnsureType", "ToDevice", "Ensure")
"""Of a postprocessing: what we do ourselves."""


@dataclass(frozen=True)
class Zoo:
    """Args:
    folder: of the bundle, with `configs/` and `models/`.
    name: of the bundle to be.
    weights: files, where they lie elsewhere than in models/model.pt.
    classes: names, background first, where the metadata have none.
    said: entries of its config in place of programs, see `Literals`.
    flip_axes: that augmentation mirrors.
    truth, licence: words; "" where nothing was said.
    """

    folder: Path
    name: str
    weights: Sequence[Path] = ()
    classes: Sequence[str] = ()
    said: Mapping[str, Any] = field(default_factory=dict)
    flip_axes: Sequence[int] = ()
    truth: str = ""
    licence: str = ""

    @of_strangers("its config or metadata are not as bundles of MONAI have them")
    def wrap(self) -> Wrapped:
        """Take the bundle over.

        Raises:
            StudyRefused: SOURCE_NOT_WRAPPED, NETWORK_NOT_BUILT, NETWORK_UNFIT, WEIGHTS_REFUSED, WEIGHTS_NOT_FINITE.
        """
        config, metadata = self._config(), self._metadata()
        image, pred = _format(metadata, "inputs", "image"), _format(metadata, "outputs", "pred")
        if pred.get("format") not in MASKS:
            raise StudyRefused(
                "SOURCE_NOT_WRAPPED",
                "the bundle's metadata name no output `pred` that is a segmentation: it stands in configs/metadata.json under "
                'network_data_format, outputs, pred, as "format": "segmentation" and the classes as "channel_def"',
            )
        definition = allowed_network(config.of("network_def"))
        windows = windows_of(config, axes=len(image.get("spatial_shape") or [0, 0]))
        link = link_of(config, pred)
        volumes = len(windows["roi_size"]) == 3
        steps, orientation = taken_over(config.of(TRANSFORMS, UNREAD), volumes)
        task = Task(
            name=self.name,
            classes=self._classes(pred, link),
            channels=int(image.get("num_channels", 1)),
            volumes=volumes,
            link=link,
            modality=image.get("modality", "other") if image.get("modality") in ("CT", "MR") else "other",
            truth=self.truth,
            licence=self.licence or "as the source's own LICENSE says",
        )
        files = [WeightsFile.of(path) for path in self.weights or [self._model()]]  # what text says was refused by now
        networks = [file.load(None if file.torchscript else build(definition)) for file in files]
        on_slices = volumes and windows["roi_size"][-1] == 1
        members = Members(networks, files, task.channels, task.answers, windows["roi_size"], 1, on_slices, self.flip_axes)
        members.check()
        settings: dict[str, Any] = {
            "backbone": definition,
            "preprocessing::transforms": steps,
            "+inferer": {**windows, "link": link},
        }
        if orientation:
            settings["orient::axcodes"] = orientation
        taken = [
            ("source", f"MONAI bundle, version {metadata.get('version', 'not stated')}"),
            ("network", PROGRAM if files[0].torchscript else f"`{definition['_target_']}`, from network_def"),
            ("weights", ", ".join(f"sha256 {file.sha256[:12]}..., {file.size} bytes" for file in files)),
            ("preprocessing", ", ".join(step["_target_"] for step in steps if isinstance(step, dict)) or "none"),
            (
                "window",
                f"{windows['roi_size']}, overlap {windows['overlap']}, {windows['blending']} weights, link {link}",
            ),
        ]
        return task.wrapped(members, settings, taken, self._left(config))

    def _config(self) -> Literals:
        found = [self.folder / "configs" / name for name in CONFIGS if (self.folder / "configs" / name).is_file()]
        if not found:
            raise StudyRefused("SOURCE_NOT_WRAPPED", "the folder has no configs/inference.json or .yaml")
        return Literals.read(found[0], self.said)

    def _metadata(self) -> dict[str, Any]:
        try:
            return read_metadata(self.folder)
        except (OSError, ValueError) as error:
            raise StudyRefused("SOURCE_NOT_WRAPPED", "the folder has no configs/metadata.json, or it is no JSON") from error

    def _model(self) -> Path:
        for name in ("model.pt", "model.ts"):
            if (self.folder / "models" / name).is_file():
                return self.folder / "models" / name
        raise StudyRefused("WEIGHTS_REFUSED", "models/ has no model.pt and no model.ts; name the file with --weights")

    def _classes(self, pred: Mapping[str, Any], link: str) -> list[str]:
        if self.classes:
            return list(self.classes)
        stated = pred.get("channel_def") or {}
        if not stated or set(stated) != {str(index) for index in range(len(stated))}:
            raise StudyRefused("SOURCE_NOT_WRAPPED", "channel_def does not name the classes: name them with --classes")
        names = class_names([str(stated[str(index)]) for index in range(len(stated))], "channel_def")
        return names if link == "softmax" else ["background", *names]

    def _left(self, config: Literals) -> list[str]:
        """What is done to the mask or the windows that we do not do."""
        found = []
        for step in _steps(config, "postprocessing"):
            kind = str(step.get("_target_", "a program")).rpartition(".")[2].removesuffix("d").removesuffix("D")
            if kind not in LEFT_OUT:
                found.append(f"postprocessing: {kind}; what is measured is the mask without it")
        padding = (config.as_stated("inferer") or {}).get("padding_mode", "constant")
        if padding != "constant":
            found.append(f"inferer: padding_mode {padding}; a study smaller than the window is filled with zeros")
        return found


def build(definition: Mapping[str, Any]) -> nn.Module:
    """Raises: StudyRefused: NETWORK_NOT_BUILT."""
    try:
        network = ConfigParser({"network_def": dict(definition)}).get_parsed_content("network_def")
    except Exception as error:  # arguments that this version of MONAI does not take, and the like
        cause = error.__cause__ or error
        unknown = re.search(r"unexpected keyword argument '(\w+)'", str(cause))
        way_out = f"; leave it out with --set network_def#{unknown[1]}=" if unknown else ""
        raise StudyRefused("NETWORK_NOT_BUILT", f"{type(cause).__name__}: {cause}{way_out}") from error
    if not isinstance(network, nn.Module):
        raise StudyRefused("NETWORK_NOT_BUILT", f"network_def is a {type(network).__name__}")
    return network


def allowed_network(definition: Any) -> dict[str, Any]:
    """The definition with full paths, of MONAI's and torch's own networks alone. Raises: StudyRefused: SOURCE_NOT_WRAPPED."""
    if not isinstance(definition, Mapping) or "_target_" not in definition:
        raise StudyRefused("SOURCE_NOT_WRAPPED", "network_def describes no network")
    return _allowed(definition)


def _allowed(value: Any) -> Any:
    if isinstance(value, list):
        return [_allowed(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _allowed(one) for key, one in value.items()}
    unknown = [key for key in found if str(key).startswith("_") and key != "_target_"]
    target = found.get("_target_")
    if "." not in str(target) and hasattr(monai.networks.nets, str(target)):
        target = f"monai.networks.nets.{target}"
    if unknown or "_target_" in found and not is_network_part(target, NETWORKS):
        raise StudyRefused("SOURCE_NOT_WRAPPED", "network_def names code that is neither MONAI's nor torch's, and is not run")
    if "_target_" not in found:
        return found
    if fetches_weights(str(target), found):
        name = str(target).rpartition(".")[2]
        raise StudyRefused(
            "SOURCE_NOT_WRAPPED", f"{name} fetches weights from elsewhere when it is made: say --set network_def#pretrained=false"
        )
    return found | {"_target_": target}


def windows_of(config: Literals, axes: int) -> dict[str, Any]:
    """`roi_size`, `overlap` and `blending` of our inferer.

    Args:
        axes: of an image, where its inferer sees it whole and does not say.

    Raises:
        StudyRefused: SOURCE_NOT_WRAPPED.
    """
    stated = config.of("inferer")
    kind = str(stated.get("_target_", "")).rpartition(".")[2] if isinstance(stated, Mapping) else ""
    if kind == "SlidingWindowInferer":
        roi, slices = stated.get("roi_size"), []
    elif kind == "SliceInferer" and stated.get("spatial_dim") == 2:
        roi, slices = stated.get("roi_size"), [1]
    elif kind == "SimpleInferer":
        roi, slices = _resized(config, axes), []
    else:
        raise StudyRefused("SOURCE_NOT_WRAPPED", "its inferer is neither a sliding window, nor of slices along the last axis")
    if not isinstance(roi, list) or len(roi) + len(slices) not in (2, 3):
        raise StudyRefused("SOURCE_NOT_WRAPPED", "its window does not say a size for each of two or three axes")
    blending = stated.get("mode", "constant")
    if blending not in BLENDINGS or not all(isinstance(number, int | float) for number in (*roi, stated.get("overlap", 0))):
        raise StudyRefused("SOURCE_NOT_WRAPPED", f"its windows are not stated in numbers and one of {', '.join(BLENDINGS)}")
    sizes = [int(extent) for extent in roi] + slices
    return {"roi_size": sizes, "overlap": float(stated.get("overlap", 0.25)), "blending": blending}


def _resized(config: Literals, axes: int) -> Any:
    """The size that every image is brought to: a network that sees it whole may take no other."""
    for step in config.of(TRANSFORMS, UNREAD):
        if isinstance(step, Mapping) and str(step.get("_target_", "")).rpartition(".")[2].lower().startswith("resize"):
            return step.get("spatial_size")
    return [-1] * axes


def link_of(config: Literals, pred: Mapping[str, Any]) -> str:
    """The link, which only the postprocessing says. Raises: StudyRefused: SOURCE_NOT_WRAPPED."""
    steps = list(_steps(config, "postprocessing"))
    told = [(link, of_one_key(step[link]), step) for step in steps for link in LINKS if step.get(link)]
    if any(isinstance(said, str) for _, value, step in told for said in (value, step.get("_disabled_"))):
        raise StudyRefused(
            "SOURCE_NOT_WRAPPED",
            "its postprocessing says by a program whether softmax or sigmoid follows; say it with --set, "
            "such as --set postprocessing#transforms#0#sigmoid=true",
        )
    links = {link for link, value, _ in told if value}
    if len(links) == 1:
        return links.pop()
    first = str((pred.get("channel_def") or {}).get("0", "")).strip().lower()
    if not links and all(steps) and first == "background":
        return "softmax"
    raise StudyRefused("SOURCE_NOT_WRAPPED", "neither its postprocessing nor its classes say whether softmax or sigmoid follows")


def _steps(config: Literals, name: str) -> Iterator[dict[str, Any]]:
    """Transforms of a `Compose`, a list or a single one, as they stand in the file: they are looked at and never made.

    References are followed, also of what a transform is told; one that is a program is empty, one that is switched off left out.
    """
    found = config.as_stated(name)
    if isinstance(found, list):
        for number in range(len(found)):
            yield from _steps(config, f"{name}#{number}")
    elif isinstance(found, Mapping):
        step = {key: config.as_stated(f"{name}#{key}") for key in found}
        if is_off(step):
            return
        if "transforms" in step:
            yield from _steps(config, f"{name}#transforms")
        else:
            yield step
    elif found is not None:
        yield {}


def _format(metadata: Mapping[str, Any], side: str, name: str) -> Mapping[str, Any]:
    found = metadata.get("network_data_format", {}).get(side, {}).get(name, {})
    return found if isinstance(found, Mapping) else {}
