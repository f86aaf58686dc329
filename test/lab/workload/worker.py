"""worker.py FOLDER WHO JOURNAL TURNS: what programs do on a file server, each with a journal of its own, JOURNAL-append and so on.

append   a numbered record to a file that is opened anew, and fsync
replace  a whole file of several pages by another, with rename
turn     under a lock that others want as well, in file TURNS: the last line's number and one more, and fsync
"""
import fcntl
import os
import sys
import time

from journal import Journal

folder, who, journal, turns = sys.argv[1:5]
LINES = 3000  # several pages, more than one WRITE of a careless client


def write_whole(fd, data):
    while data:
        data = data[os.write(fd, data):]


def append(number):
    fd = os.open('%s/append-%s' % (folder, who), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        write_whole(fd, b'%d\n' % number)
        os.fsync(fd)
    finally:
        os.close(fd)
    return 'ok'


def replace(number):
    path = '%s/replace-%s' % (folder, who)
    fd = os.open(path + '.draft', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_whole(fd, b'%d\n' % number * LINES)
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        os.rename(path + '.draft', path)
    except FileNotFoundError:
        # of a server that died between doing it and saying so the client asks the next one again: NFS knows no better
        with open(path, 'rb') as file:
            if file.readline() != b'%d\n' % number:
                raise
    return 'ok'


def turn(number):
    fd = os.open('%s/%s' % (folder, turns), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        # whoever wrote over another's line may have left an end of it: the books tell, and the next turn goes on
        lines = os.pread(fd, 200, max(0, size - 200)).replace(b'\0', b'').decode().split('\n')
        counts = [line.split()[0] for line in lines if len(line.split()) == 3]
        count = int(counts[-1]) if counts else 0
        os.pwrite(fd, b'%d %s %d\n' % (count + 1, who.encode(), number), size)
        os.fsync(fd)
    finally:
        os.close(fd)
    return 'ok'


def main():
    appends, replaces, taken = (Journal('%s-%s' % (journal, what)) for what in ('append', 'replace', 'turn'))
    while True:
        appends.attempt(append)
        taken.attempt(turn)
        appends.attempt(append)
        replaces.attempt(replace)
        time.sleep(0.7)


main()
