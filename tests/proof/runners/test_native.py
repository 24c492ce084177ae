"""C and C++ proofs, run for real: what is the target's doing, and what only pretends to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from clearhouse.proof.judge import Grade
from clearhouse.proof.runners.choose import Workshop
from tests.proof.runners import box
from tests.proof.runners.harnesses import (
    C_HEAD,
    CALL_PART,
    PART,
    harness,
    library,
    verdict,
    where,
)

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as opened:
        yield opened


# -- what is the target's --------------------------------------------------------------------------


def test_an_overflow_in_the_target_is_the_targets(workshop: Workshop) -> None:
    found = verdict(workshop, box.HONEST)
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert found.judgement.observed["sanitizer"] == "AddressSanitizer"
    assert where(found) == [("box.c", "box_read")]
    frame = found.judgement.frames[0]
    assert frame.code is not None
    assert frame.code.startswith("memcpy(box->name")
    run = found.case.pocs[0]
    assert [call.callee for call in run.calls] == ["box_new", "box_read"]
    assert found.case.controls[0].calls[1].returned == (4,)


def test_exhausting_the_stack_in_the_target_is_the_targets(workshop: Workshop) -> None:
    text = harness("box_depth(data, size);")
    found = verdict(workshop, text, poc=b"(" * 60_000, control=b"((")
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert found.judgement.observed["signal"] == "SIGSEGV"
    assert set(where(found)) == {("box.c", "box_depth")}


@dataclass(frozen=True)
class Ends:
    """A function of the target that ends the run, and how that shows."""

    body: str
    head: str
    observed: dict[str, str]


ENDS = {
    "undefined behaviour": Ends(
        "return 7 << data[0];", "",
        {"sanitizer": "UndefinedBehaviorSanitizer", "kind": "shift-out-of-bounds"},
    ),
    "a null pointer": Ends(
        "return data[0] == 60 ? *(volatile int *)8 : 1;", "",
        {"signal": "SIGSEGV", "address": "near zero"},
    ),
    "a failing assertion": Ends(
        "assert(data[0] != 60); return 0;", "#include <assert.h>\n", {"signal": "SIGABRT"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_other_ends_are_told_apart(workshop: Workshop, name: str) -> None:
    ends = ENDS[name]
    source = library(PART, ends.body, head=ends.head)
    found = verdict(workshop, CALL_PART, source=source)
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert {k: found.judgement.observed[k] for k in ends.observed} == ends.observed
    assert where(found) == [("part.c", "part")]


@dataclass(frozen=True)
class Does:
    """A function of the target with an effect that the kernel shows."""

    effect: str
    body: str
    head: str
    poc: bytes = box.POC
    control: bytes = box.CONTROL
    expect: str = ""


_NAME = 'char name[64]; snprintf(name, sizeof name, "%.*s", (int)size, (const char *)data);'
DOES = {
    "starts a program": Does(
        "execute", 'if (data[0] == 60) system("true"); return 0;', "#include <stdlib.h>\n"
    ),
    "writes outside": Does(
        "write-outside", f'{_NAME} FILE *f = fopen(name, "w"); if (f) fclose(f); return 0;',
        "#include <stdio.h>\n", b"/tmp/elsewhere", b"/work/here",
    ),
    "reads outside": Does(
        "read-outside", f'{_NAME} FILE *f = fopen(name, "r"); if (f) fclose(f); return 0;',
        "#include <stdio.h>\n", b"/canary/token", b"/work/here",
    ),
    "never returns": Does(
        "hang", "volatile int i = 0; while (data[0] == 60) i++; return i;", "",
        expect="\n[expect]\ncpu_seconds = 0.4\n",
    ),
    "takes all memory": Does(
        "memory",
        "for (int i = 0; data[0] == 60 && i < 9999; i++)"
        " if ((kept[i] = malloc(1 << 20))) memset(kept[i], 1, 1 << 20); return 0;",
        "#include <stdlib.h>\n#include <string.h>\nstatic char *volatile kept[9999];\n",
        expect="\n[expect]\nrss_mb = 128\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOES)
def test_effects_that_the_kernel_shows_have_the_targets_frames(
    workshop: Workshop, name: str
) -> None:
    does = DOES[name]
    found = verdict(
        workshop, CALL_PART, source=library(PART, does.body, head=does.head), effect=does.effect,
        poc=does.poc, control=does.control, expect=does.expect,
    )  # fmt: skip
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert ("part.c", "part") in where(found)


HEADER_ONLY = {
    "only.h": """\
