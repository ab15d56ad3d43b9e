"""monailabel 0.8 imports pydicom-seg 0.4, which asks pydicom 3 for a module that it no longer has.

To be imported before monailabel, in the server and in each process that it starts.
"""

from __future__ import annotations

import sys
from types import ModuleType

import pydicom.uid

alias = ModuleType("pydicom._storage_sopclass_uids")
alias.SegmentationStorage = pydicom.uid.SegmentationStorage  # type: ignore[attr-defined]
sys.modules.setdefault(alias.__name__, alias)
