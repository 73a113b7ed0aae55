"""Runs Python programs in children forked from a process that has imported what they need: `forkserver.py CONTROL_FD
PARENT_PID`.

A start then costs no import, which is a second of CPU. The child is in everything else what a new process is: its
environment, arguments, output, session and signals are its own, and so is its end, which is the interpreter's.
A message on the control socket is one program, with the sockets and files of :class:`tests.forks.Program`.
"""

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

PR_SET_PDEATHSIG = 1
MESSAGE_BYTES_MAX = 1024 * 1024

_IMPORTED = "cli", "schemas", "services", "shared"
_IMPORTED_TOO = "tests.worker", "tests.real.counter"


def main() -> None:
    """Serve until nobody holds the other end of the control socket; in a child, run its program."""
    control = socket.socket(fileno=int(sys.argv[1]))
    _die_with(int(sys.argv[2]))
    for name in (*_modules(), *_IMPORTED_TOO):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    program = _serve(control)
    if program is not None:
        _run(program)


def _modules() -> Iterator[str]:
    for name in _IMPORTED:
        for found in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            if not found.name.endswith("__main__"):
                yield found.name


def _serve(control: socket.socket) -> dict[str, Any] | None:
    """Fork a child for each message and report how each ends; gives a child its program, and None at the end."""
    woken, waker = socket.socketpair()
    for each in (woken, waker):
        each.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    server_pid, reports = os.getpid(), dict[int, socket.socket]()
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            _report_ended(reports)
        if control not in ready:
            continue
        message, files, _, _ = socket.recv_fds(control, MESSAGE_BYTES_MAX, 3)
        if not message:
            return None
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (control, woken, waker, *reports.values()):
                each.close()
            _become(server_pid, files)
            program: dict[str, Any] = json.loads(message)
            return program
        os.close(files[1])
        os.close(files[2])
        reports[pid] = socket.socket(fileno=files[0])
        reports[pid].send(str(pid).encode())


def _report_ended(reports: dict[int, socket.socket]) -> None:
    while reports:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with reports.pop(pid) as report:
            report.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(server_pid: int, files: list[int]) -> None:
    """Let go of all that is the server's: its session, its output, its input."""
    report, out, err = files
    os.close(report)
    os.setsid()
    _die_with(server_pid)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
        os.close(source)


def _die_with(parent_pid: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent_pid:  # the parent ended before the request was made
        os._exit(1)


def _run(program: dict[str, Any]) -> None:
    """What `python -m MODULE …` or `python -c CODE …` does, once it has started."""
    os.environ.clear()
    os.environ.update(program["environment"])
    time.tzset()
    os.umask(program["umask"])
    os.chdir(program["directory"])
    how, what, *arguments = program["arguments"]
    sys.argv = [how, *arguments]
    if how == "-m":
        if not hasattr(sys.modules.get(what), "__path__"):
            sys.modules.pop(what, None)  # it is run anew as the main module, as it would be
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        own = ModuleType("__main__")
        sys.modules["__main__"] = own
        exec(compile(what, "<string>", "exec"), own.__dict__)


if __name__ == "__main__":
    main()
