"""Peak memory of the loop, each number of draws in a process of its own.

    python benchmarks/peak_memory.py [photograph|ct]

photograph   1024 x 1024, made up, with 8, 16 and 64 draws of dropout: memory does not grow with the number of draws
ct           512 x 512 x 300, made up, 2 classes, 20 draws of dropout in windows of 96 x 96 x 96: everything that a bundle of
             volumes reduces them to. The network is narrow, so that it ends: what is measured are study, blocks and maps
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

DRAWS = {"photograph": (8, 16, 64), "ct": (20,)}
OUT = Path(__file__).parent / "results" / "peak_memory.json"


def main() -> None:
    """Print and write the peak of each number of draws, and the last one's ratio to the first."""
    work, *draws = sys.argv[1:] or ["photograph"]
    if draws:
        print(measure(work, int(draws[0])))
        return
    peaks = {str(n): peak(work, n) for n in DRAWS[work]}
    written = json.loads(OUT.read_text(encoding="utf-8")) if OUT.is_file() else {}
    written[work] = {"peak_mib": peaks, "ratio": round(list(peaks.values())[-1] / list(peaks.values())[0], 3)}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(written[work]))


def peak(work: str, draws: int) -> int:
    """Peak resident MiB of another process."""
    done = subprocess.run([sys.executable, __file__, work, str(draws)], capture_output=True, text=True, check=True)
    return int(done.stdout) // 1024


def measure(work: str, draws: int) -> int:
    """Peak resident KiB of this process after one study."""
    import torch

    from caveat.inference.engine.inferer import SamplingInferer
    from caveat.inference.reducers.agreement import Agreement
    from caveat.inference.reducers.extent import Extent
    from caveat.inference.reducers.hypotheses import Hypotheses
    from caveat.inference.reducers.information import Information
    from caveat.inference.reducers.moments import Moments
    from caveat.inference.targets.area import Area
    from caveat.inference.targets.volume import Volume
    from caveat.networks.backbones.residual_unet import ResidualUNet
    from caveat.networks.samplers.dropout import DropoutSampler

    torch.manual_seed(0)
    if work == "ct":
        study, window, network = torch.randn(1, 1, 512, 512, 300), (96, 96, 96), ResidualUNet(3, 1, 2, (4, 8, 16), (1, 1, 1))
        target, budget = Volume("volume", "Structure", (1,)), 512
    else:
        study, window, network = torch.randn(1, 4, 1024, 1024), (384, 384), ResidualUNet(2, 4, 2)
        target, budget = Area("area", "Vessels", (1,)), 128
    reducers = [Moments(), Information(), Extent([target]), Agreement(), Hypotheses()]
    inferer = SamplingInferer(window, ["background", "structure"], reducers, draws=draws, budget_mib=budget)
    inferer(study, DropoutSampler(network).eval())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
