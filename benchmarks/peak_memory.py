"""Peak memory of the loop with 8, 16 and 64 draws, each in a process of its own.

    python benchmarks/peak_memory.py

The shipped dropout network on a made-up study of 1024 x 1024; the statement under test is that memory does not grow with
the number of draws.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

DRAWS = (8, 16, 64)
OUT = Path(__file__).parent / "results" / "peak_memory.json"


def main() -> None:
    """Print and write the peak of each number of draws and their ratio."""
    if len(sys.argv) == 2:
        print(measure(int(sys.argv[1])))
        return
    peaks = {
        str(n): int(subprocess.run([sys.executable, __file__, str(n)], capture_output=True, text=True, check=True).stdout)
        for n in DRAWS
    }
    result = {
        "peak_mib": {n: kib // 1024 for n, kib in peaks.items()},
        "ratio": round(peaks[str(DRAWS[-1])] / peaks[str(DRAWS[0])], 3),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


def measure(draws: int) -> int:
    """Peak resident KiB of this process after one study."""
    import torch

    from caveat.inference.engine.inferer import SamplingInferer
    from caveat.inference.reducers.agreement import Agreement
    from caveat.inference.reducers.extent import Extent
    from caveat.inference.reducers.hypotheses import Hypotheses
    from caveat.inference.reducers.information import Information
    from caveat.inference.reducers.moments import Moments
    from caveat.inference.targets.area import Area
    from caveat.networks.backbones.residual_unet import ResidualUNet
    from caveat.networks.samplers.dropout import DropoutSampler

    torch.manual_seed(0)
    reducers = [Moments(), Information(), Extent([Area("area", "Vessels", (1,))]), Agreement(), Hypotheses()]
    inferer = SamplingInferer((384, 384), ["background", "vessel"], reducers, draws=draws, budget_mib=128)
    inferer(torch.randn(1, 4, 1024, 1024), DropoutSampler(ResidualUNet(2, 4, 2)).eval())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