#include <string.h>
static inline int only(const unsigned char *data, size_t size)
{
    char room[16];
    if (size == 0 || data[0] >= size)
        return -1;
    memcpy(room, data + 1, data[0]);
    return room[0];
}
"""
}


def test_a_target_of_headers_only_is_told_from_the_harness_by_its_lines(workshop: Workshop) -> None:
    found = verdict(workshop, harness("only(data, size);", include="only.h"), source=HEADER_ONLY)
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert where(found) == [("only.h", "only")]


CXX_SOURCE = {
    "box.hpp": """\
#pragma once
#include <string>
#include <vector>
struct Visitor {
    virtual ~Visitor() = default;
    virtual void visit(int value) = 0;
};
class Box {
 public:
    explicit Box(const std::string &text);
    void each(Visitor &visitor) const;
 private:
    std::vector<int> values_;
};
""",
    "box.cpp": """\
#include "box.hpp"
#include <stdexcept>
Box::Box(const std::string &text) : values_(4)
{
    if (text.empty())
        throw std::runtime_error("empty");
    for (size_t i = 0; i < text.size(); i++)
        values_.data()[text[0] == 'A' ? i : i % 4] = text[i];
}
void Box::each(Visitor &visitor) const
{
    for (int value : values_)
        visitor.visit(value);
}
""",
}
CXX_HARNESS = """\
#include <cstddef>
#include <cstdint>
#include <string>
#include "box.hpp"
static const std::string kind = "a constructor of the harness's own, run before anything else";
struct Sum : Visitor {
    int total = 0;
    void visit(int value) override { total += value; }
};
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try {
        Box box(std::string(reinterpret_cast<const char *>(data), size));
        Sum sum;
        box.each(sum);
        return sum.total & 1;
    } catch (const std::exception &) {
        return 0;
    }
}
"""


def test_classes_exceptions_and_callbacks_of_cxx_are_followed(workshop: Workshop) -> None:
    found = verdict(
        workshop, CXX_HARNESS, language="c++", source=CXX_SOURCE, poc=b"A" * 40, control=b"B" * 40
    )
    assert found.grade is Grade.ATTRIBUTED, found.judgement.reason
    assert where(found)[0] == ("box.cpp", "Box::Box")
    assert [call.callee for call in found.case.controls[0].calls[:2]] == ["Box::Box", "Box::each"]


# -- what only pretends to be ----------------------------------------------------------------------


@dataclass(frozen=True)
class Cheat:
    """A harness that brings the effect about by itself, and a part of what is said of it."""

    text: str
    reason: str
    more: dict[str, Any]


def cheat(text: str, reason: str, **more: Any) -> Cheat:
    return Cheat(text, reason, more)


INT_LENGTH = library(
    "int part(const unsigned char *data, int size)",
    "int s = 0; for (int i = 0; i < size && data[i] != 'x'; i++) s += data[i]; return s;",
)
COMMA = library(
    "int part(const char *text)",
    "int n = 0; while (text[n] != '\\0' && text[n] != ',') n++; return n;",
)
SUM = "box_sum(data, size);"
EVIL = "static void evil(const uint8_t *d) { char *p = malloc(8); p[d[0]] = 1; }\n"
_BOX = "struct box *box = box_new();"
CHEATS = {
    "prints a report": cheat(
        harness(
            'if (data[0] == 60) { fputs("==1==ERROR: AddressSanitizer: heap-buffer-overflow on '
            'address 0x602000000018\\n    #0 0x1 in box_read /target/box.c:24\\n", stderr); '
            f"abort(); }}{SUM}"
        ),
        "(abort)",
    ),
    "calls the sanitizer's report": cheat(
        harness(
            f"if (data[0] == 60) __asan_report_store1((void *)data); {SUM}",
            before="void __asan_report_store1(void *);\n",
        ),
        "refers to __asan_report_store1",
    ),
    "overflows by itself": cheat(
        harness(f"char *p = malloc(8); memcpy(p, data, data[0] == 60 ? size : 4); {SUM}"),
        "the harness does it itself, at line 8",
    ),
    "lies about the size by arithmetic": cheat(
        harness("box_sum(data, size + (data[0] >> 3));"), "less memory than it says"
    ),
    "names other lines": cheat(
        harness(f"evil(data); {SUM}", before=f'/**/ # /* \n */ line 1 "/target/box.c"\n{EVIL}'),
        "changes the line or file",
    ),
    "has a timer abort the target": cheat(
        harness(
            "struct itimerval v = {{0, 0}, {0, 1000}}; signal(SIGALRM, stop);"
            f" if (data[0] == 60) {{ setitimer(ITIMER_REAL, &v, 0); for (;;) {SUM} }}",
            before="#include <signal.h>\n#include <sys/time.h>\n"
            "static void stop(int n) { (void)n; abort(); }\n",
        ),
        "sends or catches signals",
    ),
}
MORE_CHEATS = {
    "lies about the size for one input": cheat(
        harness("static const int t[256] = {[60] = 8}; char *p = malloc(size + 1);"
                " memcpy(p, data, size); box_sum((unsigned char *)p, size + t[data[0]]);"),
        "less memory than it says",
    ),
    "frees for one input": cheat(
        harness("unsigned char *p[2] = {malloc(size), malloc(size)}; memcpy(p[0], data, size);"
                " memcpy(p[1], data, size); free(p[1]); box_sum(p[data[0] >> 5 & 1], size);"),
        "memory that is nobody's",
    ),
    "gives no end to a text": cheat(
        harness("box_length((const char *)data);"), "a text without an end",
        poc=b"nnnnnnnn", control=b"nn\0nnnnn",
    ),
    "passes null for one input": cheat(
        harness(f"{_BOX} box_read(data[0] == 60 ? 0 : box, data, size);"), "goes its own way"
    ),
    "spoils the target's object": cheat(
        harness(f"{_BOX} ((unsigned char *)box)[24] ^= data[1]; box_read(box, data, size);"),
        "inside an object of the target's", poc=b"\4" + b"n" * 20, control=b"\4" + bytes(20),
    ),
    "spoils the target's variable": cheat(
        harness(f"{_BOX} int *p = &box_limit; *p += data[0]; box_read(box, data, size);"),
        "writes into the target's own data",
    ),
    "has the target call abort": cheat(
        harness(f"{_BOX} box_read(box, data, size);"
                " box_each(box, (void (*)(void *, int))abort, box);"),
        "(abort)", poc=b"\4" + b"n" * 20, control=b"\x3cn",
    ),
    "has the target free itself": cheat(
        harness(f"{_BOX} box_read(box, data, size);"
                " box_each(box, (void (*)(void *, int))box_free, box);"),
        "hands out the target's box_free", poc=b"\4" + b"n" * 20, control=b"\x3cn",
    ),
    "defines the target's function": cheat(
        C_HEAD + "static int box_sum(const unsigned char *d, size_t n)"
        " { char *p = malloc(8); p[d[0]] = 1; return (int)n; }\n"
        "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n"
        "{ return box_sum(data, size); }\n",
        "which the target defines too", control=b"\1n",
    ),
    "declares other types": cheat(
        C_HEAD + "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n"
        "{ extern int box_sum(long, size_t);"
        " return box_sum((long)data + ((long)data[0] << 30), size); }\n",
        "declares box_sum itself", control=b"\0n",
    ),
    "calls another function for one input": cheat(
        harness("int (*f[2])(const unsigned char *, size_t) = {box_sum, box_depth};"
                " f[data[0] >> 5 & 1](data, size);"),
        "goes its own way", poc=b"(" * 60_000, control=b"\4n",
    ),
    "is written in assembler": cheat(
        harness(f'if (data[0] == 60) __asm__ volatile("movq $0, %rax; movl $1, (%rax)"); {SUM}'),
        "assembler",
    ),
    "looks functions up": cheat(
        harness("int (*f)(const unsigned char *, size_t) = look(0, \"box_sum\");"
                f" if (data[0] == 60) f(data, size + 100); {SUM}",
                before='void *look(void *, const char *) __asm__("dlsym");\n'),
        "looks up code (dlsym)",
    ),
    "uses up the stack": cheat(
        harness("volatile char big[7 << 20]; big[0] = 1; box_depth(data, size);"
                " return big[0];"),
        "on the stack", poc=b"(" * 10_000, control=b"((",
    ),
    "changes the target's headers": cheat(
        harness("only(data, size);", include="only.h",
                head=C_HEAD + "#define memcpy(a, b, c) memcpy(a, b, 2 * (c))\n"),
        "defines memcpy", source=HEADER_ONLY,
        poc=bytes([12]) + b"n" * 40, control=bytes([4]) + b"n" * 40,
    ),
    "lies about a length that is an int": cheat(
        harness("unsigned char *p = malloc(size); memcpy(p, data, size); part(p, (int)size + 8);"
                " free(p);", include="part.h"),
        "less memory than it says", source=INT_LENGTH, poc=b"a" * 20, control=b"xaaa",
    ),
    "copies a text without its end": cheat(
        harness("char *p = malloc(size); memcpy(p, data, size); part(p); free(p);",
                include="part.h"),
        "a text without an end", source=COMMA, poc=b"a" * 20, control=b"a,aa",
    ),
    "has a function write the target's variable": cheat(
        harness(f"{_BOX} memcpy(&box_limit, data + 1, 1); box_read(box, data, size);"),
        "writes into the target's own data", poc=b"\x3c" + b"\xff" * 70,
        control=b"\4" + b"\x20" * 40,
    ),
    "frees what the target works on": cheat(
        harness(f"{_BOX} box_read(box, data, size); boxes[0] = box; boxes[1] = box_new();"
                " which = data[1] & 1; box_each(box, stop, box);",
                before="static struct box *boxes[2]; static int which;\n"
                "static void stop(void *with, int value) { (void)with; (void)value;"
                " if (boxes[0]) { box_free(boxes[which]); boxes[0] = 0; } }\n"),
        "freed that the target is working on", poc=b"\4" + b"n" * 20, control=b"\4" + b"o" * 20,
    ),
    "repeats itself until it hangs": cheat(
        harness(f"for (long i = 0; i < 1 + (data[0] - 4) * 10000000L; i++) {SUM}"),
        "no one call of the target", effect="hang", poc=bytes([60]) * 60_000,
        expect="\n[expect]\ncpu_seconds = 0.4\n",
    ),
}  # fmt: skip


def assert_caught(workshop: Workshop, cheat: Cheat) -> None:
    found = verdict(workshop, cheat.text, **cheat.more)
    assert found.grade is Grade.REPRODUCED, found.judgement.reason
    told = [found.judgement.reason, *found.case.pocs[0].contract, *found.case.pocs[0].tampering]
    assert any(cheat.reason in text for text in told), told


@pytest.mark.parametrize("name", CHEATS)
def test_a_harness_gets_nothing_that(workshop: Workshop, name: str) -> None:
    assert_caught(workshop, CHEATS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE_CHEATS)
def test_a_harness_gets_nothing_either_that(workshop: Workshop, name: str) -> None:
    assert_caught(workshop, MORE_CHEATS[name])


def test_the_marks_are_out_of_the_harnesss_reach(workshop: Workshop) -> None:
    """It finds them in its own address space, and its first write ends in a report."""
    body = """
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[400];
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "memfd:marks")) {
            unsigned long at = strtoul(line, NULL, 16);
            unsigned char *marks;
            memcpy(&marks, &at, sizeof marks);
            for (int i = 16; i < 4000; i++)
                marks[i] = 1;
        }
    box_sum(data, data[0] == 60 ? size + 100 : size);
    """
    found = verdict(workshop, harness(body))
    assert found.grade is Grade.CLAIMED
    control = found.case.controls[0]
    assert control.sanitizer is not None
    assert control.sanitizer.kind == "use-after-poison"
    assert any("outside of its working folder" in text for text in control.tampering)


def test_a_harness_cannot_write_to_its_own_memory_as_a_file(workshop: Workshop) -> None:
    body = 'FILE *memory = fopen("/proc/self/mem", "r+"); box_sum(data, size); return !!memory;'
    runner = workshop.attacked(box.bundle(harness(body)))
    assert runner.run("control", box.CONTROL).value == 0
