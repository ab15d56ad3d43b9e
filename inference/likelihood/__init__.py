"""How well draws explain what raters drew."""
