"""Measures what a model can prove: items, evaluation, ability, and the sequential decision."""
