"""What the single samplers promise beyond the contract."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.consistent_dropout import ConsistentDropout
from caveat.networks.draws.draw import Draw, first_draws
from caveat.networks.draws.place import Place
from caveat.networks.draws.sampler import Source
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.samplers.ensemble import Ensemble
from caveat.networks.samplers.gaussian_logits import GaussianLogits
from caveat.networks.samplers.sampler_ensemble import SamplerEnsemble
from caveat.networks.samplers.test_time_augmentation import FlipAndTurn, TestTimeAugmentation, distinct_transforms

PLACES = [Place((0, 0), (16, 16), (32, 32)), Place((16, 16), (16, 16), (32, 32))]


def backbone(dimensions: int = 2, dropout: float = 0.5) -> ResidualUNet:
    torch.manual_seed(3)
    return ResidualUNet(dimensions, 1, 2, channels=(4, 6, 8), units=(1, 2, 1), dropout=dropout).eval()


@torch.no_grad()
def draws_of(sampler, windows: torch.Tensor, draws: list[Draw], places: list[Place] = PLACES) -> torch.Tensor:
    return sampler.decode(sampler.encode(windows, places, None), draws, places, None)


class TestDropoutSampler:
    def test_forward_is_the_backbone_with_dropout_off(self) -> None:
        network, windows = backbone(), torch.rand(2, 1, 16, 16)
        assert torch.equal(DropoutSampler(network)(windows), network(windows))

    def test_a_draw_is_the_backbone_with_its_channels_zeroed(self) -> None:
        """The masks of draw 1 written into the weights: a zeroed channel is a zeroed column of the next convolution."""
        sampler, windows = DropoutSampler(backbone()).eval(), torch.rand(2, 1, 16, 16)
        masked = copy.deepcopy(sampler.backbone)
        for number, layer in enumerate(masked.dropout):
            convolution = masked.up[number][0]
            layer.drawn = type("Drawn", (), {"draws": [Draw(1)], "places": [None]})
            ones = layer(torch.ones(1, convolution.in_channels, 1, 1))
            layer.drawn = None
            convolution.weight.data *= ones
        with torch.no_grad():
            torch.testing.assert_close(draws_of(sampler, windows, first_draws(2))[1], masked(windows))

    def test_a_three_dimensional_study(self) -> None:
        places = [Place((0, 0, 0), (8, 8, 8), (8, 8, 8))]
        logits = draws_of(DropoutSampler(backbone(3)).eval(), torch.rand(1, 1, 8, 8, 8), first_draws(3), places)
        assert logits.shape == (3, 1, 2, 8, 8, 8)

    def test_masks_do_not_depend_on_what_the_sampler_is_part_of(self) -> None:
        alone, part, windows = DropoutSampler(backbone()).eval(), DropoutSampler(backbone()).eval(), torch.rand(2, 1, 16, 16)
        nn.ModuleDict({"some": nn.ModuleDict({"where": part})})
        assert torch.equal(draws_of(alone, windows, first_draws(2)), draws_of(part, windows, first_draws(2)))

    def test_a_copy_draws_the_same(self) -> None:
        sampler, windows = DropoutSampler(backbone()).eval(), torch.rand(2, 1, 16, 16)
        expected = draws_of(sampler, windows, first_draws(2))
        assert torch.equal(expected, draws_of(copy.deepcopy(sampler), windows, first_draws(2)))

    def test_training_uses_torchs_dropout_and_draws_are_refused(self) -> None:
        sampler, windows = DropoutSampler(backbone()).train(), torch.rand(2, 1, 16, 16)
        assert not torch.equal(sampler(windows), sampler(windows))
        with pytest.raises(ValueError, match="evaluation mode"):
            sampler.encode(windows, PLACES, None)

    def test_one_module_left_in_training_mode_is_named(self) -> None:
        sampler = DropoutSampler(backbone()).eval()
        sampler.backbone.up[0][1].train()
        with pytest.raises(ValueError, match=r"backbone\.up\.0\.1"):
            sampler.encode(torch.rand(2, 1, 16, 16), PLACES, None)

    def test_a_backbone_whose_draws_would_be_equal_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no ConsistentDropout"):
            DropoutSampler(backbone(dropout=0.0))

    def test_element_wise_dropout_is_refused(self) -> None:
        network = backbone()
        network.dropout[0] = ConsistentDropout(0.5, elementwise=True)
        with pytest.raises(ValueError, match="DropoutNetwork"):
            DropoutSampler(network)

    def test_summary_is_the_mean_of_the_deepest_features(self) -> None:
        sampler, windows = DropoutSampler(backbone()).eval(), torch.rand(2, 1, 16, 16)
        features = sampler.encode(windows, PLACES, None)
        torch.testing.assert_close(sampler.summary(features), features[-1].mean(dim=(2, 3)))


class TestEnsemble:
    def members(self) -> list[nn.Module]:
        torch.manual_seed(0)
        return [nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 3, padding=1), nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))]

    def test_a_draw_is_its_member_whatever_the_seed(self) -> None:
        members, windows = self.members(), torch.rand(2, 1, 16, 16)
        ensemble = Ensemble(members).eval()
        logits = draws_of(ensemble, windows, [Draw(2, seed=9), Draw(0), Draw(2)])
        for number, member in enumerate((2, 0, 2)):
            assert torch.equal(logits[number], members[member](windows))

    def test_forward_is_the_mean_of_the_logits(self) -> None:
        members, windows = self.members(), torch.rand(2, 1, 16, 16)
        ensemble = Ensemble(members).eval()
        torch.testing.assert_close(ensemble(windows), sum(member(windows) for member in members) / 3)

    def test_weights_are_named_after_the_members_number(self) -> None:
        assert {name.split(".")[0] + "." + name.split(".")[1] for name in Ensemble(self.members()).state_dict()} == {
            "networks.0",
            "networks.1",
            "networks.2",
        }

    def test_members_with_dropout_draw_without_it(self) -> None:
        ensemble, windows = Ensemble([backbone()]).eval(), torch.rand(2, 1, 16, 16)
        assert torch.equal(draws_of(ensemble, windows, [Draw(0)])[0], ensemble.networks[0](windows))

    @pytest.mark.parametrize("index", [3, 100, -1])
    def test_there_is_no_member_beyond_the_last(self, index: int) -> None:
        with pytest.raises(ValueError, match=f"ensemble of 3 has no draw {index}"):
            draws_of(Ensemble(self.members()).eval(), torch.rand(2, 1, 16, 16), [Draw(0), Draw(index)])

    def test_no_member_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            Ensemble([])

    def test_a_member_given_twice_is_refused(self) -> None:
        with pytest.raises(ValueError, match="twice"):
            Ensemble([*self.members(), backbone()] + [nn.Identity()] * 2)

    def test_summary_takes_the_first_members_encoder_or_the_windows(self) -> None:
        windows = torch.rand(2, 1, 16, 16)
        first = backbone()
        for ensemble, expected in ((Ensemble([first]), first.encode(windows)[-1]), (Ensemble(self.members()), windows)):
            features = ensemble.eval().encode(windows, [], None)
            torch.testing.assert_close(ensemble.summary(features), expected.mean(dim=(2, 3)))

    def test_the_gate_costs_no_pass_of_its_own(self) -> None:
        ensemble, runs = Ensemble([backbone(), backbone()]).eval(), []
        for member in ensemble.networks:
            member.down[0].register_forward_hook(lambda *_: runs.append(1))
        windows = torch.rand(2, 1, 16, 16)
        draws_of(ensemble, windows, [Draw(0), Draw(1)])
        runs.clear()
        features = ensemble.encode(windows, [], None)
        ensemble.summary(features)
        drawn = ensemble.decode(features, [Draw(0), Draw(1)], [], None)
        assert len(runs) == 2
        for answer, member in zip(drawn, ensemble.networks, strict=True):
            assert torch.equal(answer, member(windows))


class TestFlipsAndTurns:
    @pytest.mark.parametrize(
        ("dimensions", "flips", "plane", "count"),
        [
            (2, (), None, 1),
            (2, (1,), None, 2),
            (2, (0, 1), None, 4),
            (2, (), (0, 1), 4),
            (2, (0,), (0, 1), 8),
            (2, (0, 1), (0, 1), 8),  # the eight symmetries of a square, and no more
            (3, (0, 1, 2), None, 8),
            (3, (0, 1, 2), (0, 1), 16),
        ],
    )
    def test_number_of_distinct_transforms(self, dimensions: int, flips: tuple, plane: tuple | None, count: int) -> None:
        found = distinct_transforms(dimensions, flips, plane)
        numbered = torch.arange(5**dimensions).reshape(1, 1, *[5] * dimensions)
        assert len(found) == count
        assert len({tuple(transform.apply(numbered).flatten().tolist()) for transform in found}) == count
        assert torch.equal(found[0].apply(numbered), numbered)

    def test_by_hand(self) -> None:
        values = torch.tensor([[[[1, 2, 3], [4, 5, 6]]]])
        assert FlipAndTurn((1,)).apply(values)[0, 0].tolist() == [[3, 2, 1], [6, 5, 4]]
        assert FlipAndTurn(quarters=1).apply(values)[0, 0].tolist() == [[3, 6], [2, 5], [1, 4]]
        assert FlipAndTurn((1,), quarters=1).apply(values)[0, 0].tolist() == [[1, 4], [2, 5], [3, 6]]

    @pytest.mark.parametrize("shape", [(4, 6, 5), (1, 2, 3)])
    def test_undone_exactly_in_three_dimensions(self, shape: tuple[int, ...]) -> None:
        values = torch.rand(2, 3, *shape)
        for transform in distinct_transforms(3, (0, 1, 2), (1, 2)):
            assert torch.equal(transform.invert(transform.apply(values)), values)

    def test_a_network_that_sees_no_direction_gives_equal_draws(self) -> None:
        """What is left of a draw when the way back is right: the network's own answer."""
        network, study = nn.Conv2d(1, 2, 1), torch.rand(1, 1, 6, 10)
        sampler = TestTimeAugmentation(network, 2, turn_plane=[0, 1]).eval()
        for draw in first_draws(sampler.capacity):
            viewed, inverse = sampler.view(study, draw)
            logits = draws_of(sampler, viewed, [draw], PLACES[:1])[:, 0]
            torch.testing.assert_close(inverse(logits), network(study))

    def test_several_draws_at_once_are_refused(self) -> None:
        sampler = TestTimeAugmentation(nn.Conv2d(1, 2, 1), 2).eval()
        with pytest.raises(ValueError, match="one at a time"):
            draws_of(sampler, torch.rand(2, 1, 16, 16), first_draws(2))

    def test_a_draw_beyond_the_last_is_refused(self) -> None:
        sampler = TestTimeAugmentation(nn.Conv2d(1, 2, 1), 2, flip_axes=[1]).eval()
        with pytest.raises(ValueError, match="2 distinct transforms have no draw 2"):
            sampler.view(torch.rand(1, 1, 4, 4), Draw(2))

    @pytest.mark.parametrize("wrong", [{"flip_axes": [2]}, {"turn_plane": (0, 2)}, {"turn_plane": (1, 1)}, {"flip_axes": [-1]}])
    def test_axes_that_do_not_exist_are_refused(self, wrong: dict) -> None:
        with pytest.raises(ValueError, match="must name axes"):
            TestTimeAugmentation(nn.Conv2d(1, 2, 1), 2, **wrong)


