"""newcomer.py TARGET FOLDER OPTIONS JOURNAL: a machine that the server has not met mounts, as soon as it can, and goes again.

An attempt that gets nowhere is given up after a few seconds: whoever goes on waiting measures how long TCP backs off.
"""
import subprocess
import sys
import time

from journal import Journal

target, folder, options, journal = sys.argv[1], sys.argv[2], sys.argv[3], Journal(sys.argv[4])


def mount(_number):
    command = ['timeout', '-k', '1', '4', 'mount', '-t', 'nfs', '-o', options + ',retry=0', target, folder]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(0, 'exit %d %s' % (done.returncode, ' '.join(done.stderr.split())))
    return 'ok'


while subprocess.run(['mountpoint', '-q', folder]).returncode != 0:
    journal.attempt(mount)
    time.sleep(0.1)
subprocess.run(['umount', folder])
