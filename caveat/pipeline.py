"""The six steps of a study, in their order: where a walk through the code begins.

1. **Load** (`preprocessing` of a bundle): a file or a series becomes a tensor on the network's grid. `transforms/`
2. **Draw** (`SamplingInferer` with the bundle's sampler): windows, draws, reducers. `networks/`, `inference/`
3. **Back to the input's grid**: masks, maps and places stand where the image does, and are measured there too.
4. **Gate**: is this study like those that the record was calibrated on? It scores the study, and may refuse it.
5. **Promise**: a record of these weights and settings gives regions, or the reason why there are none.
6. **Write**: a folder of the study, complete or not at all.

A study that cannot be measured raises StudyRefused in any of them, and `StudyEvaluator` writes the refusal in the place of a
result. Steps 1 and 2 are MONAI's own places for them, `preprocessing` and `inferer`; `AfterDrawing` is its `postprocessing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monai.transforms import Compose, FlattenSubKeysd

Step = Callable


class AfterDrawing(Compose):
    """Steps 3 to 6: from what the inferer answered to a folder of results.

    Args:
        to_input_grid: step 3, such as `ReportOnInputGridd`; it makes `result`.
        write: step 6, such as `WriteStudyd`.
        gate: step 4, in their order; none where a bundle has no records.
        promise: step 5, in their order.
    """

    def __init__(self, to_input_grid: Step, write: Step, gate: Sequence[Step] = (), promise: Sequence[Step] = ()) -> None:
        flatten = FlattenSubKeysd("pred", prefix="pred")  # what the inferer answered is one dictionary
        super().__init__([flatten, to_input_grid, *gate, *promise, write])