def test_what_varies_is_named() -> None:
    assert (DropoutSampler.source, Ensemble.source, TestTimeAugmentation.source) == (Source.MODEL, Source.MODEL, Source.IMAGE)


class TestSamplerEnsemble:
    def members(self) -> list[DropoutSampler]:
        torch.manual_seed(5)
        return [DropoutSampler(ResidualUNet(2, 1, 2, channels=(4, 6), units=(1, 1), dropout=0.5).eval()) for _ in range(3)]

    def test_draws_are_dealt_to_the_samplers_in_turn(self) -> None:
        samplers, windows = self.members(), torch.rand(2, 1, 16, 16)
        both = SamplerEnsemble(samplers).eval()
        assert (both.members, both.capacity, both.source) == (3, None, Source.MODEL)
        context = both.begin(windows[:1])
        with torch.no_grad():
            drawn = both.decode(both.encode(windows, PLACES, context), first_draws(7), PLACES, context)
        for member, sampler in enumerate(samplers):
            own = draws_of(sampler, windows, first_draws(7)[member::3])
            assert torch.allclose(drawn[member::3], own, atol=1e-6)
        mean = torch.stack([sampler(windows) for sampler in samplers]).mean(dim=0)
        assert torch.allclose(both(windows), mean, atol=1e-6)

    def test_what_cannot_be_dealt_is_refused(self) -> None:
        first, *_ = self.members()
        for wrong in ([], [first, first], [first, Ensemble([backbone()])], [first, GaussianLogits.example()]):
            with pytest.raises(ValueError):
                SamplerEnsemble(wrong)
