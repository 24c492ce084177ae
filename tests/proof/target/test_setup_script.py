"""What can be read from a setup.py without running it, and what must not be guessed."""

from __future__ import annotations

import time

import pytest

from clearhouse.proof.target.literals import FindPackages
from clearhouse.proof.target.setup_script import SetupScript, read_setup_script


def _read(source: str, version: tuple[int, int, int] = (3, 11, 4)) -> SetupScript:
    found = read_setup_script(source.encode(), version)
    assert found is not None
    return found


def test_literals_are_read() -> None:
    script = _read("""
from setuptools import setup, Extension
setup(
    name="demo",
    packages=["demo", "demo.sub"],
    py_modules=["single"],
    package_dir={"": "src"},
    install_requires=["six>=1.0", "attrs"],
    ext_modules=[Extension("demo._fast", ["fast.c"])],
    use_2to3=True,
)
""")
    assert script == SetupScript(
        packages=("demo", "demo.sub"),
        py_modules=("single",),
        package_dir=(("", "src"),),
        install_requires=("six>=1.0", "attrs"),
        extensions=("demo._fast",),
        compiles=True,
        uses_2to3=True,
    )


@pytest.mark.parametrize(("version", "folder"), [((3, 11, 0), "lib3"), ((2, 7, 18), "lib")])
@pytest.mark.parametrize(
    "source",
    [
        "setup(package_dir={'': {2: 'lib', 3: 'lib3'}[sys.version_info[0]]})",
        "d = 'lib3' if sys.version_info >= (3,) else 'lib'\nsetup(package_dir={'': d})",
        "d = {'': 'lib'}\nif sys.version_info[0] == 3:\n    d[''] = 'lib3'\nsetup(package_dir=d)",
        "r = 'lib'\nif not sys.version_info < (3, 0):\n    r += '3'\nsetup(package_dir={'': r})",
        """
extra = {}
if sys.version_info.major > 2:
    extra.update(package_dir={"": "lib3"})
else:
    extra.update({"package_dir": {"": "lib"}})
setup(name="x", **extra)
""",
        "if sys.version[0] == '3': d = 'lib3'\nelse: d = 'lib'\nsetup(package_dir={'': d})",
        "setup(package_dir={'': os.path.join('.', 'lib%s' % ('', '3')[sys.version_info[0] > 2])})",
    ],
)
def test_folders_by_python_version_are_told(
    source: str, version: tuple[int, int, int], folder: str
) -> None:
    ((name, found),) = _read(f"import sys, os\n{source}\n", version).package_dir
    assert (name, found.removeprefix("./")) == ("", folder)


def test_find_packages_is_kept_as_what_it_is() -> None:
    script = _read("setup(packages=find_packages('src', exclude=['tests*']) + ['extra'])")
    assert script.found_in == (FindPackages("src", ("tests*",)),)
    assert script.packages == ("extra",)


def test_a_function_of_the_scripts_own_is_not_taken_for_setuptools() -> None:
    script = _read("def find_packages(base):\n    return []\nsetup(packages=find_packages('demo'))")
    assert script.found_in == ()


@pytest.mark.parametrize(
    "source",
    [
        "def main():\n    setup(packages=['demo'])\nif __name__ == '__main__':\n    main()",
        "if __name__ == '__main__':\n    setup(packages=['demo'])",
        "try:\n    import setuptools\nexcept ImportError:\n    pass\nsetup(packages=['demo'])",
        "import setuptools\nsetuptools.setup(packages='demo'.split())",
        "with open('x') as f:\n    text = f.read()\nsetup(packages=['demo'], description=text)",
        "kw = dict(packages=['demo'])\nsetup(**kw)",
        "p = []\np.append('demo')\nsetup(packages=p)",
        "NAME = 'demo'\nsetup(packages=['{}'.format(NAME)])",
    ],
)
def test_common_ways_of_calling_setup_are_understood(source: str) -> None:
    assert _read(source).packages == ("demo",)


@pytest.mark.parametrize(("use", "expected"), [("cmdclass={'build_py': b}", True), ("", False)])
def test_the_converting_build_command_of_distutils_is_seen(use: str, expected: bool) -> None:
    start = "try:\n    from distutils.command.build_py import build_py_2to3 as b\n"
    script = _read(f"{start}except ImportError:\n    b = None\nsetup(packages=['x'], {use})")
    assert script.uses_2to3 is expected


def test_what_cannot_be_known_is_left_out() -> None:
    script = _read("""
import os
setup(
    packages=[os.environ["NAME"], "known"],
    package_dir=compute(),
    install_requires=open("requirements.txt").read().splitlines(),
    use_2to3=os.environ.get("X"),
)
""")
    assert script.packages == ("known",)
    assert script.package_dir == ()
    assert script.install_requires is None
    assert not script.uses_2to3


@pytest.mark.parametrize(
    "source",
    [
        "print 'python 2'",
        "x = (",
        "\0",
        "(" * 100_000,
        "x = " + "-" * 100_000 + "1",
        "x = " + "+".join(["1"] * 50_000),
        "#" * (2 << 20),
    ],
    ids=["python 2", "cut", "nul", "nested", "unary", "long sum", "huge"],
)
def test_a_script_that_cannot_be_parsed_says_nothing_or_little(source: str) -> None:
    found = read_setup_script(source.encode(), (3, 11, 0))
    assert found is None or found == SetupScript()


@pytest.mark.parametrize(
    "source",
    [
        "x = '%999999999999d' % 1",
        "x = '{:>999999999999}'.format('a')",
        "x = 'a'\n" + "x = x + x\n" * 60,
        "x = ['a']\n" + "x = x + x\n" * 60,
        "x = 'a'\n" + "x += x\n" * 60,
        "x = 'aaaaaaaaaa'\n" + "x = x.replace('a', 'aaaaaaaaaa')\n" * 30,
        "x = ['aaaaaaaaaa'] * 10\n" + "x = [''.join(x)] + x\n" * 60,
        "d = {}\nd['d'] = d\nd.update(d)",
        "x = ['a']\n" + "x.extend(x)\n" * 60,
        "a = [1]\n" + "a = [a, a]\n" * 60 + "x = '%s' % a\ny = '{}'.format(a)",
        "a = [1]\nb = [1]\n" + "a = [a, a]\nb = [b, b]\n" * 60 + "x = a == b\ny = a in b",
        "a = (1,)\nb = (1,)\n" + "a = (a, a)\nb = (b, b)\n" * 60 + "x = a < b",
        "x = []\nx.append(x)\nx.extend(x)\nsetup(packages=x)",
    ],
)
def test_a_hostile_script_costs_neither_memory_nor_time(source: str) -> None:
    started = time.process_time()
    read_setup_script(f"{source}\nsetup()".encode(), (3, 11, 0))
    assert time.process_time() - started < 2


def test_nothing_of_the_script_is_run(tmp_path: object) -> None:
    script = _read(f"""
import os
open({str(tmp_path)!r} + "/ran", "w").write("x")
os.system("touch {tmp_path}/ran")
setup(packages=[__import__("os").getcwd()], name=exec("1/0"))
raise SystemExit
""")
    assert script.packages == ()
