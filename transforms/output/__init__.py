"""The folder of a run and those of its studies."""
