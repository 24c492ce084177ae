"""Template tags: ``{% load look %}``."""
