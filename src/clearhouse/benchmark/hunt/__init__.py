"""Searching with a model: what it is told, what it may hand in, and what of that is kept.

Whatever comes out of a search was run by the proof engine.  All texts here that come from reports,
packages or models are data: they are shown to the model inside its sandbox, and decide nothing.
"""
