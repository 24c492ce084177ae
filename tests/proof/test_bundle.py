"""The manifest: what a bundle says, and every way in which it is wrong, by file and key."""

# ruff: noqa: E501 - tables with one case on each line

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.proof.bundle import Bundle, Harness, Input, Language, Target
from clearhouse.proof.effects import EXPECT_KEYS, Effect, Expectation
from clearhouse.proof.manifest import KEYS, parse_bundle
from tests.proof.making import FILES, MANIFEST, manifest_with

EFFECT_LINE = 'effect = "exception"'
EXPECT_LINE = 'type = "RecursionError"'
PURL_LINE = 'purl = "pkg:pypi/sqlparse@0.4.4"'
FIXED_LINE = 'fixed = "0.5.0"'


def parsed(files: Mapping[str, bytes]) -> Bundle:
    return parse_bundle(files, where="b")


def refused(files: Mapping[str, bytes]) -> str:
    with pytest.raises(Invalid) as caught:
        parsed(files)
    error = caught.value
    assert error.where == "b/proof.toml"
    return str(error).removeprefix("b/proof.toml: ")


def native(language: str = "c", extra: str = "") -> dict[str, bytes]:
    text = MANIFEST.replace('language = "python"', f'language = "{language}"')
    return {**FILES, "proof.toml": text.replace(FIXED_LINE, extra).encode()}


# --- what a bundle says -------------------------------------------------------------------------


def test_a_bundle_holds_what_its_manifest_says() -> None:
    bundle = parsed(FILES)
    assert dataclasses.replace(bundle, files={}, digest="") == Bundle(
        id="CVE-2024-4340",
        title="Deeply nested lists exhaust the stack",
        effect=Effect.EXCEPTION,
        cwe=(674,),
        finder="somebody",
        target=Target(
            purl=PackageURL("pypi", None, "sqlparse", "0.4.4"),
            fixed="0.5.0",
        ),
        harness=Harness(Language.PYTHON, "harness.py"),
        pocs=(Input("poc.bin", b"[" * 5000),),
        controls=(Input("control.bin", b"[[]]"),),
        expect=Expectation(exception="RecursionError"),
        files={},
        digest="",
    )
    assert bundle.files == FILES
    assert bundle.harness_code == FILES["harness.py"]


def test_optional_parts_may_be_absent() -> None:
    text = MANIFEST
    for line in ('finder = "somebody"', FIXED_LINE, "[expect]", EXPECT_LINE):
        text = text.replace(line, "")
    bundle = parsed({**FILES, "proof.toml": text.encode()})
    assert (bundle.finder, bundle.target.fixed, bundle.expect) == (None, None, Expectation())


def test_several_pocs_and_controls() -> None:
    text = MANIFEST.replace('"poc.bin"', '["poc.bin", "inputs/./more.bin"]')
    text = text.replace('["control.bin"]', '["control.bin", "empty"]')
    files = {**FILES, "proof.toml": text.encode(), "inputs/more.bin": b"[", "empty": b""}
    bundle = parsed(files)
    assert [item.name for item in bundle.pocs] == ["poc.bin", "inputs/more.bin"]
    assert [item.data for item in bundle.controls] == [b"[[]]", b""]


@pytest.mark.parametrize("effect", Effect)
def test_every_effect_has_its_limits_by_default(effect: Effect) -> None:
    text = MANIFEST.replace(EFFECT_LINE, f'effect = "{effect}"').replace(EXPECT_LINE, "")
    bundle = parsed({**FILES, "proof.toml": text.encode()})
    assert bundle.effect == effect
    assert (bundle.expect.cpu_seconds, bundle.expect.rss_mb) == (5.0, 512)


@pytest.mark.parametrize(
    ("effect", "line", "expected"),
    [
        ("hang", "cpu_seconds = 1", Expectation(cpu_seconds=1.0)),
        ("hang", "cpu_seconds = 2.5", Expectation(cpu_seconds=2.5)),
        ("memory", "rss_mb = 128", Expectation(rss_mb=128)),
        (
            "exception",
            'type = "lxml.etree.XMLSyntaxError"',
            Expectation(exception="lxml.etree.XMLSyntaxError"),
        ),
    ],
)
def test_limits_that_the_finder_sets(effect: str, line: str, expected: Expectation) -> None:
    text = MANIFEST.replace(EFFECT_LINE, f'effect = "{effect}"').replace(EXPECT_LINE, line)
    assert parsed({**FILES, "proof.toml": text.encode()}).expect == expected


