"""The colours of classes, for programs that need nothing else of a drawing."""

from __future__ import annotations

CLASS_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2")
"""One a class behind the background, by turns: Okabe and Ito's colours, which the colour-blind tell apart."""
