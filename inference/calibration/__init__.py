"""From stored predictions and truths to a record, and from a record to an interval that keeps its promise."""
