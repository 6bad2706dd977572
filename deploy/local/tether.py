"""Run a command that cannot outlive the process that started it: `tether.py PARENT SIGNAL USER COMMAND...`.

This is a program of its own, started and at once replaced by COMMAND (same pid): code between fork and
exec in a process with threads may deadlock, and a change of user clears the death signal, so it must be set
after that. The signal is sent when the *thread* that started us ends (prctl(2)): start children from a thread
that stays. Where there is no prctl (macOS) the command runs untethered.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def become(user: str) -> None:
    """Give up root for `user`; an empty name means stay who we are."""
    if not user:
        return
    account = pwd.getpwnam(user)
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def main(parent: str, signal_number: str, user: str, *command: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    become(user)
    if libc is not None and libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != int(parent):  # it died before we could be told
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
