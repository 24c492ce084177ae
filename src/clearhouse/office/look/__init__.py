"""How the office's pages look: their frame, the parts that pages are put together from, charts.

On top of the U.S. Web Design System.  No models, no queries: what is shown is handed in.
"""
