"""Do the regions of landmarks hold the truth as often as they say."""
