"""Questions in Slack, and the answers that come back from there: for low impact, and signed."""
