"""Every shipped bundle's deterministic pass leaves as ONNX, as MONAI's users call it, and another runtime computes the same."""

from __future__ import annotations

import json

import pytest
import torch
from monai.bundle import ConfigParser, onnx_export

from caveat.bundle_folders import shipped_bundles

BUNDLES = shipped_bundles()


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLES)
def test_the_network_exports_to_onnx(name, tmp_path):
    import onnxruntime  # for this test alone

    configs, models = BUNDLES[name] / "configs", BUNDLES[name] / "models"
    image = json.loads((configs / "metadata.json").read_text(encoding="utf-8"))["network_data_format"]["inputs"]["image"]
    onnx_export(
        "network_def",
        filepath=str(tmp_path / "model.onnx"),
        ckpt_file=str(models / "model.pt"),
        meta_file=str(configs / "metadata.json"),
        config_file=str(configs / "inference.yaml"),
    )
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert given.shape[1] == image["num_channels"]
    parser = ConfigParser()
    parser.read_config(str(configs / "inference.yaml"))
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(models / "model.pt", weights_only=True))
    window = torch.rand(given.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(window)
    (found,) = session.run(None, {given.name: window.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-5, rtol=1e-5)
