"""Run a command that dies with the process that started it: `python guard.py PARENT_PID COMMAND [ARGUMENT…]`.

A script of its own, because the request to the kernel belongs to the process that makes it and survives the
exec. The kernel sends the signal when the *thread* that forked ends, so the event loop that starts processes
must live as long as they shall. Elsewhere than on Linux the command runs unguarded.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for the parent's end to be ours, then become the command."""
    parent_pid, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent_pid:  # the parent ended before the request was made
        sys.exit(1)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and an exec would keep that
    try:
        os.umask(0o077)  # Names and addresses lie in all that a server writes.
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"Error: cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
