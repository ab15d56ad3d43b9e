"""A trained nnU-Net v2 folder with random weights: odd spacing, transposed axes, windows smaller than the image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch

RESAMPLING = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
LABELS = {"background": 0, "front": 1, "back": 2}
DATASET = {"channel_names": {"0": "MRI"}, "labels": LABELS, "numTraining": 4, "file_ending": ".nii.gz"}


def plans() -> dict[str, Any]:
    """Plans of a tiny network for volumes."""
    convolution, norm = "torch.nn.modules.conv.Conv3d", "torch.nn.modules.instancenorm.InstanceNorm3d"
    kernels = [[3, 3, 3]] * 2
    arguments = {
        "n_stages": 2,
        "features_per_stage": [4, 8],
        "conv_op": convolution,
        "kernel_sizes": kernels,
        "strides": [[1, 1, 1], [2, 2, 2]],
        "n_conv_per_stage": [1, 1],
        "n_conv_per_stage_decoder": [1],
        "conv_bias": True,
        "norm_op": norm,
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }
    configuration = {
        "data_identifier": "tiny",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [8, 12, 12],
        "median_image_size_in_voxels": [24.0, 30.0, 28.0],
        "spacing": [1.5, 1.0, 1.25],
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": RESAMPLING,
        "resampling_fn_seg_kwargs": RESAMPLING | {"is_seg": True, "order": 1},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": RESAMPLING | {"order": 1},
        "architecture": {
            "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
            "arch_kwargs": arguments,
            "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
        },
        "batch_dice": False,
    }
    return {
        "dataset_name": "Dataset001_Tiny",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [1.0, 1.0, 1.0],
        "original_median_shape_after_transp": [36, 30, 35],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [2, 0, 1],
        "transpose_backward": [1, 2, 0],
        "configurations": {"3d_fullres": configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": {"mean": 1.0, "std": 1.0}},
    }


def write_folder(folder: Path, folds: int = 3) -> Path:
    """Write one as the trainer leaves it. Needs nnunetv2."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    folder.mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(plans()))
    (folder / "dataset.json").write_text(json.dumps(DATASET))
    manager = PlansManager(plans())
    setting = manager.get_configuration("3d_fullres")
    for fold in range(folds):
        torch.manual_seed(fold)
        network = nnUNetTrainer.build_network_architecture(manager, setting, 1, len(LABELS), enable_deep_supervision=True)
        weights = {name: tensor * 3 if name.endswith("weight") else tensor for name, tensor in network.state_dict().items()}
        weights["decoder.seg_layers.0.bias"] = torch.tensor([-2.0, 0.2, 0.0])  # so that something is found
        checkpoint = {
            "network_weights": weights,
            "optimizer_state": {},
            "grad_scaler_state": None,
            "logging": {"ema_fg_dice": [np.float64(0.5)]},
            "_best_ema": np.float64(0.5),
            "current_epoch": 1,
            "init_args": {"plans": plans(), "configuration": "3d_fullres", "fold": fold, "dataset_json": DATASET},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": (0, 1, 2),
        }
        (folder / f"fold_{fold}").mkdir()
        torch.save(checkpoint, folder / f"fold_{fold}" / "checkpoint_final.pth")
    return folder


def write_training_set(folder: Path, trained: Path, cases: list[str], folds: int = 3) -> Path:
    """Write the images and labels that a folder was trained with, and its folds' validation, case i in fold i % folds."""
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True)
    (folder / "dataset.json").write_text(json.dumps(DATASET))
    for number, case in enumerate(cases):
        image = folder / "imagesTr" / f"{case}_0000.nii.gz"
        write_case(image, folder / "labelsTr" / f"{case}.nii.gz", seed=number)
        write_validation(trained, number % folds, case, image)
    for fold in range(folds):
        write_summary(trained / f"fold_{fold}" / "validation", folder / "labelsTr")
    return folder


def write_summary(validation: Path, labels: Path) -> None:
    """What nnU-Net writes last: how large and how good each mask of a fold is, by its own code."""
    from nnunetv2.evaluation.evaluate_predictions import compute_metrics, save_summary_json
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO

    masks = sorted(validation.glob("*.nii.gz"))
    cases = [compute_metrics(str(labels / mask.name), str(mask), SimpleITKIO(), [1, 2]) for mask in masks]
    for case in cases:
        case["metrics"] = {label: {name: float(value) for name, value in one.items()} for label, one in case["metrics"].items()}
    save_summary_json({"metric_per_case": cases, "mean": {}}, str(validation / "summary.json"))


def write_case(image: Path, label: Path, seed: int) -> None:
    """A volume with two structures, of another size and spacing each."""
    generator = np.random.default_rng(seed)
    labels = np.zeros((14, 12, 10), np.uint8)
    labels[4 : 9 + seed % 3, 3:9, 3:7] = 1
    labels[4 : 9 + seed % 3, 3 : 5 + seed % 4, 3:7] = 2
    affine = np.diag([1.0, 1.0, 1.5 + 0.1 * (seed % 3), 1.0])
    nibabel.save(nibabel.Nifti1Image(labels, affine), label)
    voxels = labels + generator.normal(0, 0.3, labels.shape)
    nibabel.save(nibabel.Nifti1Image(voxels.astype(np.float32), affine), image)


def write_validation(trained: Path, fold: int, case: str, image: Path, mirror: bool = True) -> None:
    """What a fold's own validation leaves of a case, by nnU-Net's own predictor."""
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(0.5, True, mirror, False, torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(trained), (fold,), "checkpoint_final.pth")
    voxels, properties = SimpleITKIO().read_images([str(image)])
    labels = predictor.predict_single_npy_array(voxels, properties, None, None, False)
    place = trained / f"fold_{fold}" / "validation"
    place.mkdir(exist_ok=True)
    SimpleITKIO().write_seg(labels, str(place / f"{case}.nii.gz"), properties)
