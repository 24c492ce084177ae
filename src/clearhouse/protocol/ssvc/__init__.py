"""Stakeholder-Specific Vulnerability Categorization: decisions by tables, where unknown stays so.

CERT/CC, SSVC, decision points and decision tables of schema version 2.0.0.
"""
