import type { Host } from './host.ts';
import type { Owner } from './nfs-state.ts';

// Network Status Monitor: who holds NFSv3 locks here, and how those hosts learn that the server began anew.

/** Above this, statd's signed integers come near; the kernel refuses negative numbers. */
const lastState = 0x7f000000;

/** The next number of this server: odd means "up", and it must differ from every one that clients may remember. */
export function nextNsmState(last: number | undefined): number {
  if (last === undefined || last < 0 || last >= lastState) return 1;
  return last + (last % 2 === 0 ? 1 : 2);
}

/** The number in statd's file `state`: four bytes in the machine's order. `undefined` when there is none. */
export async function readNsmState(host: Host, dir: string): Promise<number | undefined> {
  const { code, stdout } = await host.tryRun(['od', '-An', '-td4', '-N4', '--', `${dir}/state`]);
  const text = stdout.trim();
  return code === 0 && text !== '' ? Number(text) : undefined;
}

/** Replaces the file whole; it is on the disk when this returns. A link in its place is not followed: clients may own the directory. */
export async function writeNsmState(host: Host, dir: string, state: number, owner: Owner): Promise<void> {
  const file = `${dir}/state`;
  const draft = `${file}.tsha`;
  const bytes = new Uint8Array(new Int32Array([state]).buffer);
  const owned = ['-o', String(owner.uid), '-g', String(owner.gid)];
  await host.run(['install', '-m', '0644', ...owned, '-T', '--', '/dev/stdin', draft], { input: bytes });
  await host.run(['sync', '--', draft]);
  await host.run(['mv', '-f', '-T', '--', draft, file]);
}
