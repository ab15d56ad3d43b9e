"""Windows, blocks, reducers, measurements and statements."""
