"""The pages of cases: the office's queue, lists, one case, and what is done there."""
