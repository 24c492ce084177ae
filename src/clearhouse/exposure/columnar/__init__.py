"""Inventories of many holders against many vulnerabilities, in columns.

``decide`` of ``exposure.matching`` says what a match is; here the same is one join in SQL over
Parquet files, for fleets of a size that objects do not reach (docs/exposure-at-scale.md).
"""
