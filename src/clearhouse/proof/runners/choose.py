"""The workshop: brings the right version of a bundle's target here and picks its runner."""

from __future__ import annotations

from packageurl import PackageURL

from clearhouse.errors import Invalid, Unavailable
from clearhouse.proof.build.sources import Tree, bundled_tree, registry_tree
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.closing import Closing
from clearhouse.proof.runners.base import Cells, Runner
from clearhouse.proof.runners.javascript import JavaScriptRunner
from clearhouse.proof.runners.native import native_runner
from clearhouse.proof.runners.python import PythonRunner
from clearhouse.proof.target import Installed, install


class Workshop(Closing):
    """Installed targets and warm sandboxes of one worker.  Use as a context manager."""

    def __init__(self, cells: int = 4) -> None:
        self._cells = Cells(cells)

    @classmethod
    def hasty(cls, most_cpu_s: float) -> Workshop:
        """A workshop whose runs are soon stopped, for inputs of which little is expected.

        What it sees is no verdict: a run that was stopped might have shown something.
        """
        made = cls()
        made._cells = Cells(most_cpu_s=most_cpu_s)
        return made

    def attacked(self, bundle: Bundle) -> Runner:
        """The runner for the version that the bundle attacks."""
        purl = bundle.target.purl
        return self.at(bundle, purl.version if purl is not None else None)

    def fixed(self, bundle: Bundle) -> Runner:
        """The runner for the version in which the finder believes the flaw fixed."""
        return self.at(bundle, bundle.target.fixed)

    def at(self, bundle: Bundle, version: str | None) -> Runner:
        """The runner for any released version of the bundle's target."""
        language = bundle.harness.language
        if not language.runs_here:
            raise Unavailable(f"harnesses in {language.value} cannot be run here yet")
        match language:
            case Language.PYTHON:
                return self._python(bundle, version)
            case Language.JAVASCRIPT:
                return self._javascript(bundle, version)
            case Language.C | Language.CPP:
                return self._native(bundle, version)
            case _:
                raise Unavailable(f"harnesses in {language.value} cannot be run here yet")

    def on(self, bundle: Bundle, tree: Installed | Tree, version: str) -> Runner:
        """The runner for a copy of the target that is on this machine already: a patched one."""
        if isinstance(tree, Tree):
            return native_runner(bundle, version, tree, self._cells)
        if bundle.harness.language is Language.PYTHON:
            return PythonRunner(bundle, tree, version, self._cells)
        if bundle.harness.language is Language.JAVASCRIPT:
            return JavaScriptRunner(bundle, tree, version, self._cells)
        raise Unavailable(f"patches of {bundle.harness.language.value} cannot be run here yet")

    def _python(self, bundle: Bundle, version: str | None) -> Runner:
        purl = _at(bundle, version)
        installed = install(str(purl), requires=[str(p) for p in bundle.target.requires])
        return PythonRunner(bundle, installed, purl.version or "", self._cells)

    def _javascript(self, bundle: Bundle, version: str | None) -> Runner:
        purl = _at(bundle, version)
        installed = install(str(purl), requires=[str(p) for p in bundle.target.requires])
        return JavaScriptRunner(bundle, installed, purl.version or "", self._cells)

    def _native(self, bundle: Bundle, version: str | None) -> Runner:
        purl = bundle.target.purl
        if bundle.target.source is not None:
            if version != (purl.version if purl is not None else None):
                raise Unavailable(f"the bundle ships its source, which is not that of {version}")
            tree = bundled_tree(bundle)
        else:
            tree = registry_tree(str(_at(bundle, version)))
        return native_runner(bundle, version or "source", tree, self._cells)

    def package_of(self, bundle: Bundle) -> str:
        """The package without its version, as signatures name it."""
        purl = bundle.target.purl
        if purl is None:
            return f"source:{bundle.target.source}"
        return str(purl._replace(version=None, qualifiers={}, subpath=None))

    def close(self) -> None:
        """End all sandboxes."""
        self._cells.close()


def _at(bundle: Bundle, version: str | None) -> PackageURL:
    purl = bundle.target.purl
    if purl is None:
        raise Invalid(
            "a Python or JavaScript target is a package", where="proof.toml", key="target.purl"
        )
    return purl._replace(version=version)
