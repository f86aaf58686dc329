// An empty directory whose first statfs(2), which mounting an overlay on it needs, waits for a line on stdin: the mount(8) that asked
// is in the kernel until then.
// usage: node held-fuse.mjs <mount point>; prints a line once mounted, and one when it is asked.
import { readSync, writeSync } from 'node:fs';
import { answer, mountFuse, nextRequest } from './fuse.mjs';

const opcodes = { lookup: 1, forget: 2, getattr: 3, statfs: 17, batchForget: 42 };
const [absent, unknown] = [-2, -38]; // ENOENT, ENOSYS

const attributes = Buffer.alloc(104); // fuse_attr_out
attributes.writeBigUInt64LE(1n, 16); // inode
attributes.writeUInt32LE(0o40755, 76); // mode
attributes.writeUInt32LE(2, 80); // links
const space = Buffer.alloc(80); // fuse_statfs_out
space.writeUInt32LE(4096, 40); // block size
space.writeUInt32LE(255, 44); // longest name

const device = mountFuse(process.argv[2], 'held:/');
writeSync(1, 'mounted\n');
for (let isHeld = true; ; ) {
  const request = nextRequest(device);
  const { opcode } = request;
  if (opcode === opcodes.forget || opcode === opcodes.batchForget) continue;
  if (opcode === opcodes.statfs && isHeld) {
    writeSync(1, 'asked\n');
    readSync(0, Buffer.alloc(1));
    isHeld = false;
  }
  const said = { [opcodes.lookup]: absent, [opcodes.getattr]: attributes, [opcodes.statfs]: space };
  answer(device, request, said[opcode] ?? unknown);
}
