"""Is a study like those the record was calibrated on: scores of the study, their reference, and thresholds."""
