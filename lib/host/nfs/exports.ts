import type { Host } from '../host.ts';
import { kindIfThere, readIfThere } from '../local-files.ts';
import { type Place, placeOf } from '../storage/managed-paths.ts';
import { decodeOctal, type Mount } from '../storage/mounts.ts';
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

/** Where mountd and exportfs keep etab and rmtab: /var/lib/nfs, unless nfs.conf says otherwise. */
export type StateDirectory = Place & {
  /** As nfs.conf has it: may be a link, or lead through one. */
  readonly path: string;
};

export async function stateDirectory(host: Host, table: readonly Mount[]): Promise<StateDirectory> {
  const conf = await nfsConf(host);
  const named = ['mountd', 'exportd'].map((section) => conf.get(section, 'state-directory-path'));
  const path = (named.find(Boolean) ?? '/var/lib/nfs').replace(/(?<=^\/|[^/])\/+$/, '');
  return { path, ...(await placeOf(host, path, table)) };
}

/** More than any of its files has, in bytes. */
const longestFile = 8 << 20;

/**
 * A file of the state directory; `undefined` when there is none. Throws `Failure` when that cannot be found out, or the storage does
 * not answer within `timeoutMs` (by default what the action has left).
 */
export async function readState(
  host: Host,
  state: StateDirectory,
  name: string,
  timeoutMs?: number,
): Promise<string | undefined> {
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  if (state.managed) {
    const { beneath } = await import('../storage/beneath.ts');
    const ask = { path: name, most: longestFile };
    return (await beneath(host, state.path, 'readFile', ask, limit)) ?? undefined;
  }
  // a link that this machine's root made may lead to managed storage
  if ((await kindIfThere(host, `${state.real}/${name}`)) === 'link')
    return (await import('../storage/managed-files.ts')).readManaged(
      host,
      `${state.path}/${name}`,
      timeoutMs,
    );
  return readIfThere(host, `${state.path}/${name}`);
}

/** Replaces a file of the state directory as a whole. Throws `Failure` when the storage does not answer. */
export async function writeState(
  host: Host,
  state: StateDirectory,
  name: string,
  text: string,
): Promise<void> {
  if (!state.managed) return host.sys.write(`${state.path}/${name}`, text);
  const { beneath } = await import('../storage/beneath.ts');
  await beneath(host, state.path, 'replaceFile', { path: name, text });
}

/**
 * Everything exported by this node's tables. exportfs replaces etab by a rename, so no lock is needed to read it; unlike
 * `exportfs` without arguments nothing here asks DNS.
 */
export const readEtab = async (host: Host, state: StateDirectory): Promise<readonly Export[]> =>
  parseEtab((await readState(host, state, 'etab')) ?? '');

/** exportfs calls a missing etab an error, although it exports. What others write meanwhile stays. */
export async function ensureEtab(host: Host, state: StateDirectory): Promise<void> {
  if ((await readState(host, state, 'etab')) !== undefined) return;
  const { beneath } = await import('../storage/beneath.ts');
  await beneath(host, state.path, 'createFile', { path: 'etab' });
}

/**
 * exports(5)'s etab, as exportfs writes it: one client a line, every default spelled out.
 *
 *     /srv/my\\040files<TAB>10.0.0.0/24(rw,sync,…,fsid=5,anonuid=65534,anongid=65534,sec=sys,rw,root_squash,no_all_squash)
 *     (1)                 (2)         (3)
 *
 * (1) the path, escaped as `decodeOctal` reads it, (2) the client, (3) options; behind each `sec=` those of that flavour.
 */
export function parseEtab(text: string): readonly Export[] {
  return text.split('\n').flatMap((line) => {
    const [, path, client, options] = exportLine.exec(line) ?? [];
    if (path === undefined || client === undefined || options === undefined) return [];
    return [{ path: decodeOctal(path), client: decodeOctal(client), options: options.split(',') }];
  });
}

/** An option may hold parentheses: `mountpoint=/srv/a(b)`. */
const exportLine = /^(\/\S*)[\t ]+([^\s(]+)\((.*)\)$/;

/** etab without some of its lines; every other line stays as it is, byte for byte. */
export const withoutExports = (text: string, gone: (entry: Export) => boolean): string =>
  text
    .split('\n')
    .filter((line) => !parseEtab(line).some(gone))
    .join('\n');

/** The kernel's export cache; empty without nfsd. */
export const kernelExports = async (host: Host): Promise<readonly KernelExport[]> =>
  parseKernelExports((await readIfThere(host, '/proc/net/rpc/nfsd.export/content')) ?? '');

/**
 * As etab, with the kernel's own options:
 *
 *     # /srv/a<TAB>*,10.0.0.0/24(rw,no_root_squash,sync,wdelay,fsid=5,uuid=5d1bd9a8:c2c94f7f:8a7a1ed4:c2b2dd3b,sec=1)
 *     (1)(2)      (3)
 *
 * (1) before an entry that answers nobody: refused, expired or still awaited, (2) the path, (3) every client of etab that the asking
 * host belongs to.
 */
export function parseKernelExports(text: string): readonly KernelExport[] {
  return text.split('\n').flatMap((line) => {
    const valid = !line.startsWith('#');
    const [entry] = parseEtab(valid ? line : line.slice(2));
    return entry ? [{ path: entry.path, clients: entry.client.split(','), valid }] : [];
  });
}
