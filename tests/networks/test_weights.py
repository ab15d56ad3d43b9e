"""Weights: written the same every time, read only if they are what they should be."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from caveat.networks.samplers.ensemble import Ensemble
from caveat.networks.samplers.slice_by_slice import SliceBySlice
from caveat.networks.weights.members import joint_sha256, load_members
from caveat.networks.weights.pack_members import pack
from caveat.networks.weights.state_dicts import load_weights, save_weights
from caveat.reasons import StudyRefused


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    built = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 1))
    built(torch.rand(4, 1, 8, 8))  # running statistics that are not their defaults
    return built


def write(content: Any, path: Path) -> str:
    torch.save(content, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refused(path: Path, sha256: str, found: str = "", **options: Any) -> str:
    """Reason code of a refusal, for what is found; the network must be untouched."""
    into = network()
    before = {name: tensor.clone() for name, tensor in into.state_dict().items()}
    with pytest.raises(StudyRefused, match=found) as refusal:
        load_weights(into, path, sha256, **options)
    assert all(torch.equal(tensor, before[name]) for name, tensor in into.state_dict().items())
    assert str(path) not in str(refusal.value)
    return refusal.value.code


class TestSave:
    def test_weights_that_nobody_trained_are_refused_by_their_own_reason(self, tmp_path: Path) -> None:
        with pytest.raises(StudyRefused, match="WEIGHTS_NOT_TRAINED"):
            load_weights(nn.Conv2d(1, 1, 1), tmp_path / "none.pt", "")

    def test_weights_are_halved_and_running_statistics_are_not(self, tmp_path: Path) -> None:
        save_weights(network().state_dict(), tmp_path / "model.pt")
        dtypes = {name: tensor.dtype for name, tensor in torch.load(tmp_path / "model.pt", weights_only=True).items()}
        assert dtypes == {
            "0.weight": torch.float16,
            "0.bias": torch.float16,
            "1.weight": torch.float16,
            "1.bias": torch.float16,
            "1.running_mean": torch.float32,
            "1.running_var": torch.float32,
            "1.num_batches_tracked": torch.int64,
            "2.weight": torch.float16,
            "2.bias": torch.float16,
        }

    def test_the_same_bytes_wherever_and_whenever(self, tmp_path: Path) -> None:
        state = network().state_dict()
        shifted = network()
        shifted.to(memory_format=torch.channels_last)
        digests = {
            save_weights(state, tmp_path / "one.pt"),
            save_weights(state, tmp_path / "another name.bin"),
            save_weights(shifted.state_dict(), tmp_path / "three.pt"),
        }
        assert len(digests) == 1
        assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "another name.bin").read_bytes()
        assert digests == {hashlib.sha256((tmp_path / "one.pt").read_bytes()).hexdigest()}

    def test_a_view_is_written_without_what_lies_around_it(self, tmp_path: Path) -> None:
        save_weights({"weight": torch.zeros(1_000_000)[:2]}, tmp_path / "model.pt")
        assert (tmp_path / "model.pt").stat().st_size < 10_000

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e5])
    def test_numbers_that_float16_does_not_hold_are_an_error(self, number: float, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="weight is not finite in torch.float16"):
            save_weights({"weight": torch.tensor([1.0, number])}, tmp_path / "model.pt")
        assert not (tmp_path / "model.pt").exists()


class TestLoad:
    def test_what_was_saved(self, tmp_path: Path) -> None:
        saved = network(seed=1)
        digest = save_weights(saved.state_dict(), tmp_path / "model.pt")
        target = network().train()
        loaded = load_weights(target, tmp_path / "model.pt", digest)
        assert loaded is target and not any(module.training for module in loaded.modules())
        for name, tensor in saved.state_dict().items():
            found = loaded.state_dict()[name]
            assert found.dtype == tensor.dtype
            exact = "running" in name or not tensor.is_floating_point()
            assert torch.equal(found, tensor if exact else tensor.half().float())

    def test_a_plain_float32_state_dict(self, tmp_path: Path) -> None:
        saved = network(seed=1)
        digest = write(saved.state_dict(), tmp_path / "model.pt")
        loaded = load_weights(network(), str(tmp_path / "model.pt"), digest.upper())
        assert all(torch.equal(tensor, saved.state_dict()[name]) for name, tensor in loaded.state_dict().items())

    def test_a_sha256_is_needed_unless_the_user_says_otherwise(self, tmp_path: Path) -> None:
        save_weights(network(seed=1).state_dict(), tmp_path / "model.pt")
        with pytest.raises(ValueError, match="allow_unknown"):
            load_weights(network(), tmp_path / "model.pt", None)
        load_weights(network(), tmp_path / "model.pt", None, allow_unknown=True)

    def test_another_sha256_is_refused(self, tmp_path: Path) -> None:
        save_weights(network().state_dict(), tmp_path / "model.pt")
        assert refused(tmp_path / "model.pt", "0" * 64) == "WEIGHTS_HASH_MISMATCH"
        assert refused(tmp_path / "model.pt", "0" * 64, allow_unknown=True) == "WEIGHTS_HASH_MISMATCH"

    def test_one_flipped_bit_is_refused(self, tmp_path: Path) -> None:
        digest = save_weights(network().state_dict(), tmp_path / "model.pt")
        content = bytearray((tmp_path / "model.pt").read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / "model.pt").write_bytes(content)
        assert refused(tmp_path / "model.pt", digest) == "WEIGHTS_HASH_MISMATCH"

    @pytest.mark.parametrize("number", [float("nan"), float("inf")])
    @pytest.mark.parametrize("name", ["0.weight", "1.running_var"])
    def test_weights_that_are_not_finite_are_refused(self, name: str, number: float, tmp_path: Path) -> None:
        state = network().state_dict()
        state[name].flatten()[0] = number
        assert refused(tmp_path / "model.pt", write(state, tmp_path / "model.pt")) == "WEIGHTS_NOT_FINITE"

    def test_a_file_that_is_too_large_is_not_opened(self, tmp_path: Path) -> None:
        digest = save_weights(network().state_dict(), tmp_path / "model.pt")
        assert refused(tmp_path / "model.pt", digest, "at most 1000 are read", size_limit=1000) == "WEIGHTS_REFUSED"

    def test_a_file_that_grows_when_unpacked_is_refused(self, tmp_path: Path) -> None:
        digest = write({"0.weight": torch.zeros(1_000_000)}, tmp_path / "plain.pt")
        with (
            zipfile.ZipFile(tmp_path / "plain.pt") as plain,
            zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
        ):
            for member in plain.namelist():
                bomb.writestr(member, plain.read(member))
        digest = hashlib.sha256((tmp_path / "bomb.pt").read_bytes()).hexdigest()
        assert (tmp_path / "bomb.pt").stat().st_size < 100_000
        assert refused(tmp_path / "bomb.pt", digest, "when unpacked", size_limit=100_000) == "WEIGHTS_REFUSED"

    @pytest.mark.parametrize("missing,found", [("model.pt", "no such file"), (".", "cannot be read")])
    def test_no_file_is_refused(self, missing: str, found: str, tmp_path: Path) -> None:
        assert refused(tmp_path / missing, "0" * 64, found) == "WEIGHTS_REFUSED"


class Harmful:
    """What a hostile pickle does when it is opened the ordinary way."""

    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("harm"),))


def legacy(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def archive_without_pickle(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data", b"nothing")


def pickled(content: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


WRONG_FILES = {
    "a harmful pickle": lambda path: pickled({"0.weight": Harmful()}, path),
    "a harmful pickle in an archive": lambda path: torch.save({"0.weight": Harmful()}, path),
    "a whole module": lambda path: torch.save(network(), path),
    "a plain pickle": lambda path: pickled({"0.weight": [1.0]}, path),
    "torch's old format": lambda path: legacy(network().state_dict(), path),
    "an archive without a pickle": archive_without_pickle,
    "nothing": lambda path: path.write_bytes(b""),
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 20),
    "a picture": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100)),
    "a list": lambda path: torch.save([torch.zeros(2)], path),
    "one tensor": lambda path: torch.save(torch.zeros(2), path),
    "nothing at all": lambda path: torch.save(None, path),
    "a nested dictionary": lambda path: torch.save({"model": network().state_dict()}, path),
    "a number": lambda path: torch.save({**network().state_dict(), "epoch": 3}, path),
    "a name that is none": lambda path: torch.save({**network().state_dict(), 3: torch.zeros(1)}, path),
    "a truncated file": lambda path: path.write_bytes(stored(network().state_dict())[:-200]),
}


def stored(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_file_that_is_no_state_dict_is_refused(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pt"
    WRONG_FILES[case](path)
    assert refused(path, hashlib.sha256(path.read_bytes()).hexdigest()) == "WEIGHTS_REFUSED"
    assert not (tmp_path / "harm").exists()


def changed(**tensors: Any) -> OrderedDict:
    state = network().state_dict()
    for name, tensor in tensors.items():
        state[name.replace("_", ".", 1)] = tensor
    return state


WRONG_TENSORS = {
    "sparse": lambda: changed(**{"0_weight": torch.zeros(3, 1, 3, 3).to_sparse()}),
    "not contiguous": lambda: changed(**{"2_weight": torch.zeros(3, 2, 1, 1).transpose(0, 1)}),
    "expanded": lambda: changed(**{"0_bias": torch.zeros(1).expand(3)}),
    "quantised": lambda: changed(**{"0_bias": torch.quantize_per_tensor(torch.zeros(3), 1.0, 0, torch.qint8)}),
    "a parameter": lambda: changed(**{"0_bias": nn.Parameter(torch.zeros(3))}),
    "a meta tensor": lambda: changed(**{"0_bias": torch.zeros(3, device="meta")}),
    "another shape": lambda: changed(**{"0_bias": torch.zeros(4)}),
    "a shape that would broadcast": lambda: changed(**{"0_bias": torch.zeros(1)}),
    "float64": lambda: changed(**{"0_bias": torch.zeros(3, dtype=torch.float64)}),
    "bfloat16": lambda: changed(**{"0_bias": torch.zeros(3, dtype=torch.bfloat16)}),
    "whole numbers": lambda: changed(**{"0_bias": torch.zeros(3, dtype=torch.int64)}),
    "complex": lambda: changed(**{"0_bias": torch.zeros(3, dtype=torch.complex64)}),
    "a float where the network counts": lambda: changed(**{"1_num_batches_tracked": torch.tensor(1.0)}),
    "a tensor too many": lambda: changed(**{"3_weight": torch.zeros(2)}),
    "a tensor too few": lambda: OrderedDict(list(network().state_dict().items())[1:]),
    "empty": dict,
}


@pytest.mark.filterwarnings("ignore:.*quantize", "ignore:TypedStorage")
@pytest.mark.parametrize("case", WRONG_TENSORS)
def test_tensors_that_the_network_does_not_have_are_refused(case: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    assert refused(path, write(WRONG_TENSORS[case](), path)) == "WEIGHTS_REFUSED"


class TestMembers:
    @pytest.fixture
    def packed(self, tmp_path: Path) -> tuple[Path, str]:
        torch.save(
            {"model": network(1).state_dict(), "trainer": {"iteration": 3}, "optimizer": {"state": {}}}, tmp_path / "one.pt"
        )
        torch.save({**network(2).state_dict(), "checkpointer": {"best": 0.8}}, tmp_path / "two.pt")
        return tmp_path / "model.pt", pack([tmp_path / "one.pt", str(tmp_path / "two.pt")], tmp_path / "model.pt")

    def test_a_packed_ensemble_holds_its_members(self, packed: tuple[Path, str]) -> None:
        path, digest = packed
        ensemble = load_weights(Ensemble([network(), network()]), path, digest)
        for number, member in enumerate((network(1), network(2))):
            torch.testing.assert_close(
                ensemble.networks[number].state_dict(), member.half().float().state_dict(), atol=1e-3, rtol=1e-3
            )

    def test_networks_stand_where_the_prefix_says(self, packed: tuple[Path, str], tmp_path: Path) -> None:
        """In a sampler of volumes that holds the ensemble of slices; one network has no number."""
        both = pack([tmp_path / "one.pt", tmp_path / "two.pt"], tmp_path / "both.pt", prefix="sampler.networks.{}.")
        volumes = load_weights(SliceBySlice(Ensemble([network(), network()])), tmp_path / "both.pt", both)
        expected = load_weights(network(), packed[0], packed[1], prefix="networks.1.")
        torch.testing.assert_close(volumes.sampler.networks[1].state_dict(), expected.state_dict())
        pack([tmp_path / "two.pt"], tmp_path / "alone.pt", prefix="sampler.")
        assert {name.split(".")[0] for name in torch.load(tmp_path / "alone.pt", weights_only=True)} == {"sampler"}

    @pytest.mark.parametrize("number", [0, 1])
    def test_one_member_alone(self, number: int, packed: tuple[Path, str]) -> None:
        path, digest = packed
        alone = load_weights(network(), path, digest, prefix=f"networks.{number}.")
        ensemble = load_weights(Ensemble([network(), network()]), path, digest)
        assert all(
            torch.equal(tensor, ensemble.networks[number].state_dict()[name]) for name, tensor in alone.state_dict().items()
        )

    def test_a_member_that_is_not_there_is_refused(self, packed: tuple[Path, str]) -> None:
        assert refused(*packed, prefix="networks.2.") == "WEIGHTS_REFUSED"

    def test_packing_is_deterministic(self, packed: tuple[Path, str], tmp_path: Path) -> None:
        assert pack([tmp_path / "one.pt", tmp_path / "two.pt"], tmp_path / "again.pt") == packed[1]
        assert (tmp_path / "again.pt").read_bytes() == packed[0].read_bytes()

    @pytest.mark.parametrize("content", [{}, {"model": {}}, {"epoch": 3}, [torch.zeros(1)]])
    def test_what_is_no_checkpoint_is_an_error(self, content: Any, tmp_path: Path) -> None:
        torch.save(content, tmp_path / "one.pt")
        with pytest.raises(ValueError, match="one.pt holds no state dict"):
            pack([tmp_path / "one.pt"], tmp_path / "model.pt")

    def test_no_checkpoint_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="no checkpoint"):
            pack([], tmp_path / "model.pt")


def test_a_state_dict_is_found_where_a_checkpoint_has_it_and_its_size_is_the_bundles_to_limit(tmp_path):
    network = nn.Conv2d(1, 2, 1)
    torch.save(
        {"epoch": 7, "state": {f"module.{name}": value for name, value in network.state_dict().items()}}, tmp_path / "c.pt"
    )
    other, sha256 = nn.Conv2d(1, 2, 1), hashlib.sha256((tmp_path / "c.pt").read_bytes()).hexdigest()
    load_weights(other, tmp_path / "c.pt", sha256, prefix="module.", entry="state")
    assert torch.equal(other.weight, network.weight)
    with pytest.raises(StudyRefused, match="WEIGHTS_REFUSED: a NoneType in place of a state dict"):
        load_weights(other, tmp_path / "c.pt", sha256, entry="model")
    size = (tmp_path / "c.pt").stat().st_size
    with pytest.raises(StudyRefused, match=f"WEIGHTS_REFUSED: {size} bytes, at most {size - 1} are read"):
        load_weights(other, tmp_path / "c.pt", sha256, prefix="module.", entry="state", size_limit=size - 1)


def test_members_are_loaded_each_into_its_place(tmp_path):
    sampler, hashes = Ensemble([nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 1)]), []
    for number in range(2):
        torch.save(nn.Conv2d(1, 2, 1).state_dict(), tmp_path / f"{number}.pt")
        hashes.append(hashlib.sha256((tmp_path / f"{number}.pt").read_bytes()).hexdigest())
    members = [
        {"module": f"networks.{n}", "file": f"{n}.pt", "sha256": one, "size_limit": 10_000} for n, one in enumerate(hashes)
    ]
    load_members(sampler, tmp_path, members)
    for number, network in enumerate(sampler.networks):
        assert torch.equal(network.weight, torch.load(tmp_path / f"{number}.pt")["weight"])
    assert joint_sha256(hashes[:1]) == hashes[0] != joint_sha256(hashes) != joint_sha256(hashes[::-1])
    with pytest.raises(StudyRefused, match="WEIGHTS_HASH_MISMATCH"):
        load_members(sampler, tmp_path, [members[0] | {"sha256": hashes[1]}])
