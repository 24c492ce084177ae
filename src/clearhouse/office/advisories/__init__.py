"""Advisories."""
