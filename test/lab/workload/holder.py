"""holder.py FILE JOURNAL: takes a lock once, and keeps it; writing through the locked descriptor fails once the lock is lost."""
import fcntl
import os
import sys
import time

from journal import Journal

path, journal = sys.argv[1], Journal(sys.argv[2])
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
fcntl.lockf(fd, fcntl.LOCK_EX)


def use(number):
    os.pwrite(fd, b'%d\n' % number, 0)
    os.fsync(fd)
    return 'ok'


while True:
    journal.attempt(use)
    time.sleep(0.5)
