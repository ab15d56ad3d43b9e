"""The loop over studies: one that cannot be measured is refused, and the batch goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch
from monai.data import list_data_collate
from monai.engines import SupervisedEvaluator

from caveat.reasons import StudyRefused

from ...networks.draws.sampler import Sampler
from ..engine.inferer import SamplingInferer

logger = logging.getLogger("caveat")


class StudyEvaluator(SupervisedEvaluator):
    """MONAI's evaluator with the preprocessing inside the guarded step, so that a refusal at any stage is a result.

    Args:
        preprocessing: from an entry of the data list to tensors.
        refuse: called with the study as far as it came, the entry or what the preprocessing made of it, and with the refusal.
        threads: that a study is measured on, 0 for as many as there are. Their number changes the last digits of a convolution
            (tried), so it belongs to the run and not to the machine.
        kwargs: as for `monai.engines.SupervisedEvaluator`; the data loader yields entries one by one.
    """

    inferer: SamplingInferer
    network: Sampler

    def __init__(
        self, preprocessing: Callable, refuse: Callable[[Mapping[str, Any], StudyRefused], None], threads: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.threads = threads
        self.preprocessing = preprocessing
        self.refuse = refuse
        self.unexpected = 0

    def measure(self, study: dict[str, Any]) -> None:
        """Measure one study, or refuse it. Args: study: entry of the data list. Raises: StudyRefused: of the output alone."""
        self.data_loader, self.state.epoch_length = [study], 1
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads or before)
        try:
            self.run()
        finally:
            torch.set_num_threads(before)

    def _iteration(self, engine: SupervisedEvaluator, batchdata: dict[str, Any]) -> dict[str, Any]:
        """One study, as `SupervisedEvaluator._iteration`; an empty answer where it was refused."""
        number, study = batchdata.get("number", engine.state.iteration), batchdata
        try:
            study = self.preprocessing(batchdata)
            batch = engine.state.batch = list_data_collate([study])
            output = super()._iteration(engine, batch)
            logger.info("study %s: measured", number)
            return output
        except Exception as error:  # whatever one study raises, the next ones are measured
            refusal = refusal_behind(error)
            if refusal.code == "UNEXPECTED_ERROR":
                self.unexpected += 1
                logger.debug("study %s", number, exc_info=error)
        self.refuse(study, refusal)
        logger.warning("study %s: %s", number, refusal)
        nothing: Any = []
        engine.state.batch, engine.state.output = [], nothing
        return nothing


def refusal_behind(error: BaseException) -> StudyRefused:
    """The refusal in an error's chain of causes (MONAI wraps what a transform raises), or UNEXPECTED_ERROR with the
    type's name alone: texts of other libraries may quote the file."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, StudyRefused):
            return link
        link = link.__cause__ or link.__context__
    return StudyRefused("UNEXPECTED_ERROR", type(error.__cause__ or error).__name__)
