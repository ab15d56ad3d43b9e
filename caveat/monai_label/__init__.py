"""Bundles behind a MONAI Label server: what `caveat label` starts. Needs monailabel, which lives in an environment of its own."""
