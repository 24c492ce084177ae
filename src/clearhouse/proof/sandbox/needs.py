"""What the sandbox needs of a machine, and how to get it."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

from clearhouse.proof.warden import frames_native

#: Settings that keep an ordinary user from making user namespaces: file, refusing value, remedy.
_SETTINGS = (
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "sysctl -w user.max_user_namespaces=15000",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        (
            "an AppArmor profile that allows bwrap 'userns' (Ubuntu: apt-get install"
            " apparmor-profiles, link /usr/share/apparmor/extra-profiles/bwrap-userns-restrict"
            " into /etc/apparmor.d and reload), or"
            " sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        ),
    ),
)


def setting(path: str) -> str | None:
    """A kernel setting's value, None where the kernel does not have it."""
    with contextlib.suppress(OSError):
        return Path(path).read_text(encoding="ascii").strip()
    return None


def missing() -> list[str]:
    """What this machine visibly lacks, each with how to get it."""
    lacks = []
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        this = f"{platform.system()} {platform.machine()}"
        return [f"the sandbox runs on x86-64 Linux only, this is {this}"]
    if shutil.which("bwrap") is None:
        lacks.append("the sandbox needs bubblewrap: apt-get install bubblewrap")
    if os.geteuid() == 0 and shutil.which("unshare") is None:
        lacks.append("the sandbox needs unshare: apt-get install util-linux")
    if not frames_native.available():
        lacks.append("the sandbox needs libunwind: apt-get install libunwind8")
    return lacks


def diagnosis() -> str:
    """Why a sandbox may not start although everything is installed; what to do about it."""
    found = [
        f"{path.removeprefix('/proc/sys/').replace('/', '.')} is {value}: {remedy}"
        for path, value, remedy in _SETTINGS
        if setting(path) == value and (os.geteuid() != 0 or "max_user" in path)
    ]
    if found:
        return "user namespaces are switched off here: " + "; ".join(found)
    return (
        "it needs user namespaces and ptrace; in a container these must be allowed from outside"
        " (for example: --security-opt seccomp=unconfined --security-opt apparmor=unconfined)"
    )


def settings() -> dict[str, str | None]:
    """The settings that decide about user namespaces, and the security modules."""
    others = ("/sys/kernel/security/lsm", "/proc/sys/kernel/yama/ptrace_scope")
    return {path: setting(path) for path in (*(s[0] for s in _SETTINGS), *others)}


@cache
def bubblewrap_version() -> str | None:
    """What ``bwrap --version`` says."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return None
    done = subprocess.run([bwrap, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
