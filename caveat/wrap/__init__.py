"""A trained network of other people becomes a bundle folder; one file a kind of source."""
