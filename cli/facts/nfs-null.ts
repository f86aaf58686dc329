import { isIP } from 'node:net';
import type { Sys } from '../../lib/host/sys/sys.ts';

/** RFC 5531: record mark, xid, call, RPC version 2, program 100003 (NFS), version, procedure 0 (NULL), no credentials. */
const nullCall = (version: number): Buffer => {
  const words = [0x80000028, 0x74736861, 0, 2, 100003, version, 0, 0, 0, 0, 0];
  const call = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) call.writeUInt32BE(word, index * 4);
  return call;
};

/** Whether an NFS server answers at this address, as a client would find out; null for what is no address. */
export async function answersNfs(sys: Sys, ip: string, withinMs: number): Promise<boolean | null> {
  if (isIP(ip) === 0) return null;
  const end = sys.now() + withinMs;
  while (sys.now() < end) {
    if ((await ask(ip, 4)) || (await ask(ip, 3))) return true;
    await sys.sleep(300);
  }
  return false;
}

async function ask(ip: string, version: number): Promise<boolean> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port: 2049 });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => done(false));
    socket.once('error', () => done(false));
    socket.once('connect', () => socket.write(nullCall(version)));
    // the same xid, a reply, accepted
    socket.once('data', (reply) =>
      done(reply.length >= 16 && reply.readUInt32BE(4) === 0x74736861 && reply.readUInt32BE(12) === 0),
    );
  });
}
