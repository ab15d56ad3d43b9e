"""XNet as published, and the simplified SegNet beside it."""

from __future__ import annotations

import pytest
import torch

from caveat.networks.backbones.segnet import SegNet
from caveat.networks.backbones.xnet import XNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.place import Place
from caveat.networks.samplers.dropout import DropoutSampler


@pytest.mark.parametrize("kernel_size,parameters", [(5, 32_576_323), (3, 11_734_851)])
def test_it_has_the_published_number_of_parameters(kernel_size, parameters):
    with torch.device("meta"):
        network = XNet(1, 3, kernel_size=kernel_size)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_the_published_network_learns_in_one_step():
    torch.manual_seed(0)
    network = XNet(1, 3)
    optimizer = torch.optim.RMSprop(network.parameters(), lr=1e-4, weight_decay=5e-4)
    image, label = torch.randn(1, 1, 16, 16), torch.randint(3, (1, 16, 16))
    losses = []
    for _ in range(2):
        loss = torch.nn.functional.cross_entropy(network(image), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters() if parameter.ndim > 1)
    assert losses[1] < losses[0]


def test_encode_and_decode_are_forward():
    torch.manual_seed(0)
    network = XNet(2, 4, channels=(3, 4, 5, 6), kernel_size=3, dropout=0.3).eval()
    windows = torch.randn(2, 2, 24, 32)
    with torch.no_grad():
        answer = network(windows)
        copies = network.decode(network.encode(windows), copies=2)
    assert answer.shape == (2, 4, 24, 32)
    torch.testing.assert_close(copies, answer.repeat(2, 1, 1, 1), atol=1e-6, rtol=1e-5)


def test_dropout_in_its_second_half_makes_draws():
    torch.manual_seed(0)
    sampler = DropoutSampler(XNet(1, 3, channels=(4, 6, 8, 10), kernel_size=3, dropout=0.5)).eval()
    windows, places = torch.randn(1, 1, 16, 16), [Place((0, 0), (16, 16), (16, 16))]
    with torch.no_grad():
        draws = sampler.decode(sampler.encode(windows, places, None), first_draws(3, seed=0), places, None)
    assert draws.shape == (3, 1, 3, 16, 16)
    assert not torch.equal(draws[0], draws[1]) and not torch.equal(draws[1], draws[2])


@pytest.mark.parametrize("network,stride", [(XNet(1, 3, (2, 2, 2, 2), 3), 8), (SegNet(1, 3, (2, 2, 2, 2)), 16)])
def test_a_window_off_the_stride_is_an_error(network, stride):
    with pytest.raises(ValueError, match=f"stride {stride}"):
        network(torch.zeros(1, 1, stride + 4, stride))


def test_segnet_unpools_to_where_the_maximum_was():
    network = SegNet(1, 1, channels=(1,), kernel_size=1).eval()
    with torch.no_grad():
        for level in (network.down[0][0], network.up[0][0], network.head):
            level.weight.fill_(1.0)
            level.bias.zero_()
        image = torch.tensor([[0.0, 1, 0, 0], [0, 0, 0, 2]])[None, None]
        answer = network(image)[0, 0]
    torch.testing.assert_close(answer, torch.tensor([[0.0, 1, 0, 0], [0, 0, 0, 2]]), atol=1e-4, rtol=1e-4)
