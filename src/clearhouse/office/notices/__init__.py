"""Telling organisations what waits for them."""
