"""A shell that stays: one bash for all calls of a tool.

``session.py SECONDS`` reads a command from standard input and has it run in the shell of the
session, which is started where there is none: variables, folder and background jobs are there for
the next call.  It prints what the command wrote, and what became of it.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

PLACE = os.path.join(os.environ.get("TMPDIR", "/tmp"), ".session")
SOCKET = os.path.join(PLACE, "socket")
KEPT = 256 << 10
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Hand the command to the session and print its answer."""
    order = json.dumps({"command": sys.stdin.read(), "seconds": float(sys.argv[1])})
    with connected() as connection:
        connection.sendall(order.encode() + b"\n")
        answer = bytearray()
        while part := connection.recv(1 << 16):
            answer += part
    sys.stdout.buffer.write(bytes(answer))


def connected() -> socket.socket:
    """A connection to the session, which is started if need be."""
    for attempt in range(200):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(SOCKET)
            return connection
        except OSError:
            connection.close()
        if attempt == 0:
            start()
        time.sleep(0.02)
    sys.exit("the shell does not start")


def start() -> None:
    """Start the session as a process of its own, with no ties to this one."""
    os.makedirs(PLACE, mode=0o700, exist_ok=True)
    with contextlib.suppress(OSError):
        os.unlink(SOCKET)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(null, number)
            serve()
        os._exit(0)
    os.wait()


def serve() -> None:
    """Answer one call after the other."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(SOCKET)
    door.listen(8)
    shell = Shell()
    while True:
        connection, _ = door.accept()
        with connection, contextlib.suppress(OSError, ValueError):
            raw = bytearray()
            while not raw.endswith(b"\n"):
                part = connection.recv(1 << 16)
                if not part:
                    break
                raw += part
            order = json.loads(raw)
            connection.sendall(shell.run(order["command"], order["seconds"]))


class Shell:
    """A bash that commands are given to one by one."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start a new one."""
        self.told, status = os.pipe()
        self.bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[status],
            bufsize=0,
            start_new_session=True,
        )
        self.status = status
        os.close(status)
        self.out = self.bash.stdout.fileno()  # type: ignore[union-attr]
        os.set_blocking(self.out, False)

    def run(self, command: str, seconds: float) -> bytes:
        """Run a command; what it wrote, and a note where there is something to be said."""
        path = os.path.join(PLACE, "command")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(command)
        began = time.clock_gettime(time.CLOCK_BOOTTIME)
        line = f'eval "$(<{path})" </dev/null {self.status}>&-; echo $? >&{self.status}\n'
        with contextlib.suppress(OSError):
            self.bash.stdin.write(line.encode())  # type: ignore[union-attr]
        output = Output()
        code = self.wait(output, began + seconds)
        note = ""
        if code is None:
            self.stop(began)
            code = self.wait(output, time.clock_gettime(time.CLOCK_BOOTTIME) + 2)
            note = f"[ended after {seconds:g} s]"
            if code is None:
                note += self.renew()
        if code == "":
            note = "[the shell has ended]" + self.renew()
        elif code not in (None, "0") and not note:
            note = f"[exit code {code}]"
        self.drain(output)
        return output.text() + (f"\n{note}\n".encode() if note else b"")

    def wait(self, output: "Output", until: float) -> str | None:
        """Until the command has ended: its exit code, "" where the shell has, None if not yet."""
        while True:
            left = until - time.clock_gettime(time.CLOCK_BOOTTIME)
            if left <= 0:
                return None
            ready, _, _ = select.select([self.out, self.told], [], [], left)
            if self.out in ready and not self.drain(output) and self.told not in ready:
                time.sleep(0.01)
            if self.told in ready:
                return os.read(self.told, 64).decode().strip()

    def drain(self, output: "Output") -> bool:
        """Take what has been written; false where that was nothing."""
        taken = False
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.out, 1 << 16):
                output.add(part)
                taken = True
        return taken

    def stop(self, began: float) -> None:
        """End what the command started, and leave what ran before it."""
        parents, starts = {}, {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat") as file:
                    fields = file.read().rpartition(") ")[2].split()
                    parents[int(name)], starts[int(name)] = int(fields[1]), int(fields[19])
        since = int(began * TICKS) - 1
        found = {p for p, up in parents.items() if up == self.bash.pid and starts[p] >= since}
        while more := {p for p, up in parents.items() if up in found} - found:
            found |= more
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def renew(self) -> str:
        """Start another shell in place of one that is lost; what is to be said of it."""
        self.bash.kill()
        self.bash.wait()
        os.close(self.told)
        self.begin()
        return " [a new shell was started: variables and folder are as at the beginning]"


class Output:
    """The beginning and the end of what was written."""

    def __init__(self) -> None:
        self.head, self.tail, self.lost = bytearray(), bytearray(), 0

    def add(self, data: bytes) -> None:
        """Keep more."""
        room = KEPT - len(self.head)
        self.head += data[: max(0, room)]
        self.tail += data[max(0, room) :]
        if len(self.tail) > KEPT:
            self.lost += len(self.tail) - KEPT
            del self.tail[: len(self.tail) - KEPT]

    def text(self) -> bytes:
        """Both, and how much is left out between them."""
        left = f"\n[{self.lost} bytes left out]\n".encode() if self.lost else b""
        return bytes(self.head) + left + bytes(self.tail)


if __name__ == "__main__":
    main()
