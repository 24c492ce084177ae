"""Reading and changing what belongs to the host."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator

from .attempt import OWN_FOLDER, Attempts, Facts, GotThrough, name_of, refused

ATTEMPTS = Attempts("files")
_DEVICES = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin",
            "stdout", "stderr", "core", "console"}  # fmt: skip
_ABSENT_DEVICES = (
    "kmsg", "mem", "port", "kvm", "fuse", "vda", "sda", "nvme0n1", "loop0", "loop-control",
    "net/tun", "vhost-net", "userfaultfd", "uinput", "input/event0", "tty0", "tty1", "snapshot",
)  # fmt: skip
_IN_MEMORY = {"tmpfs", "proc", "devpts", "devtmpfs", "mqueue"}
_WRITING = (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND)


def _own_folder(facts: Facts) -> str:
    return OWN_FOLDER[facts.place]


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


@ATTEMPTS("read a file of the host by its name")
def _marker(facts: Facts) -> str:
    return refused(lambda: _read(facts.marker))


@ATTEMPTS("read it from a parent of the root")
def _parents(facts: Facts) -> str:
    up = "../" * 64
    return refused(
        lambda: _read(up + facts.marker), lambda: _read(f"/proc/self/root/{up}{facts.marker}")
    )


@ATTEMPTS("read and write it through a symbolic link in the own folder")
def _link(facts: Facts) -> str:
    link = f"{_own_folder(facts)}/link-out"
    os.symlink(facts.marker, link)
    try:
        return refused(
            lambda: _read(link),
            lambda: os.open(link, os.O_WRONLY),
            lambda: os.listdir(os.path.dirname(facts.marker)),
        )
    finally:
        os.unlink(link)


@ATTEMPTS("read it through the root and folder of other processes")
def _through_proc(facts: Facts) -> str:
    calls = []
    for pid in (1, os.getppid(), facts.engine, facts.decoy):
        if pid == os.getpid() or not pid:
            continue
        calls += [
            lambda p=pid, w=way: _read(f"/proc/{p}/{w}/{facts.marker}") for way in ("root", "cwd")
        ]
    return refused(*calls)


@ATTEMPTS("find names of the host in its folders")
def _folders(facts: Facts) -> str:
    absent = 0
    for folder, names in facts.folders.items():
        try:
            seen = set(os.listdir(folder))
        except OSError:
            absent += 1
            continue
        if found := sorted(seen & set(names)):
            raise GotThrough(f"{folder} shows {', '.join(found[:4])}")
    return f"{absent} are not there, the other {len(facts.folders) - absent} are the sandbox's own"


@ATTEMPTS("read accounts, password hashes and keys")
def _accounts(facts: Facts) -> str:
    with contextlib.suppress(FileNotFoundError):
        if facts.passwd and _read("/etc/passwd") == facts.passwd:
            raise GotThrough("/etc/passwd is the host's")
    places = ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/ssh/ssh_host_ed25519_key",
              "/etc/machine-id", "/etc/fstab", "/root/.ssh/id_ed25519", "/root/.bash_history",
              "/var/log/auth.log", "/boot/config", "/proc/keys",
              "/proc/1/root/run/shut/proc/keys")  # fmt: skip
    readable = []
    for path in places:
        with contextlib.suppress(OSError):
            if _read(path):
                readable.append(path)
    if readable:
        raise GotThrough(f"{', '.join(readable)} can be read")
    return "absent or empty"


@ATTEMPTS("enter the folder with the whole /proc")
def _whole(_: Facts) -> str:
    return refused(
        lambda: os.listdir("/run/shut"),
        lambda: os.chmod("/run/shut", 0o700),
        lambda: _read("/run/shut/proc/keys"),
        lambda: os.rename("/run/shut", "/run/entered"),
    )


@ATTEMPTS("read the host's environment")
def _environment(facts: Facts) -> str:
    if facts.variable in os.environ:
        raise GotThrough(f"{facts.variable} is set")
    for pid in ("self", "1", str(os.getppid())):
        with contextlib.suppress(OSError):
            if facts.token in _read(f"/proc/{pid}/environ"):
                raise GotThrough(f"/proc/{pid}/environ shows it")
    return "it begins empty"


@ATTEMPTS("escape through inherited descriptors")
def _descriptors(_: Facts) -> str:
    kinds: dict[str, None] = {}
    for number in sorted(int(n) for n in os.listdir("/proc/self/fd")):
        try:
            status = os.fstat(number)
        except OSError:
            continue  # the listing's own
        name = os.readlink(f"/proc/self/fd/{number}")
        if stat.S_ISDIR(status.st_mode):
            raise GotThrough(f"descriptor {number} is the folder {name}")
        if stat.S_ISREG(status.st_mode) and not name.startswith("/memfd:"):
            raise GotThrough(f"descriptor {number} is the file {name}")
        if (stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)) and name != "/dev/null":
            raise GotThrough(f"descriptor {number} is {name}")
        kinds[name.partition(":")[0].strip("/")] = None
    return "open are only " + ", ".join(kinds)


@ATTEMPTS("resize or rewrite what the observer handed over", "run")
def _sealed(_: Facts) -> str:
    return refused(
        lambda: os.ftruncate(6, 0),
        lambda: os.ftruncate(6, 1 << 20),
        lambda: os.ftruncate(5, 0),
        lambda: os.pwrite(5, b"x", 0),
        lambda: os.pwrite(4, b"x", 0),
    )


def _bound(_: Facts) -> Iterator[str]:
    loader = os.path.realpath("/lib64/ld-linux-x86-64.so.2")
    yield from ("/usr/bin/true", loader, os.path.realpath(sys.executable), "/proc/self/exe")
    yield from ("/runtime/clearhouse/warden/warden.py", "/target/facts.json", os.__file__)


@ATTEMPTS("open programs, loader, interpreter and target for writing")
def _open_bound(facts: Facts) -> str:
    return refused(*(lambda p=p, f=f: os.open(p, f) for p in _bound(facts) for f in _WRITING))


@ATTEMPTS("change their names, modes, times, attributes and sizes")
def _change_bound(facts: Facts) -> str:
    calls = []
    for path in _bound(facts):
        calls += [
            lambda p=path: os.truncate(p, 0),
            lambda p=path: os.chmod(p, 0o4777),  # noqa: S103 - what is tried
            lambda p=path: os.utime(p, (0, 0)),
            lambda p=path: os.setxattr(p, "user.x", b"x"),
            lambda p=path: os.chown(p, os.getuid(), os.getgid()),
        ]
        if not path.startswith("/proc"):
            calls += [
                lambda p=path: os.rename(p, p + ".moved"),
                lambda p=path: os.unlink(p),
                lambda p=path: os.symlink("x", p + ".link"),
                lambda p=path: os.mkdir(p + ".folder"),
            ]
    return refused(*calls)


@ATTEMPTS("hard link to a program of the host")
def _hard_link(facts: Facts) -> str:
    folder = _own_folder(facts)
    return refused(
        lambda: os.link("/usr/bin/true", f"{folder}/true"),
        lambda: os.link("/target/facts.json", f"{folder}/facts"),
    )


@ATTEMPTS("find a file system of the host that can be written")
def _mounts(facts: Facts) -> str:
    own = _own_folder(facts)
    count = 0
    for line in _read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        place, options = left.split()[4:6]
        kind = right.split()[0]
        count += 1
        if kind == "devtmpfs" and place.startswith("/dev/"):
            continue  # a single device, bound
        if "rw" in options.split(",") and kind not in _IN_MEMORY:
            raise GotThrough(f"{place} ({kind}) can be written")
        if "nosuid" not in options.split(","):
            raise GotThrough(f"{place} ({kind}) respects setuid")
    if os.statvfs(own).f_blocks * os.statvfs(own).f_frsize > 8 << 30:
        raise GotThrough(f"{own} has no limit")
    return f"{count} mounts: read-only or in memory, all nosuid"


@ATTEMPTS("find devices of the host")
def _devices(_: Facts) -> str:
    if found := sorted(set(os.listdir("/dev")) - _DEVICES):
        raise GotThrough(f"/dev has {', '.join(found[:6])}")
    return refused(*(lambda n=n: os.open(f"/dev/{n}", os.O_RDONLY) for n in _ABSENT_DEVICES))


@ATTEMPTS("make device nodes")
def _nodes(facts: Facts) -> str:
    folder = _own_folder(facts)
    calls = [
        lambda k=kind, d=device: os.mknod(f"{folder}/node", k | 0o666, d)
        for kind, device in (
            (stat.S_IFBLK, os.makedev(8, 0)),
            (stat.S_IFBLK, os.makedev(254, 0)),
            (stat.S_IFCHR, os.makedev(1, 1)),
            (stat.S_IFCHR, os.makedev(1, 11)),
        )
    ]
    return refused(*calls)


@ATTEMPTS("add files to /dev, which the next run sees too")
def _dev(_: Facts) -> str:
    return refused(
        lambda: os.open("/dev/kept", os.O_WRONLY | os.O_CREAT), lambda: os.mkdir("/dev/pts/kept")
    )


@ATTEMPTS("map /dev/zero as shared memory")
def _zero(_: Facts) -> str:
    import mmap

    number = os.open("/dev/zero", os.O_RDWR)
    try:
        return refused(lambda: mmap.mmap(number, 1 << 20))
    finally:
        os.close(number)


@ATTEMPTS("find kernel settings, cgroups and firmware under /sys")
def _sys(_: Facts) -> str:
    return refused(
        lambda: os.listdir("/sys/kernel"),
        lambda: os.listdir("/sys/fs/cgroup"),
        lambda: os.open("/sys/fs/cgroup/cgroup.procs", os.O_WRONLY),
        lambda: os.listdir("/sys/firmware"),
    )


_SETTINGS = (
    "sys/kernel/core_pattern", "sys/kernel/modprobe", "sys/kernel/hostname", "sys/kernel/sysrq",
    "sys/kernel/ns_last_pid", "sys/kernel/randomize_va_space", "sys/vm/drop_caches",
    "sys/vm/overcommit_memory", "sys/fs/binfmt_misc/register", "sys/fs/file-max",
    "sys/net/ipv4/ip_forward", "sys/net/core/somaxconn", "sys/user/max_user_namespaces",
    "sysrq-trigger", "irq/default_smp_affinity", "mtrr", "acpi/wakeup", "kcore", "kmsg",
    "bus/pci/00/00.0", "timer_list", "self/uid_map", "self/gid_map", "self/setgroups",
    "self/attr/current", "self/loginuid", "self/timens_offsets",
)  # fmt: skip


@ATTEMPTS("write to the kernel's settings in /proc")
def _settings(_: Facts) -> str:
    seen: dict[str, None] = {}
    for name in _SETTINGS:
        try:
            number = os.open(f"/proc/{name}", os.O_WRONLY)
        except OSError as error:
            seen[name_of(error)] = None
            continue
        try:
            os.write(number, b"0 0 1\n" if name.endswith("_map") else b"\n")
        except OSError as error:
            seen[name_of(error)] = None
        else:
            raise GotThrough(f"/proc/{name} was written")
        finally:
            os.close(number)
    return ", ".join(seen)


@ATTEMPTS("be spared when the machine runs out of memory")
def _oom(facts: Facts) -> str:
    def write(pid: str) -> None:
        number = os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY)
        try:
            os.write(number, str(max(-1000, facts.oom - 1)).encode())
        finally:
            os.close(number)

    return refused(lambda: write("self"), lambda: write("1"))


@ATTEMPTS("rewrite its own memory past all checks (/proc/self/mem)", "run")
def _own_memory(_: Facts) -> str:
    return refused(lambda: os.open("/proc/self/mem", os.O_RDWR))
