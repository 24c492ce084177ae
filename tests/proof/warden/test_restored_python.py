"""Names that Python has lost are put back for releases that need them, and only for these."""

from __future__ import annotations

import subprocess
import sys

import pytest

_START = """
import warnings
warnings.simplefilter("ignore")
from clearhouse.proof.warden import restored_python as restored
restored.install()
"""


def told(program: str) -> str:
    """What a program prints in an interpreter of its own, where the names are put back."""
    command = [sys.executable, "-c", _START + program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_abstract_class_is_where_it_used_to_be() -> None:
    program = "from collections import Mapping\nprint(isinstance({}, Mapping))"
    assert told(program) == "True"


def test_a_module_that_is_loaded_later_is_filled_too() -> None:
    program = "import inspect\nprint(tuple(inspect.getargspec(lambda a, b=1, *c: 0)))"
    assert told(program) == "(['a', 'b'], 'c', None, (1,))"


def test_a_function_with_what_the_old_form_cannot_say_is_refused_as_it_was() -> None:
    program = """
import inspect
try:
    inspect.getargspec(lambda *, a: 0)
except ValueError as error:
    print(error)
"""
    assert told(program).startswith("Function has keyword-only parameters")


def test_what_was_put_back_is_told() -> None:
    program = "import collections, fractions\nfractions.gcd(4, 6)\ncollections.Mapping\n"
    assert told(f"{program}print(restored.used)") == "['fractions.gcd', 'collections.Mapping']"


def test_it_is_told_once_however_often_it_is_needed() -> None:
    program = "import re\nfor n in range(50):\n    re.compile(f'{n}(?i)')\nprint(restored.used)"
    assert told(program) == "['flags within a regular expression']"


def test_nothing_is_put_back_unasked() -> None:
    program = "import collections, inspect, time, re\nre.compile('(?i)a')\nprint(restored.used)"
    assert told(program) == "[]"


def test_what_nobody_ever_had_stays_missing() -> None:
    program = """
import collections
try:
    collections.Nothing
except AttributeError as error:
    print(error)
"""
    assert told(program) == "module 'collections' has no attribute 'Nothing'"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"'a(?i)B'", r"'Ab'"),
        (r"b'a(?i)B'", r"b'Ab'"),
        (r"'a(?i)b(?s).'", r"'AB\n'"),
        (r"r'[(?i)]\(\?(?i)B'", r"'I(?b'"),  # neither in a set nor after a stroke they are flags
        (r"r'[]\](?i)]a(?i)'", r"']A'"),
    ],
)
def test_flags_within_an_expression_count_for_all_of_it(pattern: str, text: str) -> None:
    assert told(f"import re\nprint(bool(re.fullmatch({pattern}, {text})))") == "True"


def test_a_wrong_expression_stays_wrong() -> None:
    program = (
        "import re\ntry:\n    re.compile('a(?i)[')\nexcept re.error as error:\n    print(error)"
    )
    assert told(program).startswith("unterminated character set")
