"""What will keep a package from being imported here, seen without importing it.

From a package's entry modules, imports that run as the module is imported are followed: those at
module level that no ``try`` or condition guards. Of these, one that names a file the package
lacks (an extension module not built), a module or name this Python's standard library lacks, or a
file that is not this Python's syntax, must fail. So must one of an extension module that is not
built, where a function has it without a ``try``. Nothing found is no promise that it works.

The reading is done in a child process of the Python in question with limits. That child imports
modules of the standard library to look at their names, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from clearhouse.proof.target.interpreter import Interpreter
from clearhouse.proof.target.reading import LIMITS, ask_python
from clearhouse.proof.target.store import Store
from clearhouse.proof.target.unit import SITE, Unit
from clearhouse.proof.warden import restored_python

_WALK = f'''{LIMITS}
import ast, importlib, os

ASK = json.load(sys.stdin)
SITE, ENTRIES, EXTENSIONS = ASK["site"], ASK["entries"], set(ASK["extensions"])
RESTORED = ASK["restored"]
GONE = set("""BaseHTTPServer ConfigParser Cookie HTMLParser Queue SocketServer StringIO UserDict
    UserList UserString __builtin__ _winreg cPickle cStringIO commands compiler cookielib copy_reg
    dummy_thread exceptions httplib htmlentitydefs md5 mimetools new rfc822 robotparser sets sha
    sgmllib thread tkMessageBox urllib2 urlparse xmlrpclib asynchat asyncore cgi crypt distutils
    imp nntplib pipes smtpd telnetlib""".split()) - set(sys.stdlib_module_names)
NOT_LOOKED_AT = set("antigravity this idlelib tkinter turtle turtledemo test lib2to3".split())
HANDLES = {{"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}}
problems, broken, seen, queue = [], [], set(), [(name, None, None) for name in ENTRIES]

def located(module):
    base = os.path.join(SITE, *module.split("."))
    for path in (os.path.join(base, "__init__.py"), base + ".py"):
        if os.path.isfile(path):
            return path
    folder, name = os.path.split(base)
    if os.path.isdir(base):
        return ""
    if os.path.isdir(folder) and any(
        one.startswith(name + ".") and one.endswith(".so") for one in os.listdir(folder)
    ):
        return ""
    return None

def lacking(module, names):
    top = module.partition(".")[0]
    if top in GONE:
        return "no module " + module
    if top not in sys.stdlib_module_names or top in NOT_LOOKED_AT:
        return None
    try:
        found = importlib.import_module(module)
        for name in names:
            if name in ("*", *RESTORED.get(module, ())):
                continue
            if not hasattr(found, name):
                try:
                    importlib.import_module(module + "." + name)
                except ImportError:
                    return module + " has no " + name
    except ImportError:
        return "no module " + module
    except Exception:
        return None
    return None

def guarded(handlers):
    for handler in handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for kind in kinds:
            if kind is None or (isinstance(kind, ast.Name) and kind.id in HANDLES):
                return True
    return False

def statements(body):
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.Try) and not guarded(node.handlers):
            yield from statements(node.body)

def anywhere(tree):
    """Every import that no ``try`` guards, in functions too; no expression holds one."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not (isinstance(node, ast.Try) and guarded(node.handlers)):
            left += [one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.expr)]

def own(module):
    return module.partition(".")[0] in ENTRIES

def want(module, where, line):
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        queue.append((".".join(parts[:length]), where, line))

def named(node, package):
    """The modules that an import names, and what is taken from each."""
    if isinstance(node, ast.Import):
        return [(one.name, []) for one in node.names]
    base = node.module or ""
    if node.level:
        above = package.split(".") if package else []
        if node.level > len(above):
            return []
        above = above[: len(above) - node.level + 1]
        base = ".".join(above + ([base] if base else []))
    return [(base, [one.name for one in node.names])]

def read(module, path, where):
    with open(path, "rb") as stream:
        tree = ast.parse(stream.read())
    package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
    at_once = list(statements(tree.body))
    for node in anywhere(tree) if EXTENSIONS else ():
        for base, names in named(node, package):
            needed = EXTENSIONS.intersection([base, *(base + "." + name for name in names)])
            if node not in at_once and needed:
                what = min(needed) + " is an extension module, not built"
                problems.append((where, node.lineno, what))
    for node in at_once:
        for base, names in named(node, package):
            beside = (package + "." + base) if package else base
            if own(base):
                want(base, where, node.lineno)
                for name in names:
                    if located(base + "." + name) or base + "." + name in EXTENSIONS:
                        queue.append((base + "." + name, where, node.lineno))
            elif base in EXTENSIONS:
                problems.append((where, node.lineno, base + " is an extension module, not built"))
            else:
                what = lacking(base, names)
                if what is None and base not in sys.stdlib_module_names and located(beside):
                    what = base + " lies beside it, which only Python 2 finds"
                if what is not None:
                    problems.append((where, node.lineno, what))

while queue and len(problems) < 20 and len(seen) < 3000:
    module, where, line = queue.pop(0)
    if module in seen:
        continue
    seen.add(module)
    path = located(module)
    if path is None:
        if where is not None:
            problems.append((where, line, module + " is not there"))
        continue
    if path:
        shown = os.path.relpath(path, SITE)
        try:
            read(module, path, shown)
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            line = getattr(error, "lineno", None) or 0
            problems.append((shown, line, "not this Python's syntax: %s" % str(error)[:100]))
            broken.append(module)
json.dump({{"obstacles": ["%s line %s: %s" % one for one in problems],
           "broken": broken}}, sys.stdout)
'''

_READING = 2  # changes with what is read
_NOT_USED = frozenset({"test", "tests", "testing", "doc", "docs", "example", "examples"})
"""Packages that some releases install by mistake and nobody imports."""


@dataclass(frozen=True, slots=True)
class ImportReading:
    """What reading a unit's imports showed."""

    obstacles: tuple[str, ...]
    """What must fail when it is imported, with file and line."""
    broken: tuple[str, ...]
    """Modules whose syntax is not this Python's."""


def read_imports(store: Store, unit: Unit, interpreter: Interpreter) -> ImportReading:
    """Follow the imports of a unit, once for each version of Python."""
    python = interpreter.python
    place = ("imports", f"{unit.sha256}-{python.major}.{python.minor}-{_READING}.json")
    kept = store.read_as(_reading, *place)
    if kept is None:
        found = _walk(unit, interpreter)
        store.write_json(found, *place)
        kept = _reading(found)
    return kept


def _reading(found: dict[str, list[str]]) -> ImportReading:
    return ImportReading(tuple(found["obstacles"]), tuple(found["broken"]))


def _walk(unit: Unit, interpreter: Interpreter) -> dict[str, list[str]]:
    main = [name for name in unit.importable if name not in _NOT_USED]
    asked = {
        "site": str(unit.folder / SITE),
        "entries": main or unit.importable,
        "extensions": unit.extensions,
        "restored": restored_python.NAMES,
    }
    found: dict[str, list[str]] | None = ask_python(_WALK, asked, interpreter)
    return found or {"obstacles": ["its imports could not be read"], "broken": []}
