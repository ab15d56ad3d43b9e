"""Making and checking data lists."""