@pytest.mark.parametrize("language", Language)
def test_every_known_language_passes_the_door(language: Language) -> None:
    purl = {
        Language.JAVASCRIPT: "pkg:npm/%40scope/name@1.0.0",
        Language.GO: "pkg:golang/example.com/name@v1.0.0",
        Language.RUST: "pkg:cargo/name@1.0.0",
        Language.JAVA: "pkg:maven/org.example/name@1.0.0",
    }.get(language, "pkg:pypi/name@1.0.0")
    text = MANIFEST.replace('"python"', f'"{language}"').replace("pkg:pypi/sqlparse@0.4.4", purl)
    bundle = parsed({**FILES, "proof.toml": text.encode()})
    assert bundle.harness.language == language
    assert str(bundle.target) == purl


@pytest.mark.parametrize("version", ["0.3.2g.dev", "1!2.0", "2004d", "1.0-r2", "0.1~beta"])
def test_versions_outside_the_grammar_pass_for_pypi(version: str) -> None:
    bundle = parsed(manifest_with("@0.4.4", f"@{version}"))
    assert bundle.target.purl is not None
    assert bundle.target.purl.version == version


def test_requirements_are_purls_with_versions() -> None:
    extra = 'fixed = "0.5.0"\nrequires = ["pkg:pypi/lxml@4.9.3", "pkg:pypi/six@1.16.0"]'
    bundle = parsed(manifest_with(FIXED_LINE, extra))
    assert [str(purl) for purl in bundle.target.requires] == [
        "pkg:pypi/lxml@4.9.3",
        "pkg:pypi/six@1.16.0",
    ]


@pytest.mark.parametrize(
    "purl", ["", 'purl = "pkg:github/madler/zlib"', 'purl = "pkg:deb/debian/zlib1g@1.2"']
)
@pytest.mark.parametrize("source", ["src.tar.gz", "src"])
def test_a_source_in_the_bundle_stands_instead_of_a_registry(purl: str, source: str) -> None:
    target = f'{purl}\nsource = "{source}"\nbuild = ["./configure", "make", "make"]'
    files = native()
    text = files["proof.toml"].decode().replace(PURL_LINE, target)
    bundle = parsed({**files, "proof.toml": text.encode(), "src.tar.gz": b"x", "src/a.c": b"x"})
    assert bundle.target.source == source
    assert bundle.target.build == ("./configure", "make", "make")


def test_how_c_sources_are_compiled() -> None:
    extra = (
        'sources = ["src/*.c"]\ninclude = [".", "include"]\n'
        'defines = ["NDEBUG", "LIMIT=10"]\nstandard = "gnu++17"\nbuild = "make"'
    )
    target = parsed(native("c++", extra)).target
    assert target.sources == ("src/*.c",)
    assert target.include == (".", "include")
    assert target.defines == ("NDEBUG", "LIMIT=10")
    assert (target.standard, target.build) == ("gnu++17", ("make",))


def test_line_ends_of_other_systems_are_no_matter() -> None:
    assert parsed({**FILES, "proof.toml": MANIFEST.replace("\n", "\r\n").encode()}).cwe == (674,)


# --- text and encoding --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xef\xbb\xbf" + MANIFEST.encode(), "without a byte order mark"),
        (MANIFEST.encode("utf-16"), "without a byte order mark"),
        (MANIFEST.replace("stack", "stäck").encode("latin-1"), "expected UTF-8 text, found other bytes at byte"),
        (b"", "[proof]: the section is missing"),
        (b"[proof\n", "expected TOML: "),
        (MANIFEST.replace("cwe = [674]", "cwe = [674").encode(), "(at line 7, column 1)"),
        (b"a = 1\na = 2\n", "(at line 2, column 6)"),
        (b"a = \x00", "expected TOML: "),
        (b"a = " + b"[" * 20_000 + b"]" * 20_000, "nested too deeply"),
        (b"a = " + b"9" * 5_000, "expected TOML: "),
        (b"a = 2024-99-99", "expected TOML: "),
        (b"#" * 70_000, "expected at most 65536 bytes, found 70000"),
        (b"a = 1", "a: unknown key outside of the sections; expected 'proof'"),
    ],
)  # fmt: skip
def test_text_that_is_no_manifest(content: bytes, message: str) -> None:
    assert message in refused({**FILES, "proof.toml": content})


