"""What of nnU-Net's own code is used, in one place: `pip install 'caveat[nnunet]'`."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..reasons import StudyRefused

BYTES_A_VALUE = 2 + 8 + 4
"""Of one class of one element: logits in half precision, their copy where they are resampled, the probability."""
TRIED, MOST_TRIED = 8, 2**30
"""Elements of a side of the study by which a network is tried out, and bytes that its answer may take."""


class NnunetCode:
    """One configuration of a trained nnU-Net v2.

    Args:
        plans, dataset: what plans.json and dataset.json hold, which were looked through: they name classes that are made.
        configuration: such as "3d_fullres".
        mirror_axes: that it mirrors along; empty for none.
        device: that windows are computed on.

    Raises:
        StudyRefused: EXTRA_NOT_INSTALLED.
    """

    def __init__(
        self,
        plans: Mapping[str, Any],
        dataset: Mapping[str, Any],
        configuration: str,
        mirror_axes: Sequence[int],
        device: torch.device,
    ) -> None:
        try:
            with quiet():
                from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
                from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
                from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
                from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
        except ImportError as error:
            raise StudyRefused("EXTRA_NOT_INSTALLED", "nnunetv2 is needed") from error
        self.dataset = dict(dataset)
        self.plans = PlansManager(dict(plans))
        self.setting = self.plans.get_configuration(configuration)
        self.labels = self.plans.get_label_manager(self.dataset)
        self.channels = determine_num_input_channels(self.plans, self.setting, self.dataset)
        self.network = nnUNetTrainer.build_network_architecture(
            self.plans, self.setting, self.channels, self.labels.num_segmentation_heads, enable_deep_supervision=False
        )
        on_gpu = device.type == "cuda"
        axes = tuple(mirror_axes) or None
        with quiet():
            self.predictor = nnUNetPredictor(0.5, True, bool(mirror_axes), on_gpu, device, allow_tqdm=False)
            self.predictor.manual_initialization(self.network, self.plans, self.setting, None, self.dataset, "", axes)

    def load(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Raises: StudyRefused: WEIGHTS_REFUSED: they are of another network than the plans describe."""
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise StudyRefused("WEIGHTS_REFUSED", "they are not of the network that the plans describe") from error

    def try_out(self) -> None:
        """A tiny study all the way, through one window with the weights that were loaded last: what plans say of preprocessing,
        windows and resampling is used only then.

        Raises:
            ValueError: it would be too large for its size. Whatever nnU-Net raises on plans that it did not write.
        """
        voxels = np.random.default_rng(0).random((self.channels, *[TRIED] * 3), dtype=np.float32)
        spacing = [1.0] * 3
        if self.bytes_needed(voxels.shape[1:], spacing) > MOST_TRIED:
            raise ValueError("the network's grid is far finer than a study's")
        mirroring, self.predictor.use_mirroring = self.predictor.use_mirroring, False
        try:
            found = self.probabilities(self.logits(self.network.state_dict(), voxels, spacing), voxels, spacing)
        finally:
            self.predictor.use_mirroring = mirroring
        if found.shape != (self.labels.num_segmentation_heads, *voxels.shape[1:]):
            raise ValueError("an answer of another shape than the study")

    def logits(self, weights: Mapping[str, torch.Tensor], voxels: np.ndarray, spacing: Sequence[float]) -> torch.Tensor:
        """One fold's answer on the network's grid, in half precision. Args: voxels: (C, z, y, x). spacing: mm, z, y, x."""
        self.load(weights)
        with quiet(), torch.no_grad():
            data, _ = self._prepared(voxels, spacing)
            return self.predictor.predict_sliding_window_return_logits(torch.from_numpy(data)).cpu()

    def probabilities(self, logits: torch.Tensor, voxels: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
        """On the image's own grid. Returns: (classes, z, y, x) float32."""
        from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape as export

        with quiet():
            _, properties = self._prepared(voxels, spacing)
            threads = torch.get_num_threads()
            _, found = export(logits.numpy(), self.plans, self.setting, self.labels, properties, True, threads)
        return np.asarray(found, dtype=np.float32)

    def bytes_needed(self, shape: Sequence[int], spacing: Sequence[float]) -> int:
        """What one fold's answer takes, on the larger of both grids. Args: shape: z, y, x of the image."""
        wanted = self.setting.spacing
        own = [spacing[axis] for axis in self.plans.transpose_forward]
        target = [*own[: len(own) - len(wanted)], *wanted]
        on_network = math.prod(
            math.ceil(shape[axis] * own[place] / target[place]) for place, axis in enumerate(self.plans.transpose_forward)
        )
        return BYTES_A_VALUE * self.labels.num_segmentation_heads * max(on_network, math.prod(shape))

    def _prepared(self, voxels: np.ndarray, spacing: Sequence[float]) -> tuple[np.ndarray, dict[str, Any]]:
        """The last study is kept: every fold sees the same."""
        key = (id(voxels), tuple(spacing))
        if getattr(self, "_last", (None,))[0] != key:
            preprocessor = self.setting.preprocessor_class(verbose=False)
            stated: dict[str, Any] = {"spacing": list(spacing)}
            data, _, properties = preprocessor.run_case_npy(voxels, None, stated, self.plans, self.setting, self.dataset)
            self._last = (key, voxels, data, properties)  # with the voxels, so that no other array takes their place
        return self._last[2], self._last[3]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What it prints is no result, and may quote a path."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
