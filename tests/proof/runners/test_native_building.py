"""How C and C++ targets are built, and what is said where they cannot be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clearhouse.errors import Unavailable
from clearhouse.proof.judge import Grade
from clearhouse.proof.runners.choose import Workshop
from tests.proof.runners import box
from tests.proof.runners.harnesses import (
    CALL_PART,
    PART,
    library,
    verdict,
    where,
)

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as opened:
        yield opened


MAKEFILE = """\
all:
\tcp config.h.in config.h
\t$(CC) $(CFLAGS) -I. -c box.c -o box.o
\tar rcs libbox.a box.o
"""
MADE = {
    "box.h": box.HEADER.replace("#define BOX_H", "#define BOX_H\n#include <config.h>"),
    "box.c": box.SOURCE,
    "config.h.in": "#define BOX_NAMES 1\n",
    "Makefile": MAKEFILE,
}


def test_build_commands_of_the_bundle_make_the_library(workshop: Workshop) -> None:
    found = verdict(workshop, box.HONEST, source=MADE, target='build = ["make"]\n')
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert where(found) == [("box.c", "box_read")]


def test_a_fuzzer_that_the_bundle_linked_itself_reproduces_only(workshop: Workshop) -> None:
    fuzzer = MAKEFILE + (
        "\t$(CC) $(CFLAGS) -I. -c fuzz.c -o fuzz.o\n"
        "\t$(CXX) $(CXXFLAGS) fuzz.o libbox.a $(LIB_FUZZING_ENGINE) -o $(OUT)/fuzzer\n"
        "\trm libbox.a box.o fuzz.o\n"
    )
    source = {**MADE, "fuzz.c": box.HONEST, "Makefile": fuzzer}
    found = verdict(workshop, box.HONEST, source=source, target='build = ["make"]\n')
    assert found.grade is Grade.REPRODUCED
    assert "cannot be told apart" in found.judgement.reason


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ({"box.h": box.HEADER, "box.c": "int x = ;"}, 'sources = ["*.c"]\n', "does not compile"),
        ({"box.h": box.HEADER}, 'sources = ["*.c"]\n', "matches target.sources"),
        (MADE, 'build = ["make nothing"]\n', "build command 1 ends with 2"),
    ],
)
def test_what_cannot_be_built_says_why(
    workshop: Workshop, source: dict[str, str], target: str, said: str
) -> None:
    with pytest.raises(Unavailable, match=said):
        workshop.attacked(box.bundle(box.HONEST, source=source, target=target))


def test_files_that_nobody_needs_may_fail_to_compile(workshop: Workshop) -> None:
    source = {
        "box.h": box.HEADER, "box.c": box.SOURCE, "port.c": "int x = ;",
        "tool.c": "int main(void) { return 0; }",
    }  # fmt: skip
    found = verdict(workshop, box.HONEST, source=source)
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert "1 of 3 source files do not compile here" in found.notes


def test_a_function_whose_file_does_not_compile_here_is_not_called_missing(
    workshop: Workshop,
) -> None:
    source = {"box.h": box.HEADER, "box.c": box.SOURCE + "int x = ;\n"}
    run = workshop.attacked(box.bundle(box.HONEST, source=source)).run("poc", box.POC)
    assert not run.ran
    assert "box.c does not compile here" in run.why
    assert "target.defines" in run.why


def test_a_target_may_need_the_extensions_of_the_c_library(workshop: Workshop) -> None:
    needs = "#ifndef _GNU_SOURCE\n#error extensions are missing\n#endif\n"
    source = {"box.h": box.HEADER, "box.c": needs + box.SOURCE}
    found = verdict(workshop, box.HONEST, source=source)
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert "1 source file compiled with _GNU_SOURCE" in found.notes


def test_a_harness_that_needs_what_a_version_lacks_is_not_loaded(workshop: Workshop) -> None:
    source = {"box.h": box.HEADER, "box.c": box.SOURCE.replace("box_free", "box_gone")}
    run = workshop.attacked(box.bundle(box.HONEST, source=source)).run("poc", box.POC)
    assert not run.ran
    assert "calls box_free, which this version does not have" in run.why


def test_undefined_behaviour_that_a_control_shows_too_is_left_out(workshop: Workshop) -> None:
    body = "int n = -(int)size << 1; if (data[0] == 60) return data[size + 9]; return n;"
    source = library(PART, body)
    found = verdict(workshop, CALL_PART, source=source)
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert any("left out of UBSan" in note and "shift" in note for note in found.notes)


def test_macros_that_the_target_does_not_ask_for_cost_the_attribution(workshop: Workshop) -> None:
    target = 'sources = ["*.c"]\ndefines = ["box_limit=box_bound"]\n'
    found = verdict(workshop, box.HONEST, target=target)
    assert found.grade is Grade.REPRODUCED
    assert "sets box_limit, which the target does not ask for" in found.judgement.reason