# --- keys and sections --------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2", "0", '"1"', "1.0", "true", "[1]"])
def test_another_format_is_named_before_anything_else(version: str) -> None:
    text = MANIFEST.replace("format = 1", f"format = {version}") + "[future]\nkey = 1\n"
    assert refused({**FILES, "proof.toml": text.encode()}).startswith("[proof] format: expected 1")


@pytest.mark.parametrize("section", ["proof", "target", "harness", "input"])
def test_a_missing_section_is_named(section: str) -> None:
    start = MANIFEST.index(f"[{section}]")
    end = MANIFEST.index("\n[", start + 1)
    text = MANIFEST[:start] + MANIFEST[end:]
    message = refused({**FILES, "proof.toml": text.encode()})
    assert message == f"[{section}]: the section is missing"


@pytest.mark.parametrize(
    ("section", "key"), [(section, key) for section, (keys, _) in KEYS.items() for key in keys]
)
def test_a_missing_key_is_named(section: str, key: str) -> None:
    lines = [line for line in MANIFEST.splitlines() if not line.startswith(f"{key} =")]
    assert len(lines) == len(MANIFEST.splitlines()) - 1
    message = refused({**FILES, "proof.toml": "\n".join(lines).encode()})
    assert message == f"[{section}] {key}: the key is missing"


