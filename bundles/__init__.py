"""One folder a task: settings, weights and documentation, no code."""
