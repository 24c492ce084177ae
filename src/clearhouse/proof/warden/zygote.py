"""The warm process: imports the target once, then forks a run for each job.

Speaks with the warden over one socket: a job comes in with its descriptors (standard output,
standard error, the report pipe, the marks; for a program also its input and the rest of its job),
one byte goes back when the run's processes exist, and one more when they are gone.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
import warnings
from typing import Any

from . import cage, filter, frames_python, kernel, restored_python

MARK_BYTES = 65536
# What importing a package can need at most: the warden looks after memory and time.
_IMPORT_LIMITS = {
    resource.RLIMIT_NPROC: 4096,  # of all sandboxes that one engine has at a time
    resource.RLIMIT_NOFILE: 1024,
    resource.RLIMIT_FSIZE: 64 << 20,
    resource.RLIMIT_MEMLOCK: 65536,
    resource.RLIMIT_MSGQUEUE: 0,
}


def serve(
    connection: socket.socket, preload: list[str], search: list[str], *, python: bool
) -> None:
    """Import, tell the warden what became of it, and fork on demand; never returns.

    ``python`` says whether runs are Python's, and not only programs that are started.
    """
    if python:
        importlib.import_module(f"{__package__}.run_python")  # which takes a third of a start
        restored_python.install()
    made = cage.plan()
    for reads in (False, True):
        filter.run_filter(reads=reads)  # kept for the runs
    os.umask(0o022)
    with contextlib.suppress(OSError):
        cage.write("/proc/self/oom_score_adj", b"1000", os.O_WRONLY)
    cage.limit(_IMPORT_LIMITS)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.drop_capabilities()
    kernel.install_filter(filter.zygote_filter())
    os.dup2(1, 2)  # from here on other people's code may write there
    warnings.simplefilter("ignore")
    hello: dict[str, Any] = {"layout": None, "problems": {}}
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # or it could not read its own memory
    try:
        hello["layout"] = frames_python.measure().as_dict() if python else None
    except ValueError as error:
        hello["problems"]["layout"] = str(error)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    sys.path[:0] = search
    sys.dont_write_bytecode = True
    for name in preload:
        try:
            importlib.import_module(name)
        except BaseException as error:  # the sandbox's edge: the target's own code
            hello["problems"][name] = f"{type(error).__name__}: {error}"[:500]
    hello["restored"] = restored_python.used
    gc.collect()
    gc.freeze()
    send(connection, hello)
    while True:
        job, descriptors = receive(connection)
        if job is None:
            os._exit(0)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass  # what imports left behind, and the warden has ended
        child = kernel.clone(
            kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC
        )
        if child == 0:
            connection.close()
            _init(job, descriptors, made)
        for number in descriptors:
            os.close(number)
        connection.sendall(b"\1")
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
        connection.sendall(b"\0")


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """One message: its length, then JSON."""
    raw = json.dumps(message).encode()
    connection.sendall(struct.pack("<I", len(raw)) + raw)


def receive(connection: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """One message and the descriptors that came along; None when the warden is gone."""
    size = array.array("i").itemsize
    head, ancillary, _, _ = connection.recvmsg(4, socket.CMSG_LEN(8 * size))
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % size])
    if len(head) < 4:
        return None, []
    raw = b""
    wanted = struct.unpack("<I", head)[0]
    while len(raw) < wanted:
        part = connection.recv(min(1 << 20, wanted - len(raw)))
        if not part:
            return None, []
        raw += part
    return json.loads(raw), list(descriptors)


def _init(job: dict[str, Any], descriptors: list[int], made: cage.Plan) -> None:
    """Process 1 of the run's namespaces: builds the root, forks the run, waits."""
    status = 70
    try:
        cage.map_identity(cage.UID, cage.UID)
        cage.build_root(made, job["token"], job["root_bytes"])
        limits = cage.Limits.from_job(job["limits"])
        cage.confine(limits, address_space=job["address_space"])
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        # What becomes another program needs none of what Python does after a fork.
        child = os.fork() if job["runtime"] == "python" else kernel.clone(0)
        if child == 0:
            _run(job, descriptors)
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(
                number, signal.SIG_DFL
            )  # process 1 is not reached by what it leaves alone
        cage.close_all_but(set())
        while True:
            pid, result = os.waitpid(-1, 0)
            if pid == child:
                status = os.waitstatus_to_exitcode(result) & 0xFF
                break
    except BaseException as error:  # the sandbox's edge: reported, then the end
        with contextlib.suppress(OSError):
            text = f"sandbox set-up failed: {type(error).__name__}: {error}"
            os.write(descriptors[2], (job["key"] + json.dumps({"setup": text}) + "\n").encode())
    finally:
        os._exit(status)


def _run(job: dict[str, Any], descriptors: list[int]) -> None:
    """The run itself, up to the point where other people's code begins."""
    try:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        out, err, report, marks, data, *more = descriptors
        null = os.open("/dev/null", os.O_RDONLY)
        for source, target in ((null, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
        os.setsid()
        os.chdir(cage.WORK)
        environment = {**cage.ENVIRONMENT, **job.get("environment", {})}
        if job["runtime"] == "python":
            cage.close_all_but({0, 1, 2, report, marks, data})
            os.environ.clear()
            os.environ.update(environment)
            from . import run_python

            run_python.main(job, report, marks, data)
        else:
            _execute(job, environment, (report, data, *more, marks))
    except BaseException as error:  # the sandbox's edge: reported, then the end
        text = f"run set-up failed: {type(error).__name__}: {error}"
        with contextlib.suppress(OSError):
            os.write(descriptors[2], (job["key"] + json.dumps({"setup": text}) + "\n").encode())
    finally:
        os._exit(71)


def _execute(job: dict[str, Any], environment: dict[str, str], given: tuple[int, ...]) -> None:
    """Become another program: 3 is the report, 4 the input, 5 the rest of the job, 6 the marks."""
    high = [os.dup2(number, 200 + index, inheritable=False) for index, number in enumerate(given)]
    cage.close_all_but({0, 1, 2, *high})
    for index, number in enumerate(high):
        os.dup2(number, 3 + index, inheritable=True)
    kernel.install_filter(filter.run_filter(reads=job["reads"]))
    with contextlib.suppress(OSError):
        os.unlink(f"/.mark/{job['key']}/start")
    os.execve(job["argv"][0], job["argv"], environment)
