"""Assessments: plans committed before the first attempt, attempts, determinations, replies."""
