"""Windows in, blocks of draws out: the loop, and what a reducer is."""
