"""A run over many studies: in this process, in worker processes, or on a cluster."""
