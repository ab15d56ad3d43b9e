"""What is found by lying in its folder."""
