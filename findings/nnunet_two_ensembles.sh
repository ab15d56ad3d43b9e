#!/bin/sh
# nnU-Net has two ensembles of the same folds, and they are not the same prediction.
#
# Expected: nnU-Net's guide (documentation/how_to_use_nnunet.md, "Run inference" and "Ensembling multiple configurations") calls both
#   an ensemble: what nnUNetv2_predict gives of all folds, which is its default, and what nnUNetv2_ensemble makes of the stored
#   probabilities of any number of predictions. Of the same folds and the same image one would expect the same mask.
# Seen (nnunetv2 2.8.1): the first averages the folds' logits (in half precision) and applies the softmax once, the second averages
#   their probabilities. Labels and volumes differ wherever folds disagree. Which one a published figure is of has to be asked.
# The three folds here have random weights, so they disagree much: the size of the difference says nothing of trained ones.
# Exits with 0 while this is so.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" --quiet install torch==2.13.0 nnunetv2==2.8.1 nibabel==5.4.2 numpy==2.4.6
cd "$place"
cat > trained.py <<'PYTHON'
"""A folder as nnU-Net's trainer leaves it, of networks with random weights, and an image."""
import json
from pathlib import Path

import nibabel
import numpy as np
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

same = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
network = {
    "n_stages": 2, "features_per_stage": [4, 8], "conv_op": "torch.nn.modules.conv.Conv3d", "kernel_sizes": [[3, 3, 3]] * 2,
    "strides": [[1, 1, 1], [2, 2, 2]], "n_conv_per_stage": [1, 1], "n_conv_per_stage_decoder": [1], "conv_bias": True,
    "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d", "norm_op_kwargs": {"eps": 1e-5, "affine": True},
    "dropout_op": None, "dropout_op_kwargs": None, "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True},
}
full = {
    "data_identifier": "tiny", "preprocessor_name": "DefaultPreprocessor", "batch_size": 2, "patch_size": [16, 16, 16],
    "median_image_size_in_voxels": [24.0, 24.0, 24.0], "spacing": [1.0, 1.0, 1.0], "normalization_schemes": ["ZScoreNormalization"],
    "use_mask_for_norm": [False], "batch_dice": False,
    "architecture": {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet", "arch_kwargs": network,
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    },
}
for what in ("data", "seg", "probabilities"):
    full[f"resampling_fn_{what}"] = "resample_data_or_seg_to_shape"
    full[f"resampling_fn_{what}_kwargs"] = same | {"is_seg": what == "seg"}
plans = {
    "dataset_name": "Dataset001_Tiny", "plans_name": "nnUNetPlans", "original_median_spacing_after_transp": [1.0, 1.0, 1.0],
    "original_median_shape_after_transp": [24, 24, 24], "image_reader_writer": "SimpleITKIO", "transpose_forward": [0, 1, 2],
    "transpose_backward": [0, 1, 2], "configurations": {"3d_fullres": full}, "experiment_planner_used": "ExperimentPlanner",
    "label_manager": "LabelManager", "foreground_intensity_properties_per_channel": {"0": {"mean": 1.0, "std": 1.0}},
}
dataset = {"channel_names": {"0": "MRI"}, "labels": {"background": 0, "organ": 1}, "numTraining": 3, "file_ending": ".nii.gz"}
folder = Path("trained")
folder.mkdir()
(folder / "plans.json").write_text(json.dumps(plans))
(folder / "dataset.json").write_text(json.dumps(dataset))
manager = PlansManager(plans)
for fold in range(3):
    torch.manual_seed(fold)
    made = nnUNetTrainer.build_network_architecture(manager, manager.get_configuration("3d_fullres"), 1, 2, enable_deep_supervision=True)
    weights = {name: tensor * 3 if name.endswith("weight") else tensor for name, tensor in made.state_dict().items()}
    checkpoint = {
        "network_weights": weights, "optimizer_state": {}, "grad_scaler_state": None, "logging": {}, "_best_ema": 0.5, "current_epoch": 1,
        "init_args": {"plans": plans, "configuration": "3d_fullres", "fold": fold, "dataset_json": dataset},
        "trainer_name": "nnUNetTrainer", "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    (folder / f"fold_{fold}").mkdir()
    torch.save(checkpoint, folder / f"fold_{fold}" / "checkpoint_final.pth")
Path("images").mkdir()
voxels = np.random.default_rng(0).normal(size=(24, 24, 24)).astype(np.float32)
nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), "images/case_0000.nii.gz")
PYTHON
run() { nnUNet_raw=. nnUNet_preprocessed=. nnUNet_results=. OMP_NUM_THREADS=1 "$place/venv/bin/$@" > run.log 2>&1 || { tail -20 run.log; exit 1; }; }
run python trained.py
for folds in "0" "1" "2" "0 1 2"; do
    run nnUNetv2_predict_from_modelfolder -i images -o "of $folds" -m trained -f $folds -device cpu --save_probabilities -npp 1 -nps 1
done
run nnUNetv2_ensemble -i "of 0" "of 1" "of 2" -o merged -np 1
"$place/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import nibabel
import numpy as np

print("nnunetv2", version("nnunetv2"))
masks = {name: np.asarray(nibabel.load(f"{name}/case.nii.gz").dataobj) for name in ("of 0", "of 1", "of 2", "of 0 1 2", "merged")}
print("voxels of the organ:", {name: int(mask.sum()) for name, mask in masks.items()})
folds = [np.load(f"of {fold}/case.npz")["probabilities"].astype(np.float64) for fold in range(3)]
both = np.load("of 0 1 2/case.npz")["probabilities"]
logits = np.mean([np.log(one[1] / one[0]) for one in folds], axis=0)
off = {"logits": abs(1 / (1 + np.exp(-logits)) - both[1]).max(), "probabilities": abs(np.mean(folds, axis=0)[1] - both[1]).max()}
print("largest difference of nnUNetv2_predict's probability of all folds from that of the mean:", {of: float(f"{one:.2g}") for of, one in off.items()})
differ = int((masks["of 0 1 2"] != masks["merged"]).sum())
print(f"labels that differ between nnUNetv2_predict of all folds and nnUNetv2_ensemble: {differ} of {masks['merged'].size}")
sys.exit(not (differ > 0 and off["logits"] < 0.01 < 0.1 < off["probabilities"]))
PYTHON
