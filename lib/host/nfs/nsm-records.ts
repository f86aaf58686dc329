import { Failure } from '../../contract/outcome.ts';
import { commandFailure, type Host, outputTrouble } from '../host.ts';
import { readIfThere } from '../local-files.ts';
import type { Output } from '../sys/sys.ts';
import { nfsdBegun } from './nfsd.ts';
import type { Owner } from './state-directory.ts';

// Network Status Monitor: who holds NFSv3 locks here, and how those hosts learn that the server began anew. statd writes a record
// per client into `sm`; a record of a server that is gone belongs into `sm.bak` until its client has been told.

/** Above this, statd's signed integers come near; the kernel refuses negative numbers. */
const lastState = 0x7f000000;

/** The next number of this server: odd means "up", and it must differ from every one that clients may remember. */
export function nextNsmState(last: number | undefined): number {
  if (last === undefined || last < 0 || last >= lastState) return 1;
  return last + (last % 2 === 0 ? 1 : 2);
}

/**
 * The number in statd's file `state`: four bytes in the machine's order. `undefined` when there is none. Throws `Failure` when that
 * cannot be found out: a number that clients have heard before tells them nothing.
 */
export async function readNsmState(host: Host, dir: string): Promise<number | undefined> {
  const argv = ['od', '-An', '-td4', '-N4', '--', `${dir}/state`] as const;
  const output = await host.tryRun(argv);
  if (output.code !== 0 && !saysAbsent(output)) throw commandFailure(argv, output);
  const text = output.stdout.trim();
  return output.code === 0 && text !== '' ? Number(text) : undefined;
}

/** Whether a tool complains of nothing but files that are not there. */
const saysAbsent = ({ stderr, hung, missing }: Output): boolean =>
  !hung &&
  !missing &&
  stderr !== '' &&
  stderr
    .trimEnd()
    .split('\n')
    .every((line) => /: (No such file or directory|Not a directory)$/.test(line));

/**
 * Writes the number, which is on the disk when this returns. A link in the file's place is not followed: the directory may be
 * exported, with root on a client among its writers. In place where the file exists: a new name has to wait for every NFSv4 client
 * with a delegation of the exported directory (Linux 6.19), and clients that are reclaiming their state return none.
 */
async function writeNsmState(host: Host, dir: string, state: number, owner: Owner): Promise<void> {
  const file = `${dir}/state`;
  const input = new Uint8Array(new Int32Array([state]).buffer);
  const inPlace = [
    'dd',
    `of=${file}`,
    'conv=notrunc,nocreat,fsync',
    'oflag=nofollow',
    'status=none',
  ] as const;
  const output = await host.tryRun(inPlace, { input });
  if (output.code === 0) return;
  if (output.hung) throw commandFailure(inPlace, output);
  const draft = `${file}.tsha`;
  await host.run(['rm', '-f', '--', draft]);
  await host.run(['dd', `of=${draft}`, 'conv=excl,fsync', 'status=none'], { input });
  await host.run(['chown', '-h', '--', `${owner.uid}:${owner.gid}`, draft]);
  await host.run(['mv', '-f', '-T', '--', draft, file]);
}

/** Takes the next number, on disk and in the kernel, which puts it into every lock request it answers. */
export async function advanceNsmState(host: Host, dir: string, owner: Owner): Promise<number> {
  const state = nextNsmState(await readNsmState(host, dir));
  await writeNsmState(host, dir, state, owner);
  await host.sys.poke('/proc/sys/fs/nfs/nsm_local_state', String(state)).catch(() => undefined); // no lockd yet
  return state;
}

/**
 * Gives every record its second name in `sm.bak`, where it waits, before the server stops: lockd has statd remove the one in `sm`
 * as it goes down. A second name needs no room on a full filesystem, which a copy would. One that has it is passed over.
 * Throws `Failure`; whatever clients with delegations of the directory do, it ends within `timeoutMs`.
 */
export async function keepRecords(host: Host, dir: string, timeoutMs: number): Promise<void> {
  const all = ['find', `${dir}/sm`, '-type', 'f', '-links', '1', '-exec'] as const;
  const into = ['-t', `${dir}/sm.bak`, '{}', '+'];
  const linked = [...all, 'ln', '-f', ...into] as const;
  const output = await host.tryRun(linked, { timeoutMs });
  if (output.code === 0) return;
  if (output.hung) throw commandFailure(linked, output);
  await host.run([...all, 'cp', '-p', ...into], { timeoutMs }); // a filesystem without hard links
}

/** Where a monitor's copies lie, for machines whose statd cannot be made to keep the records itself. */
export const copiesOf = (dir: string): string => `${dir}/sm.tsha`;