@pytest.mark.parametrize("section", KEYS)
def test_a_section_that_is_no_table_is_refused(section: str) -> None:
    start = MANIFEST.index(f"[{section}]")
    end = MANIFEST.find("\n[", start + 1)
    rest = MANIFEST[:start] + (MANIFEST[end:] if end > 0 else "")
    message = refused({**FILES, "proof.toml": f"{section} = 1\n{rest}".encode()})
    assert message == f"[{section}]: expected a table, found an integer (1)"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cwe =", "cew =", "[proof] cew: unknown key; did you mean 'cwe'?"),
        ("poc =", "pocs =", "[input] pocs: unknown key; did you mean 'poc'?"),
        ("controls =", "control =", "[input] control: unknown key; did you mean 'controls'?"),
        ("fixed =", "Fixed =", "[target] Fixed: unknown key; did you mean 'fixed'?"),
        ("finder =", "zzz =", "[proof] zzz: unknown key; expected 'format', 'id',"),
        ("[harness]", "[harnes]", "[harnes]: unknown section; did you mean '[harness]'?"),
        ("[expect]", "[zzzzzz]", "[zzzzzz]: unknown section; expected 'proof', 'target',"),
        ("finder =", '"\\u001b[2J" =', "[proof] \\x1b[2J: unknown key"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(old: str, new: str, message: str) -> None:
    assert refused(manifest_with(old, new)).startswith(message)


# --- values -------------------------------------------------------------------------------------

LONG = "x" * 201
WRONG_VALUES = [
    ('id = "CVE-2024-4340"', "id = 5", "[proof] id: expected a string, found an integer (5)"),
    ('id = "CVE-2024-4340"', 'id = "  "', "[proof] id: expected a string, found the string"),
    ('id = "CVE-2024-4340"', 'id = ""', "[proof] id: expected a string, found an empty string"),
    ('id = "CVE-2024-4340"', f'id = "{LONG}"', "[proof] id: expected at most 200 characters, found 201"),
    ('id = "CVE-2024-4340"', r'id = "a\u001b[31mb"', r"found 'a\x1b[31mb'"),
    ('id = "CVE-2024-4340"', r'id = "a\nb"', r"found 'a\x0ab'"),
    ('id = "CVE-2024-4340"', r'id = "a\u202Eb"', r"found 'a\u202eb'"),
    ('title = "Deeply', r'title = "\u0000Deeply', "[proof] title: expected one line"),
    (EFFECT_LINE, 'effect = "excepton"', "did you mean 'exception'?"),
    (EFFECT_LINE, 'effect = "EXECUTE"', "did you mean 'execute'?"),
    (EFFECT_LINE, "effect = true", "[proof] effect: expected a string, found true or false (True)"),
    ("cwe = [674]", "cwe = 674", "[proof] cwe: expected a list of CWE numbers such as [79], found an integer (674)"),
    ("cwe = [674]", "cwe = []", "[proof] cwe: expected a list of CWE numbers such as [79], found an empty list"),
    ("cwe = [674]", 'cwe = ["CWE-674"]', "found the string 'CWE-674' in it"),
    ("cwe = [674]", "cwe = [true]", "found true or false (True) in it"),
    ("cwe = [674]", "cwe = [0]", "found an integer (0) in it"),
    ("cwe = [674]", "cwe = [674, 674]", "an integer (674) is listed twice"),
    ("cwe = [674]", f"cwe = [{'9' * 4000}]", "found an integer (a huge one) in it"),
    ('finder = "somebody"', "finder = 2024-01-01", "[proof] finder: expected a string, found a date or time"),
    (PURL_LINE, "purl = {}", "[target] purl: expected a string, found an empty table"),
    (PURL_LINE, 'purl = "sqlparse"', "[target] purl: expected a purl such as pkg:pypi/sqlparse@0.4.4, found 'sqlparse'"),
    (PURL_LINE, 'purl = "pkg:pypi/sqlparse"', "[target] purl: expected a version"),
    (PURL_LINE, 'purl = "pkg:npm/qs@6.5.1"', "[target] purl: expected a purl of type 'pypi' for language 'python'"),
    (PURL_LINE, 'purl = "pkg:generic/x@1"', "it names no registry: ship the source"),
    (PURL_LINE, 'purl = "pkg:pypi/x@1?file_name=a"', "without qualifiers"),
    (PURL_LINE, 'purl = "pkg:pypi/x@1#a/b"', "without qualifiers"),
    (PURL_LINE, 'purl = "pkg:pypi/--index-url%3Dx@1"', "the name '--index-url=x' is none"),
    (PURL_LINE, 'purl = "pkg:pypi/x@1%20--pre"', "the version '1 --pre' is none"),
    (PURL_LINE, 'purl = "pkg:pypi/a/b@1"', "found a namespace"),
    (PURL_LINE, "", "[target] purl: the key is missing; expected 'purl' or 'source'"),
    (FIXED_LINE, 'fixed = "0.4.4"', "[target] fixed: expected another version than the one attacked"),
    (FIXED_LINE, 'fixed = "0.4.4.0"', "[target] fixed: expected another version than the one attacked"),
    (FIXED_LINE, 'fixed = ">=0.5"', "[target] fixed: expected a version such as 0.5.0, found '>=0.5'"),
    (FIXED_LINE, "fixed = 0.5", "[target] fixed: expected a string, found a number (0.5)"),
    (FIXED_LINE, "requires = []", "[target] requires: expected a list of purls"),
    (FIXED_LINE, 'requires = "pkg:pypi/lxml@1"', "[target] requires: expected a list of purls"),
    (FIXED_LINE, 'requires = ["pkg:pypi/lxml"]', "[target] requires: expected a version"),
    (FIXED_LINE, 'requires = ["pkg:npm/qs@1.0.0"]', "[target] requires: expected a purl of type 'pypi'"),
    (FIXED_LINE, 'requires = ["pkg:pypi/sqlparse@1"]', "names the target once more"),
    (FIXED_LINE, 'requires = ["pkg:pypi/a@1", "pkg:pypi/a@2"]', "names a package once more"),
    (FIXED_LINE, 'source = "src.tgz"', "[target] source: the bundle has no file 'src.tgz'"),
    (FIXED_LINE, 'source = "/src.tgz"', "[target] source: the name '/src.tgz' is absolute"),
    (FIXED_LINE, 'build = "make"', "[target] build: goes with 'source' only"),
    (FIXED_LINE, 'sources = ["a.c"]', "[target] sources: goes with languages 'c' and 'c++' only"),
    ('language = "python"', 'language = "Python"', "did you mean 'python'?"),
    ('language = "python"', 'language = "cobol"', "[harness] language: expected 'python', 'javascript'"),
    ('file = "harness.py"', 'file = "harnes.py"', "has no file 'harnes.py'; did you mean 'harness.py'?"),
    ('file = "harness.py"', 'file = "../harness.py"', "[harness] file: the name '../harness.py' leaves the bundle"),
    ('poc = "poc.bin"', "poc = []", "[input] poc: expected a file name or a list of them, found an empty list"),
    ('poc = "poc.bin"', "poc = 1", "[input] poc: expected a file name or a list of them, found an integer (1)"),
    ('poc = "poc.bin"', 'poc = "/etc/passwd"', "[input] poc: the name '/etc/passwd' is absolute"),
    ('poc = "poc.bin"', 'poc = "a/../poc.bin"', "[input] poc: the name 'a/../poc.bin' leaves the bundle"),
    ('poc = "poc.bin"', 'poc = ["poc.bin", "./poc.bin"]', "[input] poc: 'poc.bin' is listed twice"),
    ('poc = "poc.bin"', 'poc = ["poc.bin", "poc.bin"]', "[input] poc: the string 'poc.bin' is listed twice"),
    ('poc = "poc.bin"', 'poc = "proof.toml"', "[input] poc: 'proof.toml' cannot be an input"),
    ('["control.bin"]', '"control.bin"', "[input] controls: expected a list of file names"),
    ('["control.bin"]', "[]", "[input] controls: expected a list of file names"),
    ('["control.bin"]', '[""]', "found an empty string in it"),
    ('["control.bin"]', '["poc.bin"]', "[input] controls: 'poc.bin' has the same bytes as 'poc.bin'"),
    ('["control.bin"]', str([f"c{i}" for i in range(65)]), "[input] controls: expected at most 64 entries, found 65"),
    (EXPECT_LINE, "type = 1", "[expect] type: expected a string"),
    (EXPECT_LINE, 'type = "Recursion Error"', "[expect] type: expected the name of an exception"),
    (EXPECT_LINE, "rss_mb = 128", "[expect] rss_mb: does not go with effect 'exception'; only 'type' does"),
    (EFFECT_LINE, 'effect = "crash"', "[expect] type: does not go with effect 'crash'; no key"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG_VALUES)
def test_a_wrong_value_is_answered_with_what_was_expected(old: str, new: str, message: str) -> None:
    assert message in refused(manifest_with(old, new))


@pytest.mark.parametrize("effect", EXPECT_KEYS)
@pytest.mark.parametrize("value", ["-1", "0", "1e9", "inf", "nan", "true", '"5"', "[5]"])
def test_limits_out_of_range_are_refused(effect: Effect, value: str) -> None:
    key = EXPECT_KEYS[effect]
    if key == "type":
        value = '""'
    text = MANIFEST.replace(EFFECT_LINE, f'effect = "{effect}"')
    text = text.replace(EXPECT_LINE, f"{key} = {value}")
    message = refused({**FILES, "proof.toml": text.encode()})
    assert message.startswith(f"[expect] {key}: expected ")


def test_memory_is_a_whole_number_of_mebibytes() -> None:
    text = MANIFEST.replace(EFFECT_LINE, 'effect = "memory"').replace(EXPECT_LINE, "rss_mb = 99.5")
    assert "whole number" in refused({**FILES, "proof.toml": text.encode()})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('sources = ["../a.c"]', "[target] sources: the name '../a.c' leaves"),
        ('include = ["/usr/include"]', "[target] include: the name '/usr/include' is absolute"),
        ('defines = ["-DX"]', "[target] defines: expected a list of macros"),
        ('defines = ["X=a\\nb"]', "[target] defines: expected a list of macros"),
        ('standard = "c++17 -fplugin=x"', "[target] standard: expected a standard"),
        ('build = []', "[target] build: expected a shell command or a list of them"),
        ('build = "a\\u0000b"', "[target] build: expected commands without NUL"),
        ('build = 1', "[target] build: expected a shell command or a list of them"),
    ],
)  # fmt: skip
def test_wrong_ways_to_compile(line: str, message: str) -> None:
    assert refused(native("c", line)).startswith(message)


