"""Directives: issued by authorities, and the obligations that follow for deployers."""
