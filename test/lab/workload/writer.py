"""writer.py FILE JOURNAL: appends numbered records, each on the server's disk before it counts as acknowledged."""
import os
import sys
import time

from journal import Journal

path, journal = sys.argv[1], Journal(sys.argv[2])


def append(number):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(fd, b'%d\n' % number)
        os.fsync(fd)
    finally:
        os.close(fd)
    return 'ok'


while True:
    journal.attempt(append)
    time.sleep(0.1)
