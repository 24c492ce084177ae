"""Reading and marking a harness in LLVM's own text, with typed and with opaque pointers."""

from __future__ import annotations

import pytest

from clearhouse.proof.build import ir
from clearhouse.proof.build.contract import violations
from clearhouse.proof.build.instructions import parse_call, split_list, split_type
from clearhouse.proof.build.instrument import instrument
from clearhouse.proof.build.marks import MOST_MARKS, TooManyMarks

TYPED = """\
%struct.box = type opaque
%struct.view = type { i8*, i32, i32 (i32)* }
@.str = private unnamed_addr constant [2 x i8] c"x\\00", align 1
define dso_local i32 @LLVMFuzzerTestOneInput(i8* noundef %data, i64 noundef %size) #0 !dbg !5 {
entry:
  %box = alloca %struct.box*, align 8
  store i8* %data, i8** %slot, align 8, !dbg !7
  %0 = load %struct.box*, %struct.box** %box, align 8, !dbg !8
  %cmp = icmp eq i32 %a, 60, !dbg !8
  %1 = icmp ne i8* %data, null, !dbg !8, !nosanitize !2
  br i1 %1, label %cont, label %handler.null, !dbg !8, !nosanitize !2

handler.null:                                     ; preds = %entry
  call void @__ubsan_handle_type_mismatch_v1_abort(i8* null, i64 0) #3, !dbg !8, !nosanitize !2
  unreachable, !dbg !8, !nosanitize !2

cont:                                             ; preds = %entry
  %both = phi i32 [ 1, %entry ], [ 2, %entry ], !dbg !9
  %call = call i32 @box_read(%struct.box* noundef %0, i8* noundef %data, i64 noundef %size), !dbg !9
  ret i32 %call, !dbg !9
}
declare i32 @box_read(%struct.box* noundef, i8* noundef, i64 noundef) #1
attributes #0 = { noinline sanitize_address "frame-pointer"="all" }
!1 = !DIFile(filename: "/harness/harness.c", directory: "/build")
!5 = distinct !DISubprogram(name: "LLVMFuzzerTestOneInput", scope: !1, file: !1, line: 3, unit: !0)
!7 = !DILocation(line: 4, column: 1, scope: !5)
!8 = !DILocation(line: 5, column: 1, scope: !5)
!9 = !DILocation(line: 6, column: 1, scope: !5)
"""


def opaque(text: str) -> str:
    """The same with opaque pointers, as later compilers write it."""
    for typed in ("%struct.box**", "%struct.box*", "i32 (i32)*", "i8**", "i8*"):
        text = text.replace(typed, "ptr")
    return text


def changed(old: str, new: str) -> str:
    assert TYPED.count(old) == 1
    return TYPED.replace(old, new)


def test_functions_types_and_lines_are_read() -> None:
    module = ir.parse(TYPED)
    (function,) = module.functions
    assert (function.name, function.side, function.line) == (
        "LLVMFuzzerTestOneInput", ir.Side.HARNESS, 3,
    )  # fmt: skip
    assert module.typed_pointers
    assert not ir.parse(opaque(TYPED)).typed_pointers
    assert module.opaque_types == {"%struct.box"}
    assert module.pointers_in("%struct.view") == [(0, 32), (2, 0)]
    assert module.declared == {"box_read": ("%struct.box*", "i8*", "i64")}


@pytest.mark.parametrize("text", [TYPED, opaque(TYPED)], ids=["typed", "opaque"])
def test_an_honest_harness_is_marked_and_keeps_the_contract(text: str) -> None:
    module = ir.parse(text)
    assert violations(module, {"box_read"}) == []
    marked = instrument(module, {"box_read"}, salt=1)
    assert [(site.line, site.callee) for site in marked.sites] == [(6, "box_read")]
    lines = marked.text.split("\n")
    truth = next(i for i, x in enumerate(lines) if "__clearhouse_truth(" in x)
    assert lines[truth - 2].startswith("  %cmp = icmp")
    call = next(i for i, x in enumerate(lines) if "@box_read(" in x)
    assert "__clearhouse_call(" in lines[call - 1]
    assert "__clearhouse_integer(" in lines[call + 2]
    assert any("__clearhouse_span(" in x and ", i64 %size, i32 1" in x for x in lines)
    # Nothing goes before a phi, and nothing is made of what the sanitizer put there.
    phi = next(i for i, x in enumerate(lines) if " = phi " in x)
    assert lines[phi - 1].startswith("cont:")
    assert marked.text.count("__clearhouse_truth(i32 ") == 1


def test_a_block_that_the_harness_can_jump_to_is_marked_whatever_its_name() -> None:
    text = changed(
        "  %cmp = icmp eq", "  indirectbr i8* %t, [label %cont], !dbg !8\n  %cmp = icmp eq"
    )
    plain = instrument(ir.parse(TYPED), {"box_read"}, salt=1)
    jumped = instrument(ir.parse(text), {"box_read"}, salt=1)
    assert len(jumped.lines) == len(plain.lines) + 1


