"""wishes.py FOLDER NAME JOURNALS: what a client that was there before wants anew, each over and over in a thread of its own.

open    FOLDER/wishes/there/N, a file that it has not had open
create  FOLDER/wishes/made-NAME/TIME
lock    a lock in FOLDER/wishes/lock-NAME, which it has open from the beginning; not before the file JOURNALS-go is there

A folder for each: a create that waits in the kernel holds its folder, and whoever opens something there would wait with it.
"""
import errno
import fcntl
import os
import sys
import threading
import time

from journal import Journal

folder, name, journals = sys.argv[1] + '/wishes', sys.argv[2], sys.argv[3]
fd = os.open('%s/lock-%s' % (folder, name), os.O_RDWR)


def open_one(number):
    os.close(os.open('%s/there/%d' % (folder, number), os.O_RDONLY))
    return 'ok'


def create(_number):
    path = '%s/made-%s/%.6f' % (folder, name, time.time())
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    except OSError as error:
        # the answer was lost, and the question came again: nobody else makes this name
        if error.errno != errno.EEXIST:
            raise
    return 'ok'


def lock(_number):
    fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
    fcntl.lockf(fd, fcntl.LOCK_UN, 1, 0)
    return 'ok'


def go_on(wish, journal, gate=None):
    while gate is not None and not os.path.exists(gate):
        time.sleep(0.05)
    while True:
        journal.attempt(wish)
        time.sleep(0.25)


threads = [
    threading.Thread(target=go_on, args=(open_one, Journal(journals + '-open'))),
    threading.Thread(target=go_on, args=(create, Journal(journals + '-create'))),
    threading.Thread(target=go_on, args=(lock, Journal(journals + '-lock'), journals + '-go')),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
