"""keeper.py FILE JOURNAL: holds a lock for as long as it can, and uses it. `lost` is what it was told, with EIO; then it takes the lock
again. After any other error it has it still: who closed the file while the server refuses everything would leave his lock there.
"""
import errno
import fcntl
import os
import signal
import sys
import time

from journal import Journal

path, journal = sys.argv[1], Journal(sys.argv[2])
held = None
anew = False


def begin_anew(_signal, _frame):
    """HUP: NFSv3 has no way to tell a program that its lock is gone; whoever read it in the kernel's log does."""
    global anew
    anew = True


def take(_number):
    global held
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX)
    except OSError:
        os.close(fd)
        raise
    held = fd
    return 'locked'


def use(number):
    try:
        os.pwrite(held, b'%d\n' % number, 0)
        os.fsync(held)
    except OSError as error:
        if error.errno == errno.EIO:
            return 'lost'
        raise
    return 'ok'


def main():
    global held, anew
    signal.signal(signal.SIGHUP, begin_anew)
    while True:
        if anew and held is not None:
            os.close(held)
            held = None
        anew = False
        if held is None:
            journal.attempt(take)
        else:
            journal.attempt(use)
            if journal.outcome == 'lost':
                try:
                    os.close(held)
                except OSError:
                    pass
                held = None
        time.sleep(0.5)


main()
