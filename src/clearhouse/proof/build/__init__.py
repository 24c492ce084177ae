"""Building C and C++ targets and harnesses, always inside the sandbox.

``plan`` decides what is compiled, ``target`` and ``harness`` have it compiled, ``ir``,
``instrument``, ``contract`` and ``directives`` read and mark the harness, ``symbols`` names frames.
"""
