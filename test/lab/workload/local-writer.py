"""local-writer.py FILE NUMBER: while FILE is there, appends records to it; prints those that are on disk, on both nodes where
DRBD has two. The file is never created: a mount point without its file system must not acknowledge anything. Records are
milliseconds, and end in NUMBER to be nobody else's."""
import os
import sys
import time

path, number = sys.argv[1], int(sys.argv[2])


def append(record):
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, b'%d\n' % record)
        os.fsync(fd)
    finally:
        os.close(fd)


while True:
    start = time.time()
    record = int(start * 1000) * 100 + number
    try:
        append(record)
        print('ok %d %.3f %.3f ' % (record, start, time.time()), flush=True)
    except FileNotFoundError:
        pass
    except OSError as error:
        print('error %d %.3f %.3f %s' % (record, start, time.time(), error), flush=True)
    time.sleep(0.02)
