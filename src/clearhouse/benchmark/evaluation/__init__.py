"""Evaluations on Inspect AI: a sandbox without Docker, the task, its agents, its judge.

The only place that imports ``inspect_ai``, which takes seconds: nothing else of clearhouse imports
this package when it starts.
"""
