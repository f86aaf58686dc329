import type { Host } from '../host.ts';
import { readIfThere } from '../local-files.ts';
import { processName } from '../process-table.ts';

/**
 * The inodes of the sockets that listen on a TCP port, in the text of /proc/net/tcp or tcp6, proc_net_tcp(5):
 *
 *        0: 00000000:0801 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18742 1 …
 *       (1)          (2)               (3)                                                       (4)
 *
 * (1) slot, (2) local port in hexadecimal, (3) state, 0A is listening, (4) inode.
 */
export const parseListeners = (table: string, port: number): readonly string[] =>
  [...table.matchAll(/^ *\d+: \w+:(\w+) \S+ 0A (?:\S+ +){5}(\d+)/gm)]
    .filter(([, local = '']) => Number.parseInt(local, 16) === port)
    .map(([, , inode = '']) => inode);

/** The programs that listen on a TCP port, `name (pid 1)` each. The kernel's own sockets have no program. */
export async function listenersOn(host: Host, port: number): Promise<readonly string[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readIfThere(host, `/proc/net/${name}`)));
  const sockets = new Set(
    tables.flatMap((table) => parseListeners(table ?? '', port)).map((inode) => `socket:[${inode}]`),
  );
  if (sockets.size === 0) return [];
  const found: string[] = [];
  for (const pid of await host.sys.list('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await host.sys.list(`/proc/${pid}/fd`).catch(() => []))
      if (sockets.has(await host.sys.target(`/proc/${pid}/fd/${fd}`).catch(() => ''))) {
        found.push(`${(await processName(host, Number(pid))) ?? '?'} (pid ${pid})`);
        break;
      }
  }
  return found;
}
