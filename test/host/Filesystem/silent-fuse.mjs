// A FUSE filesystem without any library: mounts, answers INIT, and then never says another word. What touches it hangs.
// usage: node silent-fuse.mjs <mount point> [<source>]; prints a line once mounted. A source below /dev stays open, as a driver has it.
import { spawnSync } from 'node:child_process';
import { openSync, readSync, writeSync } from 'node:fs';

const initOpcode = 26;
const device = openSync('/dev/fuse', 'r+');
const [, , directory, source = 'silent:/export'] = process.argv;
const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
const { status, stderr } = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, source, directory], {
  stdio: ['ignore', 'ignore', 'pipe', device],
});
if (status !== 0) throw new Error(`mount: ${stderr}`);

if (source.startsWith('/dev/')) openSync(source, 'r+');
const request = Buffer.alloc(1024 * 1024);
readSync(device, request, 0, request.length, null);
if (request.readUInt32LE(4) !== initOpcode) throw new Error('the kernel did not begin with INIT');
const answer = Buffer.alloc(16 + 64); // fuse_out_header, then fuse_init_out of protocol 7.31
answer.writeUInt32LE(answer.length, 0);
request.copy(answer, 8, 8, 16); // unique
answer.writeUInt32LE(7, 16);
answer.writeUInt32LE(31, 20);
answer.writeUInt32LE(65536, 24); // max_readahead
answer.writeUInt16LE(12, 32); // max_background
answer.writeUInt16LE(9, 34); // congestion_threshold
answer.writeUInt32LE(65536, 36); // max_write
writeSync(device, answer);

console.log('mounted');
setInterval(() => {}, 60_000);
