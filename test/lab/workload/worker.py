"""worker.py FOLDER WHO JOURNAL TURNS: what programs do on a file server, each with a journal of its own, JOURNAL-append and so on.

append   a numbered record to a file that is opened anew, and fsync
replace  a whole file of several pages by another, with rename
read     that file as a whole, on the server's answer and not from a cache: `torn`, or `old`, where it is not what was put there
turn     under a lock that others want as well, in file TURNS: the last line's number and one more, and fsync
"""
import fcntl
import os
import sys
import time

from journal import Journal

LINES = 3000  # several pages, more than one WRITE of a careless client


def write_whole(fd, data):
    while data:
        data = data[os.write(fd, data):]


def append(path, number):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        write_whole(fd, b'%d\n' % number)
        os.fsync(fd)
    finally:
        os.close(fd)
    return 'ok'


def replace(path, number):
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


def judge(text, acknowledged, attempted):
    """Wholly of one number, of the last one that was acknowledged or of one that was tried since."""
    lines = text.split('\n')
    kinds = sorted(set(lines[:-1]))
    if len(lines) != LINES + 1 or lines[-1] or len(kinds) != 1 or not kinds[0].isdigit():
        return 'torn', '%d bytes, %d lines of %s' % (len(text), len(lines) - 1, ', '.join(kinds[:3])[:100])
    number = int(kinds[0])
    if acknowledged <= number <= attempted:
        return 'ok'
    return 'old', 'it is the %dth, the %dth was acknowledged, the %dth tried' % (number, acknowledged, attempted)


def read(path, acknowledged, attempted):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        parts = []
        while not parts or parts[-1]:
            parts.append(os.read(fd, 1 << 16))
    finally:
        os.close(fd)
    return judge(b''.join(parts).decode(errors='replace'), acknowledged, attempted)


def turn(path, who, number):
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
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
    folder, who, journal, turns = sys.argv[1:5]
    appends, replaces, reads, taken = (
        Journal('%s-%s' % (journal, what)) for what in ('append', 'replace', 'read', 'turn')
    )
    appended, replaced = ('%s/%s-%s' % (folder, what, who) for what in ('append', 'replace'))
    acknowledged = 0
    while True:
        appends.attempt(lambda number: append(appended, number))
        taken.attempt(lambda number: turn('%s/%s' % (folder, turns), who, number))
        appends.attempt(lambda number: append(appended, number))
        if acknowledged:
            reads.attempt(lambda _: read(replaced, acknowledged, replaces.number))
        replaces.attempt(lambda number: replace(replaced, number))
        if replaces.outcome == 'ok':
            acknowledged = replaces.number
        time.sleep(0.7)


if __name__ == '__main__':
    main()
