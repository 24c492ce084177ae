"""The front of the office: the first page for each kind of viewer, and what every site has."""
