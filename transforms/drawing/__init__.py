"""Pictures of a study: planes, outlines, scales, plots."""
