"""From a bundle and a version to something that can be run: one file for each language."""