@pytest.mark.parametrize("version", ["latest", "^1.0.0", "1.0", "1.x"])
def test_an_npm_version_is_an_exact_one(version: str) -> None:
    text = MANIFEST.replace('"python"', '"javascript"')
    text = text.replace("pkg:pypi/sqlparse@0.4.4", f"pkg:npm/qs@{version.replace('^', '%5E')}")
    message = refused({**FILES, "proof.toml": text.encode()})
    assert message.startswith("[target] purl: expected ")


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b" \n", "expected code, but 'harness.py' is empty"),
        (b"caf\xe9 = 1", "expected UTF-8 text, but 'harness.py' has other bytes at byte 3"),
        (b"a = 1\0", "expected text, but 'harness.py' has NUL bytes"),
    ],
)
def test_a_harness_is_text(code: bytes, message: str) -> None:
    assert refused({**FILES, "harness.py": code}) == f"[harness] file: {message}"


def test_a_control_equal_to_the_poc_is_refused() -> None:
    files = {**FILES, "control.bin": FILES["poc.bin"]}
    assert refused(files) == (
        "[input] controls: 'control.bin' has the same bytes as 'poc.bin';"
        " expected inputs that differ"
    )


@pytest.mark.parametrize("name", ["harness.py", "poc.bin", "control.bin"])
def test_a_file_that_is_not_there_is_named(name: str) -> None:
    files = {key: data for key, data in FILES.items() if key != name}
    assert f"the bundle has no file '{name}'" in refused(files)
