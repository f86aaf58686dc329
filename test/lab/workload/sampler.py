"""sampler.py ADDRESS: what only one node may have, ten times a second: FROM TO PRIMARY MOUNTED ADDRESS, each 0 or 1. Between FROM and TO it
was looked at: a busy machine may stop in between.
"""
import subprocess
import sys
import time


def text(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ''


def primary_in_proc(proc):
    """DRBD 8.4's /proc/drbd: ` 1: cs:Connected ro:Primary/Secondary …`, this node before the peer."""
    return ' ro:Primary/' in proc


def primary_in_status(status):
    """`drbdsetup status` of DRBD 9: `data role:Primary` of this node; lines of peers and volumes are indented."""
    return any(' role:Primary' in line for line in status.splitlines() if not line.startswith(' '))


def is_primary():
    drbd = text('/proc/drbd')
    if not drbd.startswith('version: 9'):
        return primary_in_proc(drbd)
    return primary_in_status(subprocess.run(['drbdsetup', 'status'], capture_output=True, text=True).stdout)


def when_it_booted():
    """By the clock as the first sampler found it, before anybody set it: that must not move what is seen."""
    path = '/run/lab-booted'
    try:
        return float(text(path))
    except ValueError:
        booted = time.time() - time.monotonic()
        try:
            with open(path, 'w') as file:
                file.write('%.3f' % booted)
        except OSError:
            pass
        return booted


def main():
    address = '|-- %s\n' % sys.argv[1]
    booted = when_it_booted()
    while True:
        begin = time.monotonic()
        holds = (
            is_primary(),
            ' /dev/drbd1 ' in text('/proc/self/mountinfo'),
            address in text('/proc/net/fib_trie'),
        )
        print('%.3f %.3f %d %d %d' % (booted + begin, booted + time.monotonic(), *holds), flush=True)
        time.sleep(0.1)


if __name__ == '__main__':
    main()
