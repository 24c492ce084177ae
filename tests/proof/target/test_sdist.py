"""Source distributions of all ages, made importable without building them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from clearhouse.proof.target import Reason, Store, TargetUnavailable, running_interpreter
from clearhouse.proof.target.imports import read_imports
from clearhouse.proof.target.sdist import requires_txt, sdist_unit, source_tree
from clearhouse.proof.target.unit import Unit
from tests.proof.target.making import metadata, sdist, zip_bytes

PKG_INFO = "Metadata-Version: 1.1\nName: demo\nVersion: 1.0\n"


def _unit(tmp_path: Path, files: Mapping[str, bytes | str], project: str = "demo") -> Unit:
    name, content = sdist(project, "1.0", files)
    archive = tmp_path / name
    archive.write_bytes(content)
    return sdist_unit(Store(tmp_path / "cache"), archive, project, running_interpreter())


def _site(unit: Unit) -> set[str]:
    return {
        name.removeprefix("site/")
        for name in unit.files
        if name.startswith("site/") and ".dist-info/" not in name
    }


LAYOUTS: dict[str, tuple[dict[str, str], set[str], tuple[str, ...]]] = {
    "packages beside setup.py": (
        {
            "setup.py": "setup(packages=['demo', 'demo.sub'])",
            "demo/__init__.py": "",
            "demo/sub/__init__.py": "",
            "demo/data.txt": "x",
            "tests/__init__.py": "",
            "docs/conf.py": "",
        },
        {"demo/__init__.py", "demo/sub/__init__.py", "demo/data.txt"},
        ("demo",),
    ),
    "src layout by find_packages": (
        {
            "setup.py": "setup(packages=find_packages('src'), package_dir={'': 'src'})",
            "src/demo/__init__.py": "",
            "demo.py": "in the way",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "one folder for each Python": (
        {
            "setup.py": "import sys\nsetup(packages=['demo'],"
            " package_dir={'': {2: 'lib', 3: 'lib3'}[sys.version_info[0]]})",
            "lib/demo/__init__.py": "print 'two'",
            "lib3/demo/__init__.py": "print('three')",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "lib3 preferred where setup.py says nothing": (
        {
            "demo.egg-info/top_level.txt": "demo\n_demo\n",
            "lib/demo/__init__.py": "print 'two'",
            "lib3/demo/__init__.py": "print('three')",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "single modules": (
        {"setup.py": "setup(py_modules=['demo', 'demo_more'])", "demo.py": "", "demo_more.py": ""},
        {"demo.py", "demo_more.py"},
        ("demo", "demo_more"),
    ),
    "a package from a folder of another name": (
        {
            "setup.py": "setup(packages=['demo', 'demo.sub'],"
            " package_dir={'demo': 'source', 'demo.sub': 'elsewhere'})",
            "source/__init__.py": "",
            "source/a.py": "",
            "elsewhere/__init__.py": "",
        },
        {"demo/__init__.py", "demo/a.py", "demo/sub/__init__.py"},
        ("demo",),
    ),
    "setup.cfg": (
        {
            "setup.cfg": "[options]\npackages = find:\npackage_dir =\n    = src\n"
            "[options.packages.find]\nwhere = src\nexclude =\n    tests*\n",
            "setup.py": "setup()",
            "src/demo/__init__.py": "",
            "src/tests/__init__.py": "",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "pyproject of setuptools": (
        {
            "pyproject.toml": "[tool.setuptools.packages.find]\nwhere = ['python']\n",
            "python/demo/__init__.py": "",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "poetry": (
        {
            "pyproject.toml": "[tool.poetry]\npackages = [{include = 'demo', from = 'code'}]\n",
            "code/demo/__init__.py": "",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "hatch": (
        {
            "pyproject.toml": "[tool.hatch.build.targets.wheel]\npackages = ['code/demo']\n",
            "code/demo/__init__.py": "",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "flit": (
        {
            "pyproject.toml": "[tool.flit.module]\nname = 'demo_mod'\n",
            "demo_mod.py": "",
            "other.py": "",
        },
        {"demo_mod.py"},
        ("demo_mod",),
    ),
    "maturin": (
        {
            "pyproject.toml": "[tool.maturin]\npython-source = 'py-src'\n",
            "py-src/demo/__init__.py": "",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "a namespace package": (
        {
            "setup.py": "setup(packages=find_packages('src'), package_dir={'': 'src'})",
            "src/zope/__init__.py": "",
            "src/zope/demo/__init__.py": "",
        },
        {"zope/__init__.py", "zope/demo/__init__.py"},
        ("zope",),
    ),
    "a setup.py for Python 2": (
        {
            "setup.py": "print 'hello'\nsetup(packages=['other'])",
            "demo/__init__.py": "",
            "tests/__init__.py": "",
            "setup_helper/x.txt": "",
        },
        {"demo/__init__.py"},
        ("demo",),
    ),
    "no description at all": (
        {"demo.py": "", "conftest.py": "", "README": ""},
        {"demo.py"},
        ("demo",),
    ),
    "a project that is called like something to skip": (
        {"utils/__init__.py": "", "docs/__init__.py": ""},
        {"utils/__init__.py"},
        ("utils",),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_all_ages_are_placed_as_an_installer_would(tmp_path: Path, layout: str) -> None:
    files, expected, importable = LAYOUTS[layout]
    project = "utils" if "utils/__init__.py" in files else "demo"
    unit = _unit(tmp_path, files, project)
    assert _site(unit) == expected
    assert unit.importable == importable
    assert all((unit.folder / name).is_file() for name in unit.files)


def test_the_right_one_of_two_folders_is_taken(tmp_path: Path) -> None:
    unit = _unit(tmp_path, LAYOUTS["one folder for each Python"][0])
    assert (unit.folder / "site/demo/__init__.py").read_text() == "print('three')"


@pytest.mark.parametrize(
    "setup",
    [
        "setup(packages=['demo'], package_dir={'demo': '../../../etc'})",
        "setup(packages=['demo'], package_dir={'': '/etc'})",
        "setup(packages=['../../etc', '/etc', 'demo'])",
        "setup(py_modules=['../../../etc/passwd', 'demo'])",
        "setup(packages=find_packages('../..'))",
    ],
)
def test_no_description_reaches_outside_the_source(tmp_path: Path, setup: str) -> None:
    unit = _unit(tmp_path, {"setup.py": setup, "demo/__init__.py": "", "demo.py": ""})
    assert _site(unit) <= {"demo/__init__.py", "demo.py"}
    assert unit.importable == ("demo",)


def test_a_source_without_python_has_nothing_to_import(tmp_path: Path) -> None:
    with pytest.raises(TargetUnavailable) as caught:
        _unit(tmp_path, {"setup.py": "setup()", "main.c": ""})
    assert caught.value.reason is Reason.NOTHING_IMPORTABLE


def test_its_version_can_be_asked_for_when_it_runs(tmp_path: Path) -> None:
    unit = _unit(tmp_path, {"demo.py": "", "PKG-INFO": PKG_INFO})
    script = "import importlib.metadata as m; print(m.version('demo'))"
    answer = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": str(unit.folder / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "1.0\n"


def test_extension_modules_that_are_not_built_are_noted(tmp_path: Path) -> None:
    unit = _unit(
        tmp_path,
        {
            "setup.py": "setup(packages=['demo'], ext_modules=[Extension('demo._fast', ['f.c'])])",
            "demo/__init__.py": "",
            "f.c": "",
        },
    )
    assert unit.extensions == ("demo._fast",)
    assert unit.notes == (
        "its extension modules (demo._fast) were not built: only Python files here",
    )


@pytest.mark.parametrize(
    ("files", "requires"),
    [
        ({"PKG-INFO": metadata("demo", "1.0", ("six>=1",))}, ("six>=1",)),
        (
            {
                "PKG-INFO": PKG_INFO,
                "demo.egg-info/PKG-INFO": PKG_INFO,
                "demo.egg-info/requires.txt": "six\n\n[x]\npytest\n\n[:python_version<'3']\nmock\n",
            },
            ("six", 'pytest ; extra == "x"', "mock ; (python_version<'3')"),
        ),
        ({"PKG-INFO": PKG_INFO, "setup.py": "setup(install_requires=['six'])"}, ("six",)),
        (
            {"setup.cfg": "[options]\ninstall_requires =\n    six>=1,<2\n    attrs\n"},
            ("six>=1,<2", "attrs"),
        ),
        ({"pyproject.toml": "[project]\ndependencies = ['six']\n"}, ("six",)),
        (
            {
                "PKG-INFO": "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n",
                "setup.py": "setup(install_requires=['not-true'])",
            },
            (),
        ),
        (
            {
                "PKG-INFO": PKG_INFO,
                "demo.egg-info/PKG-INFO": PKG_INFO,
                "setup.py": "setup(install_requires=['only-for-python-2'])",
            },
            (),
        ),
    ],
    ids=["PKG-INFO", "requires.txt", "setup.py", "setup.cfg", "pyproject", "2.2", "egg-info"],
)
def test_dependencies_come_from_the_most_dependable_place(
    tmp_path: Path, files: dict[str, str], requires: tuple[str, ...]
) -> None:
    assert _unit(tmp_path, {"demo.py": "", **files}).requires == requires


def test_requires_txt_sections_become_markers() -> None:
    text = "a\n# note\n\n[x:sys_platform == 'win32']\nb>1\n"
    assert requires_txt(text) == ["a", "b>1 ; (sys_platform == 'win32') and extra == \"x\""]


def test_pkg_resources_is_a_dependency_that_old_releases_do_not_declare(tmp_path: Path) -> None:
    unit = _unit(tmp_path, {"demo.py": "import os\nfrom pkg_resources import require\n"})
    assert unit.requires == ("setuptools<81",)


def test_pkg_resources_with_a_way_around_it_is_no_dependency(tmp_path: Path) -> None:
    unit = _unit(
        tmp_path, {"demo.py": "try:\n    import pkg_resources\nexcept ImportError:\n    pass\n"}
    )
    assert unit.requires == ()


@pytest.mark.skipif(
    importlib.util.find_spec("lib2to3") is None, reason="Python 3.13 and later have no 2to3"
)
def test_a_release_that_wants_2to3_is_converted_and_its_source_is_not(tmp_path: Path) -> None:
    files = {
        "setup.py": "setup(packages=['demo'], use_2to3=True)",
        "demo/__init__.py": "import urllib2\nprint u'text'\n",
        "demo/fine.py": "x = 1\n",
    }
    unit = _unit(tmp_path, files)
    converted = (unit.folder / "site/demo/__init__.py").read_text()
    assert "urllib.request" in converted
    assert "print('text')" in converted
    assert unit.notes == ("converted by 2to3 as its setup.py says (1 files changed)",)
    name, content = sdist("demo", "1.0", files)
    (tmp_path / name).write_bytes(content)
    source = source_tree(Store(tmp_path / "cache"), tmp_path / name)
    assert "urllib2" in (source.root / "src/demo/__init__.py").read_text()


def test_python_2_code_that_does_not_want_2to3_stays_as_it_is(tmp_path: Path) -> None:
    unit = _unit(tmp_path, {"demo.py": "print 'two'\n"})
    assert (unit.folder / "site/demo.py").read_text() == "print 'two'\n"


def test_a_zip_without_a_top_folder_is_unpacked_as_it_is(tmp_path: Path, store: Store) -> None:
    archive = tmp_path / "odd.zip"
    archive.write_bytes(zip_bytes({"a.c": "int x;"}))
    tree = source_tree(store, archive)
    assert (tree.root / "src/a.c").read_text() == "int x;"


@pytest.mark.parametrize(
    ("files", "obstacle"),
    [
        ({"demo.py": "from inspect import formatargspec\n"}, "inspect has no formatargspec"),
        ({"demo.py": "import urllib2\n"}, "no module urllib2"),
        ({"demo.py": "import os.nothing\n"}, "no module os.nothing"),
        ({"demo.py": "print 'two'\n"}, "not this Python's syntax"),
        ({"demo/__init__.py": "from demo._fast import f\n"}, "demo._fast is not there"),
        (
            {"demo/__init__.py": "from . import sub\n", "demo/sub.py": "import StringIO\n"},
            "no module StringIO",
        ),
        ({"demo/__init__.py": "import sub\n", "demo/sub.py": ""}, "lies beside it"),
        (
            {
                "demo/__init__.py": "from demo import _fast\n",
                "setup.py": "setup(packages=['demo'], ext_modules=[Extension('demo._fast', [])])",
            },
            "demo._fast is not there",
        ),
        (
            {
                "demo.py": "def make():\n    import _demo_backend as backend\n",
                "setup.py": "setup(py_modules=['demo'], "
                "ext_modules=[Extension('_demo_backend', [])])",
            },
            "_demo_backend is an extension module, not built",
        ),
        (
            {
                "demo/__init__.py": "def make():\n    from ._fast import f\n",
                "setup.py": "setup(packages=['demo'], ext_modules=[Extension('demo._fast', [])])",
            },
            "demo._fast is an extension module, not built",
        ),
    ],
)
def test_imports_that_must_fail_are_seen(
    tmp_path: Path, files: dict[str, str], obstacle: str
) -> None:
    unit = _unit(tmp_path, files)
    (found,) = read_imports(Store(tmp_path / "cache"), unit, running_interpreter()).obstacles
    assert obstacle in found


@pytest.mark.parametrize(
    "files",
    [
        {"demo.py": "try:\n    from collections import Mapping\nexcept ImportError:\n    pass\n"},
        {"demo.py": "import sys\nif sys.version_info[0] == 2:\n    import urllib2\n"},
        {"demo.py": "def f():\n    import urllib2\n"},
        {"demo.py": "from collections import Mapping\n"},  # is put back
        {
            "demo.py": "x = 1" + " + 1" * 2000 + "\n",
            "setup.py": "setup(py_modules=['demo'], ext_modules=[Extension('_fast', [])])",
        },
        {
            "demo.py": "def f():\n    try:\n        import _fast\n    except ImportError:\n"
            "        pass\n",
            "setup.py": "setup(py_modules=['demo'], ext_modules=[Extension('_fast', [])])",
        },
        {"demo.py": "import xml.etree.ElementTree, os.path\nfrom os import path\n"},
        {"demo.py": "from xml import dom\nfrom collections import *\nimport third_party\n"},
        {
            "demo/__init__.py": "try:\n    import demo._fast\nexcept (ImportError, ValueError):\n"
            "    from demo._slow import f\n",
            "demo/_slow.py": "f = 1\n",
        },
        {
            "demo/__init__.py": "from .sub import name\n",
            "demo/sub/__init__.py": "name = 1\n",
            "demo/unused.py": "print 'two'\n",
        },
        {"demo/__init__.py": "from .. import beyond\n"},
    ],
)
def test_imports_with_a_way_around_them_are_no_obstacle(
    tmp_path: Path, files: dict[str, str]
) -> None:
    unit = _unit(tmp_path, files)
    assert read_imports(Store(tmp_path / "cache"), unit, running_interpreter()).obstacles == ()


def test_tests_installed_by_mistake_are_no_obstacle(tmp_path: Path) -> None:
    setup = "setup(packages=['demo', 'tests'])"
    unit = _unit(
        tmp_path, {"setup.py": setup, "demo/__init__.py": "", "tests/__init__.py": "import urllib2"}
    )
    assert unit.importable == ("demo", "tests")
    assert read_imports(Store(tmp_path / "cache"), unit, running_interpreter()).obstacles == ()


def test_reading_imports_runs_nothing_of_the_package(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w').write('x')\nimport json\n"
    unit = _unit(
        tmp_path,
        {
            "setup.py": code + "setup(packages=['demo'])",
            "demo/__init__.py": code,
            "json.py": code,
            "demo/json.py": code,
        },
    )
    read_imports(Store(tmp_path / "cache"), unit, running_interpreter())
    assert not marker.exists()
