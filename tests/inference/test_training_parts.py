"""What a training is made of besides MONAI's own parts."""

from __future__ import annotations

import pytest
import torch
from monai.engines import SupervisedTrainer
from torch import nn

from caveat.inference.training.autocast_inferer import AutocastInferer
from caveat.inference.training.clip_gradients import ClipGradients


@pytest.mark.parametrize(("max_norm", "moved"), [(0.5, 0.5), (100.0, 2.0)])
def test_a_long_gradient_is_clipped_and_a_short_one_is_not(max_norm, moved):
    network = nn.Linear(1, 1, bias=False)
    before = network.weight.item()
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=[{"image": torch.ones(1, 1), "label": torch.zeros(1, 1)}],
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=1.0),
        loss_function=lambda prediction, label: 2 * prediction.sum(),
        train_handlers=[ClipGradients(max_norm)],
    )
    trainer.run()
    assert before - network.weight.item() == pytest.approx(moved, rel=1e-5)


def test_another_method_of_the_network_can_be_trained():
    class Network(nn.Linear):
        def twice(self, windows: torch.Tensor) -> torch.Tensor:
            return 2 * self(windows)

    network, windows = Network(2, 2), torch.rand(3, 2)
    assert torch.equal(AutocastInferer(None)(windows, network), network(windows))
    assert torch.equal(AutocastInferer(None, method="twice")(windows, network), 2 * network(windows))
    assert AutocastInferer(torch.bfloat16, method="twice")(windows, network).dtype == torch.float32
