"""Directives: what an authority asks of whom, on which systems, by when, and what comes of it."""
