import type { Host } from '../host.ts';
import { readManaged, replaceManaged } from '../storage/managed-files.ts';
import { answersHere, decodeOctal, type Mount, mountOn } from '../storage/mounts.ts';
import { nfsConf } from './conf.ts';

/** Who may use which directory, and how. */
export type Export = {
  readonly path: string;
  /** As etab spells it: `*`, a network, a canonical host name, an IPv6 address without brackets. */
  readonly client: string;
  readonly options: readonly string[];
};

/** What a client asked the kernel for, and mountd answered, since the caches were last flushed. */
export type KernelExport = {
  readonly path: string;
  /** Every client of etab that the asking host belongs to. */
  readonly clients: readonly string[];
  /** False for a refusal, an expired answer or one that is still awaited: those, too, keep the filesystem busy. */
  readonly valid: boolean;
};

/** Where mountd and exportfs keep etab and rmtab, and whether that is managed storage. */
export type StateDirectory = {
  readonly path: string;
  /** A disk is mounted right there: the failover filesystem, bound by nfsserver or mounted by Filesystem. */
  readonly managed: boolean;
};

export async function stateDirectory(host: Host, table: readonly Mount[]): Promise<StateDirectory> {
  const conf = await nfsConf(host);
  const named = ['mountd', 'exportd'].map((section) => conf.get(section, 'state-directory-path'));
  const path = (named.find(Boolean) ?? '/var/lib/nfs').replace(/(.)\/+$/, '$1');
  return { path, managed: mountOn(table, path) !== undefined && !answersHere(path, table) };
}

/** A file of the state directory; `undefined` when there is none. Throws `Failure` when the storage does not answer. */
export async function readState(
  host: Host,
  state: StateDirectory,
  name: string,
  timeoutMs?: number,
): Promise<string | undefined> {
  const path = `${state.path}/${name}`;
  if (state.managed) return readManaged(host, path, timeoutMs);
  return host.sys.read(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Replaces a file of the state directory as a whole. */
export async function writeState(
  host: Host,
  state: StateDirectory,
  name: string,
  text: string,
): Promise<void> {
  const path = `${state.path}/${name}`;
  await (state.managed ? replaceManaged(host, path, text) : host.sys.write(path, text));
}

/**
 * Everything exported by this node's tables. exportfs replaces etab by a rename, so no lock is needed to read it; unlike
 * `exportfs` without arguments nothing here asks DNS.
 */
export const readEtab = async (host: Host, state: StateDirectory): Promise<readonly Export[]> =>
  parseEtab((await readState(host, state, 'etab')) ?? '');

/** exportfs calls a missing etab an error, although it exports. */
export async function ensureEtab(host: Host, state: StateDirectory): Promise<void> {
  if ((await readState(host, state, 'etab')) === undefined) await writeState(host, state, 'etab', '');
}

/** Lines of `path TAB client(option,…)`, octal escapes in the path. */
export function parseEtab(text: string): readonly Export[] {
  return text.split('\n').flatMap((line) => {
    const [, path, client, options] = exportLine.exec(line) ?? [];
    if (path === undefined || client === undefined || options === undefined) return [];
    return [{ path: decodeOctal(path), client: decodeOctal(client), options: options.split(',') }];
  });
}

const exportLine = /^(\/\S*)[\t ]+(\S+)\(([^()]*)\)$/;

/** etab without some of its lines; every other line stays as it is, byte for byte. */
export const withoutExports = (text: string, gone: (entry: Export) => boolean): string =>
  text
    .split('\n')
    .filter((line) => !parseEtab(line).some(gone))
    .join('\n');

const rpc = '/proc/net/rpc';

/** The kernel's export cache; empty without nfsd. */
export const kernelExports = async (host: Host): Promise<readonly KernelExport[]> =>
  parseKernelExports(await host.sys.read(`${rpc}/nfsd.export/content`).catch(() => ''));

/** As etab, but the client is a list, and an entry that answers nobody stands behind a `# `. */
export function parseKernelExports(text: string): readonly KernelExport[] {
  return text.split('\n').flatMap((line) => {
    const valid = !line.startsWith('#');
    const [entry] = parseEtab(valid ? line : line.slice(2));
    return entry ? [{ path: entry.path, clients: entry.client.split(','), valid }] : [];
  });
}

/** Addresses before handles before exports: what is asked anew must not be answered from a stale later cache. */
const flushFiles = ['auth.unix.ip', 'auth.unix.gid', 'nfsd.fh', 'nfsd.export'].map(
  (cache) => `${rpc}/${cache}/flush`,
);

/**
 * Makes the kernel forget every answer of mountd's: what clients still may use, it asks again. A child does it: flushing
 * nfsd.fh waits, uninterruptibly, for a shutdown of nfsd.
 */
export async function flushKernelExports(host: Host, timeoutMs: number): Promise<void> {
  await host.sys.sleep(Math.min(timeoutMs, await untilFlushCounts(host)));
  // 4.16 and later ignore the time; earlier kernels drop what is older than it
  const input = `${Math.floor(Date.now() / 1000) + 1}\n`;
  await host.tryRun(['tee', ...flushFiles], { input, timeoutMs });
}

/**
 * Milliseconds. Of two flushes within a second the second one clears nothing (Linux 4.16 to at least 7.2): it dates itself a second
 * ahead, and the kernel's cleaner, up to half a minute later, is the next to come by. Until then what was flushed answers nobody, and
 * keeps its filesystem busy all the same.
 */
async function untilFlushCounts(host: Host): Promise<number> {
  const last = Number.parseInt(await host.sys.read(`${rpc}/nfsd.export/flush`).catch(() => ''), 10); // seconds since 1970
  return Number.isNaN(last) ? 0 : Math.max(0, (last + 1) * 1000 + clockTickMs - Date.now());
}

/** The kernel's seconds change with its tick. */
const clockTickMs = 20;

/** Seconds that an NFSv4 client may stay silent before its state is given up. */
export async function leaseSeconds(host: Host): Promise<number | undefined> {
  const text = await host.sys.read('/proc/fs/nfsd/nfsv4leasetime').catch(() => '');
  return /^\d+\s*$/.test(text) ? Number.parseInt(text, 10) : undefined;
}

/**
 * How many NFSv4 clients hold opens, locks, delegations or layouts on the superblock; `undefined` where the kernel (before
 * 5.3) does not tell.
 */
export async function clientsHolding(host: Host, device: string): Promise<number | undefined> {
  const clients = '/proc/fs/nfsd/clients';
  const ids = await host.sys.list(clients).catch(() => undefined);
  if (!ids) return undefined;
  const states = await Promise.all(
    ids.map((id) => host.sys.read(`${clients}/${id}/states`).catch(() => '')), // a client may leave meanwhile
  );
  return states.filter((text) => holdsState(text, device)).length;
}

/** nfsd writes a superblock as two bytes of hexadecimal, `fd:01:4711`; mountinfo's `major:minor` is decimal. */
export function holdsState(states: string, device: string): boolean {
  const hex = device
    .split(':')
    .map((number) => Number(number).toString(16).padStart(2, '0'))
    .join(':');
  return states.includes(`superblock: "${hex}:`);
}
