"""The office for machines: one API over the rooms, described at ``/api/openapi.json``."""