def test_a_harness_of_any_size_is_not_followed() -> None:
    many = "".join(f"  %x{i} = icmp eq i32 %a, {i}, !dbg !8\n" for i in range(MOST_MARKS))
    text = changed("  %cmp = icmp", f"{many}  %cmp = icmp")
    with pytest.raises(TooManyMarks):
        instrument(ir.parse(text), {"box_read"}, salt=1)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("; preds = %entry\n  %both", "\n  call void @abort(), !dbg !9\n  %both", "(abort)"),
        ("  %cmp = icmp", '  call void asm sideeffect "nop", ""(), !dbg !8\n  %cmp = icmp',
         "assembler"),
        ("  %cmp = icmp", '  call void @"\\01dlsym"(), !dbg !8\n  %cmp = icmp', "(dlsym)"),
        ("  %cmp = icmp", "  %p = inttoptr i64 %size to i8*, !dbg !8\n  %cmp = icmp",
         "out of a number"),
        ("  %cmp = icmp", "  store i32 1, i32* @box_limit, align 4, !dbg !8\n  %cmp = icmp",
         "the target's variable box_limit"),
        ("  %cmp = icmp", "  call void @__asan_unpoison_memory_region(i8* %data, i64 8)\n"
         "  %cmp = icmp", "refers to __asan"),
        ("  %cmp = icmp", "  call void bitcast (i32 (%struct.box*, i8*, i64)* @box_read to void "
         "(i64)*)(i64 %size), !dbg !8\n  %cmp = icmp", "other types than it is declared"),
        ("  %cmp = icmp", "  call win64cc void @box_read(), !dbg !8\n  %cmp = icmp",
         "calling convention"),
        ("noinline sanitize_address", "noinline", "out of the sanitizer's sight"),
        ("define dso_local i32", "define weak i32", "(weak)"),
        ("@.str = private", "@llvm.global_ctors = appending global [1 x i8*] [i8* @run]\n"
         "@.str = private", "has run run by itself"),
        ("@.str = private", "@other = dso_local alias i32, i32* @x\n@.str = private", "alias"),
        ("@.str = private", 'module asm "nop"\n@.str = private', "assembler"),
        ("@.str = private", "@f = internal global void ()* @abort\n@.str = private", "(abort)"),
        ("@LLVMFuzzerTestOneInput(", "@box_read(", "which the target defines too"),
    ],
)  # fmt: skip
def test_what_costs_the_attribution(old: str, new: str, what: str) -> None:
    text = changed(old, new) if TYPED.count(old) == 1 else TYPED.replace(old, new, 1)
    found = [str(v) for v in violations(ir.parse(text), {"box_read", "box_limit"})]
    assert any(what in one for one in found), found


def test_code_of_the_targets_headers_is_let_alone() -> None:
    inline = """\
define internal i32 @helper(i32 %n) #0 !dbg !12 {
entry:
  call void @abort(), !dbg !9
  ret i32 0
}
!11 = !DIFile(filename: "/target/include/box.h", directory: "/build")
!12 = distinct !DISubprogram(name: "helper", scope: !11, file: !11, line: 3, unit: !0)
"""
    module = ir.parse(TYPED + inline)
    assert [f.side for f in module.functions] == [ir.Side.HARNESS, ir.Side.TARGET]
    assert violations(module, {"box_read"}) == []
    text = instrument(module, {"box_read"}, salt=1).text
    assert "__clearhouse" not in text[text.index("@helper(") : text.index("!11 =")]


@pytest.mark.parametrize(
    ("line", "name", "types"),
    [
        ("  %1 = call i32 (i8*, ...) @printf(i8* noundef %0, i32 5), !dbg !1", "printf",
         ["i8*", "i32"]),
        ("  call void %f(i8* null)", None, ["i8*"]),
        ("  %c = tail call noalias nonnull i8* @malloc(i64 noundef 8) #4", "malloc", ["i64"]),
        ("  invoke void @_ZN3BoxC1Ev(%class.Box* noundef nonnull align 8 dereferenceable(24) %b)",
         "_ZN3BoxC1Ev", ["%class.Box*"]),
        ("  call void @each(%struct.box* %b, void (i8*, i32)* noundef @visit, i8* null)", "each",
         ["%struct.box*", "void (i8*, i32)*", "i8*"]),
        ("  call void @s(%struct.S* noundef byval(%struct.S) align 8 %x, [2 x i64] %y)", "s",
         ["%struct.S*", "[2 x i64]"]),
        ("  %r = call i32 bitcast (i32 (...)* @old to i32 (i8*)*)(i8* %p)", "old", ["i8*"]),
        ("  %2 = call ptr @m(ptr noundef %1, i64 noundef 3)", "m", ["ptr", "i64"]),
        ('  call void @"\\01odd(name"(i32 1)', "odd(name", ["i32"]),
    ],
)  # fmt: skip
def test_calls(line: str, name: str | None, types: list[str]) -> None:
    call = parse_call(line)
    assert call is not None
    assert call.name == name
    assert [argument.type for argument in call.arguments] == types


def test_types_and_lists_with_brackets_inside() -> None:
    assert split_type("void (i8*, { i32, i8* })* %f") == ("void (i8*, { i32, i8* })*", "%f")
    assert split_type('%"class.std::pair<int, x>"* %p') == ('%"class.std::pair<int, x>"*', "%p")
    assert split_list('i8* getelementptr ([2 x i8], [2 x i8]* @s, i64 0), "a,b", i32 1') == [
        "i8* getelementptr ([2 x i8], [2 x i8]* @s, i64 0)", '"a,b"', "i32 1",
    ]  # fmt: skip
    assert parse_call("  %1 = add i32 %a, %b") is None
