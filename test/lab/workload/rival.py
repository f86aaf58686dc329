"""rival.py FILE JOURNAL [open]: another client that tries all the time to get the lock, and must be refused all the time. With `open` it
opens the file once, keeps it open, and tries from USR1 on: after a lock that was refused its kernel would report a lost one.
"""
import errno
import fcntl
import os
import signal
import sys
import time

from journal import Journal

path, journal = sys.argv[1], Journal(sys.argv[2])
kept = os.open(path, os.O_RDWR) if sys.argv[3:] == ['open'] else None


def steal(_number):
    fd = os.open(path, os.O_RDWR) if kept is None else kept
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if kept is not None:
            fcntl.lockf(fd, fcntl.LOCK_UN)
        return 'stolen'
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return 'refused'
        raise
    finally:
        if kept is None:
            os.close(fd)


if kept is not None:
    signal.signal(signal.SIGUSR1, lambda *_: None)
    with open(sys.argv[2] + '.pid', 'w') as file:
        file.write('%d' % os.getpid())
    signal.pause()
while True:
    journal.attempt(steal)
    time.sleep(0.3)
