"""What docs/draws.md says in numbers: which networks the adapter takes, what windows do to the spread, what a draw costs.

python benchmarks/draws.py [networks] [spread] [cost]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from itertools import product

import torch
from monai.networks import nets
from monai.utils import OptionalImportError
from torch import nn

from caveat.networks.backbones.residual_unet import ResidualUNet
from caveat.networks.draws.draw import first_draws
from caveat.networks.draws.hash_noise import uniform
from caveat.networks.draws.place import Place
from caveat.networks.samplers.dropout import DropoutSampler
from caveat.networks.samplers.dropout_network import DropoutNetwork


def monai_networks(dimensions: int) -> Iterator[tuple[str, Callable[[], nn.Module]]]:
    """Small instances of networks that are trained with dropout."""
    d, classes = dimensions, {"in_channels": 1, "out_channels": 2}
    swin = {**classes, "feature_size": 12, "spatial_dims": d}
    dynamic = {"kernel_size": [3] * 4, "strides": [1, 2, 2, 2], "upsample_kernel_size": [2] * 3, "filters": [4, 8, 8, 8]}
    tokens = {"feature_size": 8, "hidden_size": 48, "mlp_dim": 48, "num_heads": 4}
    features = (4, 4, 8, 8, 8, 4)
    yield "UNet", lambda: nets.UNet(d, 1, 2, channels=(4, 8, 16), strides=(2, 2), num_res_units=2, dropout=0.2)
    yield "BasicUNet", lambda: nets.BasicUNet(d, 1, 2, features=features, dropout=0.2)
    yield "SegResNet", lambda: nets.SegResNet(d, init_filters=8, **classes, dropout_prob=0.2)
    yield "DynUNet", lambda: nets.DynUNet(d, 1, 2, **dynamic, dropout=0.2)
    yield "VNet", lambda: nets.VNet(d, 1, 2, dropout_dim=d)
    yield "AttentionUnet", lambda: nets.AttentionUnet(d, 1, 2, channels=(4, 8, 16), strides=(2, 2), dropout=0.2)
    yield "HighResNet", lambda: nets.HighResNet(d, 1, 2, dropout_prob=0.2)
    yield "BasicUNetPlusPlus", lambda: nets.BasicUNetPlusPlus(d, 1, 2, features=features, dropout=0.2)
    yield "SegResNetDS", lambda: nets.SegResNetDS(d, init_filters=8, **classes)
    yield "FlexibleUNet", lambda: nets.FlexibleUNet(1, 2, "efficientnet-b0", spatial_dims=d, dropout=0.2)
    yield "SwinUNETR drop_rate", lambda: nets.SwinUNETR(**swin, drop_rate=0.1)
    yield "SwinUNETR dropout_path_rate", lambda: nets.SwinUNETR(**swin, dropout_path_rate=0.1)
    yield "UNETR", lambda: nets.UNETR(1, 2, (64,) * d, spatial_dims=d, **tokens, dropout_rate=0.1)


def show_networks() -> None:
    """One line a network: what the adapter found, or why it refused."""
    for dimensions in (2, 3):
        for name, make in monai_networks(dimensions):
            try:
                sampler = DropoutNetwork(make())
                element = sum(layer.elementwise for layer in sampler.layers)
                found = (
                    f"{len(sampler.layers)} layers, {element} element-wise, align {sampler.align}, taken out {sampler.taken_out}"
                )
            except (ValueError, OptionalImportError) as error:
                found = f"refused: {str(error).splitlines()[0][:160]}"
            print(f"{dimensions}-D {name:28} {found}")


def border_free(kind: type[nn.Module]) -> nn.Module:
    """A small network that looks at nothing beyond a feature of two voxels, so that windows differ by their masks alone."""
    torch.manual_seed(0)
    down, up = nn.Conv3d(1, 8, 2, stride=2), nn.ConvTranspose3d(8, 2, 2, stride=2)
    return nn.Sequential(down, nn.ReLU(), kind(0.3), nn.Conv3d(8, 8, 1), nn.ReLU(), kind(0.3), up).eval()


@torch.no_grad()
def show_spread(draws: int = 100, size: int = 24) -> None:
    """Standard deviation of the soft volume over the draws, in windows: ours beside torch's own dropout."""
    study = torch.rand(1, 1, size, size, size, generator=torch.Generator().manual_seed(0))
    print(f"standard deviation of the soft volume, {draws} draws of {size}^3 voxels")
    for kind, window in product((nn.Dropout3d, nn.Dropout), (24, 12, 6)):
        starts = list(product(range(0, size, window), repeat=3))
        places = [Place(start, (window,) * 3, (size,) * 3) for start in starts]
        windows = torch.cat([study[:, :, a : a + window, b : b + window, c : c + window] for a, b, c in starts])
        plain = border_free(kind)
        for module in plain.modules():
            module.train(isinstance(module, kind))
        patchwork = torch.stack([plain(windows).softmax(1)[:, 1].sum() for _ in range(draws)])
        sampler = DropoutNetwork(border_free(kind), probe_size=16)
        ours = torch.stack(
            [sampler.decode(windows, [draw], places, None).softmax(2)[:, :, 1].sum() for draw in first_draws(draws)]
        )
        print(
            f"{kind.__name__:10} {len(places):3} windows   ours {float(ours.std()):9.3f}   torch's {float(patchwork.std()):9.3f}"
        )


@torch.no_grad()
def show_cost(window: int = 384) -> None:
    """Best of five, one thread: encoding and decoding a window of the retinal network, and making random numbers."""
    torch.set_num_threads(1)
    sampler = DropoutSampler(ResidualUNet(2, 4, 2, channels=(16, 32, 64, 128), units=(1, 2, 2, 2), dropout=0.2)).eval()
    windows, places = torch.rand(1, 4, window, window), [Place((0, 0), (window, window), (window, window))]
    features = sampler.encode(windows, places, None)
    print(f"encode a window of {window}^2: {best(lambda: sampler.encode(windows, places, None)):.0f} ms")
    print(f"decode it for one draw: {best(lambda: sampler.decode(features, first_draws(1), places, None)):.0f} ms")
    print(f"dropout off: {best(lambda: sampler.backbone.decode(features)):.0f} ms")
    axes = [torch.arange(96).reshape(-1, *[1] * after) for after in (2, 1, 0)]
    print(f"uniform numbers, one a voxel of 96^3: {best(lambda: uniform(1, 2, 3, *axes)) * 1e6 / 96**3:.0f} ns each")


def best(work: Callable[[], object], repeats: int = 5) -> float:
    """Milliseconds of processor time."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


if __name__ == "__main__":
    parts = {"networks": show_networks, "spread": show_spread, "cost": show_cost}
    for part in sys.argv[1:] or parts:
        parts[part]()
