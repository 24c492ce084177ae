"""Voluntary reviews of models before their release."""
