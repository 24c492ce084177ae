"""Translators: the field's exchange formats, one module for each.  Pure; no I/O."""
