"""Programs that run in an agent's sandbox, on the standard library alone."""
