"""From a trace to a worked step."""
