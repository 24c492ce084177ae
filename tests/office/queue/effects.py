"""Handlers whose effects can be counted, and ``clearhouse`` with them, for processes to kill."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

from clearhouse.errors import Invalid, Unavailable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clearhouse.office.settings")
if __name__ == "__main__":
    django.setup()

from clearhouse.office.queue.actions import Request, enqueue_many
from clearhouse.office.queue.handlers import Handler, Payload, Progress, handler
from clearhouse.office.queue.models import Job

TABLE = "CREATE TABLE effect (key VARCHAR(160) NOT NULL, result VARCHAR(160) NOT NULL)"


@handler("test.insert")
class Insert(Handler[str]):
    """Inserts a row in a table without a unique key: a second effect would be a second row."""

    def run(self, payload: Payload, progress: Progress) -> str:
        progress("half way")
        time.sleep(float(payload.get("seconds", 0)))
        problem = payload.get("problem")
        if problem == "invalid":
            raise Invalid("cannot be proven")
        if problem == "unavailable":
            raise Unavailable("the sandbox is missing")
        if problem == "bug":
            raise ZeroDivisionError(payload["secret"])
        if problem == "dies":
            os.kill(os.getpid(), 9)
        return str(payload["key"])

    def store(self, payload: Payload, result: str, now: datetime) -> None:
        insert(payload["key"], result)
        if payload.get("problem") == "store":
            raise ZeroDivisionError

    def failed(self, payload: Payload, reason: str, now: datetime) -> None:
        insert(payload["key"], "failed")


def insert(key: str, result: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO effect (key, result) VALUES (%s, %s)", [key, result])


def effects() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, result FROM effect ORDER BY key")
        return list(cursor.fetchall())


def put(count: int, payload: Mapping[str, Any]) -> None:
    """Make the tables and put in so many jobs, in three lanes."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    keys = [f"job-{n}" for n in range(count)]
    requests = (
        Request("test.insert", {**payload, "key": key}, f"lane-{n % 3}", key, most_attempts=50)
        for n, key in enumerate(keys)
    )
    enqueue_many(requests, now=datetime.now(UTC))


def report() -> dict[str, Any]:
    """Every job's state, and every effect."""
    jobs = dict(Job.objects.filter(kind="test.insert").values_list("key", "state"))
    starts = sum(Job.objects.filter(kind="test.insert").values_list("fence", flat=True))
    return {"jobs": jobs, "starts": starts, "effects": effects()}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["put", count, payload]:
            put(int(count), json.loads(payload))
        case ["report"]:
            print(json.dumps(report()))
        case _:
            from clearhouse.cli.main import main

            sys.exit(main())
