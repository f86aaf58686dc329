"""mount(8) of util-linux 2.39 and later, as far as the mount point is concerned: what is mounted is attached by move_mount(2), which
follows no link in the last place. usage: attach.py [options] <source> <mount point>
"""
import ctypes
import os
import subprocess
import sys
import tempfile

AT_FDCWD, AT_RECURSIVE, OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH = -100, 0x8000, 1, 4
open_tree, move_mount = 428, 429  # of every architecture
libc = ctypes.CDLL(None, use_errno=True)
real = "/usr/bin/mount"
*options, target = sys.argv[1:]


def call(number, *args):
    result = libc.syscall(number, *args)
    if result < 0:
        print(f"mount: {target}: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
        sys.exit(32)
    return result


if any("remount" in option or "--make-" in option for option in options):
    os.execv(real, [real, *options, target])
place = tempfile.mkdtemp()
try:
    if subprocess.call([real, *options, place]) != 0:
        sys.exit(32)
    try:
        tree = call(open_tree, AT_FDCWD, place.encode(), OPEN_TREE_CLONE | AT_RECURSIVE)
    finally:
        subprocess.call(["umount", "-l", place])
    call(move_mount, tree, b"", AT_FDCWD, os.fsencode(target), MOVE_MOUNT_F_EMPTY_PATH)
finally:
    os.rmdir(place)
