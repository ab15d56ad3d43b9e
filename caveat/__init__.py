"""caveat: measurements from medical images, with error bars that keep their promise."""

from pathlib import Path as _Path

__version__ = "0.1.0"

# In a checkout transforms/, networks/, inference/ and bundles/ lie beside this folder; an installed package has them inside.
_root = _Path(__file__).resolve().parent.parent
if (_root / "setup.cfg").is_file() and (_root / "transforms").is_dir():
    __path__.append(str(_root))