/** Gives the records of a server that runs a second name among the copies. Throws `Failure`. */
export async function copyRecords(host: Host, dir: string, timeoutMs: number): Promise<void> {
  const link = ['-exec', 'ln', '-f', '-t', copiesOf(dir), '{}', '+'];
  await host.run(['find', `${dir}/sm`, '-type', 'f', '-links', '1', ...link], { timeoutMs });
}

/** Whether a record came to `sm.bak` after a moment, in seconds since 1970: renaming and linking change a file's ctime. */
export async function isRetiredSince(host: Host, dir: string, since: number): Promise<boolean> {
  const newer = ['-type', 'f', '-newerct', `@${since}`, '-print', '-quit'];
  return (await host.run(['find', `${dir}/sm.bak`, ...newer], { timeoutMs: 3000 })) !== '';
}

/** Every record is one of an earlier server now. For a server that does not run: its statd would keep them in mind. */
export const retireAll = (host: Host, dir: string, from = `${dir}/sm`): Promise<void> =>
  retire(host, dir, [], from);

async function retire(host: Host, dir: string, which: readonly string[], from = `${dir}/sm`): Promise<void> {
  const records = ['find', from, '-type', 'f', ...which] as const;
  // `keepRecords` gave a record its second name, and statd has not removed the first: mv refuses to move a file onto itself.
  const kept = await host.run([...records, '-links', '+1', '-printf', `${dir}/sm.bak/%f\\0`]);
  const second = kept.split('\0').filter(Boolean); // a name may hold a line break
  if (second.length > 0) await host.run(['rm', '-f', '--', ...second]);
  await host.run([...records, '-exec', 'mv', '-f', '-t', `${dir}/sm.bak`, '{}', '+']);
}

/**
 * Retires the records that are older than the NFS server of this machine: left by a server that nobody of ours started or
 * stopped. Younger ones are of clients that have their locks from this server: telling those would cost them their locks.
 */
export async function retireOlder(host: Host, dir: string): Promise<void> {
  const since = await nfsdSince(host);
  if (since === undefined) return;
  await retire(host, dir, ['!', '-newermt', `@${since}`]);
}

/** When the oldest nfsd thread began, in seconds since 1970. */
async function nfsdSince(host: Host): Promise<number | undefined> {
  const booted = /^btime (\d+)/m.exec((await readIfThere(host, '/proc/stat')) ?? '')?.[1];
  const first = await nfsdBegun(host);
  return booted === undefined || first === undefined ? undefined : Number(booted) + Math.floor(first / ticks);
}

/** USER_HZ, the unit of /proc's times on every architecture Node runs on. */
const ticks = 100;

/** A client of an earlier server that has not confirmed yet. */
export type Waiting = {
  /** Its record's file name in `sm.bak`. */
  readonly file: string;
  /** How lockd knows it: an address, unless the kernel was told to use names. */
  readonly client: string;
};

/** The clients that are still to be told. Throws `Failure` where a record cannot be read: its client would never learn. */
export async function waitingClients(host: Host, dir: string): Promise<readonly Waiting[]> {
  const output = await host.tryRun(['grep', '-r', '-a', '-H', '-Z', '-m', '1', '', `${dir}/sm.bak`]);
  if (output.hung) throw new Failure('failed', `${dir}/sm.bak does not answer: ${output.hung}`);
  // 1: no line in any of them; a record may be told and removed meanwhile
  if (output.code > 1 && !saysAbsent(output))
    throw new Failure('failed', `cannot read ${dir}/sm.bak: ${outputTrouble(output)}`);
  return parseRecords(output.stdout);
}

/**
 * The first line of each file in sm.bak, as `grep -HZ` shows it:
 *
 *     /var/lib/nfs/sm.bak/node7<NUL>0100007f 000186b5 00000003 00000010 ed6b2e81… 192.0.2.7 nfs.example.com
 *     (1)                           (2)      (3)      (4)      (5)      (6)       (7)       (8)
 *
 * (1) the file, (2) the address to call back, (3) program, (4) version and (5) procedure in hexadecimal, (6) a cookie, (7) the client's
 * name and (8) ours. A record that was cut short is known by its file's name.
 */
export function parseRecords(text: string): readonly Waiting[] {
  return text
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const [path = '', record = ''] = line.split('\0');
      const file = path.slice(path.lastIndexOf('/') + 1);
      if (file === '' || file.startsWith('.')) return [];
      return [{ file, client: record.trim().split(/\s+/)[5] ?? file }];
    });
}

export const forgetClients = async (host: Host, dir: string, told: readonly Waiting[]): Promise<void> =>
  void (
    told.length > 0 &&
    (await host.run(['rm', '-f', '--', ...told.map(({ file }) => `${dir}/sm.bak/${file}`)]))
  );
