"""What `caveat evaluate` can compute of one study against one rater: functions named in a bundle's evaluate.yaml."""
