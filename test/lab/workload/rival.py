"""rival.py FILE JOURNAL: another client that tries all the time to get the lock, and must be refused all the time."""
import errno
import fcntl
import os
import sys
import time

from journal import Journal

path, journal = sys.argv[1], Journal(sys.argv[2])


def steal(_number):
    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return 'stolen'
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return 'refused'
        raise
    finally:
        os.close(fd)


while True:
    journal.attempt(steal)
    time.sleep(0.3)
