"""The access proxy in front of a model under review: grants hold on each request and in streams."""
