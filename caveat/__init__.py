"""caveat: measurements from medical images, with error bars that keep their promise."""

from importlib import import_module as _import_module
from pathlib import Path as _Path
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from .api.bundle import Bundle, load
    from .api.result import Answer, Result
    from .api.sampling_inference import sampling_inference
    from .reasons import StudyRefused

__version__ = "0.1.0"
__all__ = ["Answer", "Bundle", "Result", "StudyRefused", "load", "sampling_inference"]

# In a checkout transforms/, networks/, inference/ and bundles/ lie beside this folder; an installed package has them inside.
_root = _Path(__file__).resolve().parent.parent
if (_root / "setup.cfg").is_file() and (_root / "transforms").is_dir():
    __path__.append(str(_root))

_places = {
    "Answer": "api.result",
    "Bundle": "api.bundle",
    "Result": "api.result",
    "StudyRefused": "reasons",
    "load": "api.bundle",
    "sampling_inference": "api.sampling_inference",
}


def __getattr__(name: str) -> _Any:
    """The public names, loaded at first use: torch takes seconds, and much of the program needs none."""
    if name not in _places:
        raise AttributeError(f"module 'caveat' has no attribute {name!r}")
    return getattr(_import_module(f"{__name__}.{_places[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
