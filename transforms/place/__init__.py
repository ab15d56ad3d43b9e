"""Where in a study to measure: regions, crops, the field of view."""
