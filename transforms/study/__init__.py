"""From what the user names to one study: found, opened, inspected, loaded."""
