"""What an ordinary user does to keep a filesystem from being unmounted. usage: hostile.py <way> <a directory of it>; prints a line once
it is done, and stays.
"""
import ctypes
import itertools
import os
import sys
import time

way, place = sys.argv[1:3]
libc = ctypes.CDLL(None, use_errno=True)


def stay():
    print(flush=True)
    time.sleep(3600)
    os._exit(0)


def call(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def end_with_parent():
    """So that a test that fails leaves nobody behind."""
    libc.prctl(1, 9)


if way == "orphaned":  # a namespace that is kept by a descriptor alone
    os.chdir("/")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.set_inheritable(write, True)
        os.execvp("unshare", ["unshare", "-Urm", "sh", "-c", f"cd /; echo >&{write}; exec sleep 3600"])
    os.read(read, 1)
    namespace = os.open(f"/proc/{child}/ns/mnt", os.O_RDONLY)
    os.kill(child, 9)
    os.waitpid(child, 0)
elif way == "detached":  # in a namespace of his own: on a mount that is in no table any more
    os.chdir(place)
    call(libc.mount(b"x", b"/mnt", b"tmpfs", 0, None))
    os.mkdir("/mnt/old")
    call(libc.syscall(155, b"/mnt", b"/mnt/old"))  # pivot_root, x86-64
    call(libc.umount2(b"/old", 2))  # MNT_DETACH
elif way == "many":  # 1.2 million descriptors of files elsewhere, in as many processes as he needs for them, and in each one here
    os.chdir("/")
    first = os.open("/dev/null", os.O_RDONLY)
    try:
        while True:
            last = os.dup(first)
    except OSError:
        os.close(last)
    os.open(place, os.O_RDONLY)
    for _ in range(1_200_000 // last):
        if os.fork() == 0:
            end_with_parent()
            time.sleep(3600)
elif way == "respawning":  # twenty processes of his sit there, for each that ends comes another one. He himself is elsewhere
    os.chdir("/")
    for number in itertools.count():
        if os.fork() == 0:
            end_with_parent()
            os.chdir(place)
            time.sleep(3600)
            os._exit(0)
        if number == 20:
            print(flush=True)
        if number >= 20:
            os.wait()
elif way == "hidden":  # in a namespace of his own: its table is that of another root directory
    os.chdir("/")
    os.chroot("/usr")
stay()
