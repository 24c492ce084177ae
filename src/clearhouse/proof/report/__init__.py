"""The HTML report: one self-contained page for people, made of the JSON documents of commands.

Nothing on a page comes from elsewhere: no script, no font, no image, no link that leaves it.
"""

from clearhouse.proof.report.history import history_page
from clearhouse.proof.report.patch import patch_page
from clearhouse.proof.report.verdicts import verdicts_page

__all__ = ["history_page", "patch_page", "verdicts_page"]
