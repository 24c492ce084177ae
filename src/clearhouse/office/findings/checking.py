"""Looking up what a report names while its finder waits, for a few seconds at most.

The job that was queued with the finding decides where this takes longer, or is not possible now.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any, Final

from django.db import transaction

from clearhouse.errors import Unavailable
from clearhouse.formats.report import Report
from clearhouse.office.findings import actions
from clearhouse.office.queue.actions import cancel
from clearhouse.proof.grounding import ground

log = logging.getLogger("clearhouse.office")

#: What somebody waits for a page: a release that was fetched before is looked into in under a
#: second, and most that are new in three or four.
SECONDS: Final = 8.0
#: Look-ups at a time; whoever comes while they are all taken is left to the queue.
_AT_ONCE: Final = threading.BoundedSemaphore(4)


def check_now(name: str, report: Report, *, now: datetime, seconds: float = SECONDS) -> bool:
    """Decide a finding by what its report names.  False where the queued job has to."""
    found = _looked_up(report, seconds)
    if found is None:
        return False
    with transaction.atomic():
        cancel(f"{actions.CHECK}:{name}", now=now)
        actions.ground(name, found, now=now)
    return True


def _looked_up(report: Report, seconds: float) -> dict[str, Any] | None:
    """What is there and what is not; None where it was not found out in time.

    What takes longer goes on by itself: what it fetches is there when the job comes to it.
    """
    target = report.target
    if target is None or not _AT_ONCE.acquire(blocking=False):
        return None
    answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()

    def look() -> None:
        try:
            answers.put(ground(target, report.locations).as_json())
        except Unavailable:
            answers.put(None)
        except Exception:
            # The edge of a thread: whoever waits is told, the log has the traceback.
            log.exception("looking up what a report names went wrong")
            answers.put(None)
        finally:
            _AT_ONCE.release()

    threading.Thread(target=look, name="grounding", daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except Empty:
        return None
