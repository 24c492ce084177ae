"""The office: a Django project with one application for each room."""
