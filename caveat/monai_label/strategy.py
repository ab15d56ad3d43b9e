"""Which image is annotated next: the one that the network is least sure of."""

from __future__ import annotations

import math
from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.strategy import Strategy

from ..reasons import StudyRefused
from .doubts import DOUBTS
from .refusal import answer_of
from .scoring import REFUSED, key_of


class MostDoubtful(Strategy):
    """Args: bundle: whose numbers decide. doubt: which of them, see `DOUBTS`."""

    def __init__(self, bundle: str, doubt: str) -> None:
        super().__init__(f"{bundle}: {DOUBTS[doubt]}")
        self.bundle, self.doubt = bundle, doubt

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any] | None:
        """The highest of those that were not served yet, then the one that was served longest ago.

        An image that was not scored yet comes after those that were; one that is refused is never served.

        Raises:
            HTTPException: none was scored. What would be served then would count as chosen by doubt, and was not.
        """
        infos = {image: datastore.get_image_info(image) for image in sorted(datastore.get_unlabeled_images())}
        numbers = {image: info.get(key_of(self.bundle), {}) for image, info in infos.items()}
        if infos and not any(numbers.values()):
            raise answer_of(StudyRefused("WRONG_USAGE", f"nothing was scored yet: POST /scoring/{self.bundle}_doubt first"))
        open_to = [image for image in infos if not numbers[image].get(REFUSED)]
        if not open_to:
            return None
        served = {image: infos[image].get("strategy", {}).get(request["strategy"], {}).get("ts", 0) for image in open_to}
        chosen = min(open_to, key=lambda image: (served[image], -_height(numbers[image].get(self.doubt))))
        return {"id": chosen, self.doubt: numbers[chosen].get(self.doubt)}


def _height(doubt: float | None) -> float:
    return -math.inf if doubt is None else doubt
