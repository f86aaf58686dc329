// A FUSE filesystem without any library: what its servers begin with.
import { spawnSync } from 'node:child_process';
import { openSync, readSync, writeSync } from 'node:fs';

const initOpcode = 26;
const buffer = Buffer.alloc(1024 * 1024);

/** Mounts it, and answers INIT: a filesystem of which nobody knows anything more. */
export function mountFuse(directory, source) {
  const device = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
  const { status, stderr } = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, source, directory], {
    stdio: ['ignore', 'ignore', 'pipe', device],
  });
  if (status !== 0) throw new Error(`mount: ${stderr}`);
  if (source.startsWith('/dev/')) openSync(source, 'r+'); // as a driver has it
  const request = nextRequest(device);
  if (request.opcode !== initOpcode) throw new Error('the kernel did not begin with INIT');
  const init = Buffer.alloc(64); // fuse_init_out of protocol 7.31
  init.writeUInt32LE(7, 0);
  init.writeUInt32LE(31, 4);
  init.writeUInt32LE(65536, 8); // max_readahead
  init.writeUInt16LE(12, 16); // max_background
  init.writeUInt16LE(9, 18); // congestion_threshold
  init.writeUInt32LE(65536, 20); // max_write
  answer(device, request, init);
  return device;
}

/** fuse_in_header. */
export function nextRequest(device) {
  readSync(device, buffer, 0, buffer.length, null);
  return { opcode: buffer.readUInt32LE(4), unique: buffer.readBigUInt64LE(8) };
}

/** fuse_out_header, then what was asked for; an error is a negative number. */
export function answer(device, { unique }, said) {
  const body = typeof said === 'number' ? Buffer.alloc(0) : said;
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeInt32LE(typeof said === 'number' ? said : 0, 4);
  header.writeBigUInt64LE(unique, 8);
  writeSync(device, Buffer.concat([header, body]));
}
