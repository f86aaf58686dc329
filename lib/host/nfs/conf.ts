import { Failure } from '../../contract/outcome.ts';
import { readBoolean } from '../../contract/params.ts';
import type { Host } from '../host.ts';
import { listIfThere, readIfThere } from '../local-files.ts';

/** Where nfs-utils looks, the later file winning. The distribution's own files below /usr/etc are SUSE's. */
const places = ['/usr/etc/nfs.conf', '/usr/etc/nfs.conf.d', '/etc/nfs.conf', '/etc/nfs.conf.d'];

/** What the agent nfsserver adds while its server runs on this node. */
export const agentConf = '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';

export type NfsConf = {
  /** Section and key in any letter case; `undefined` when nothing sets it. */
  get(section: string, key: string): string | undefined;
};

/**
 * nfs.conf(5) with its fragments, but for `except`, a file of ours. What is no file does not count, as for nfs-utils: a directory called
 * `x.conf`, links in a circle. Throws `Failure` where there is one that cannot be read: what it says nobody knows then.
 */
export async function nfsConf(host: Host, except?: string): Promise<NfsConf> {
  const texts: string[] = [];
  for (const place of places) {
    if (!place.endsWith('.d')) {
      texts.push(await textOf(host, place));
      continue;
    }
    const names = await listIfThere(host, place);
    for (const name of [...names].sort())
      if (name.endsWith('.conf') && !name.startsWith('.') && `${place}/${name}` !== except)
        texts.push(await textOf(host, `${place}/${name}`));
  }
  return parseNfsConf(texts.join('\n'));
}

const noFile: ReadonlySet<unknown> = new Set(['EISDIR', 'ELOOP']);

async function textOf(host: Host, path: string): Promise<string> {
  try {
    return (await readIfThere(host, path)) ?? '';
  } catch (error) {
    if (error instanceof Failure && noFile.has((error.cause as NodeJS.ErrnoException).code)) return '';
    throw error;
  }
}

/**
 * nfs.conf(5); a later value of the same key takes the place of an earlier one, sections and keys have no letter case:
 *
 *     [nfsd]                 # or [mountd "name"], whose name is passed over
 *     threads = 16
 *     host = "192.0.2.20"    # quotes are no part of the value
 */
export function parseNfsConf(text: string): NfsConf {
  const values = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n')) {
    const content = line.replace(/^\s*[#;].*|\s#.*/, '').trim();
    const header = /^\[([^\]"]*)(?:"[^"]*"\s*)?\]$/.exec(content)?.[1]?.trim();
    if (header) section = header.toLowerCase();
    const [, key = '', value = ''] = header ? [] : (/^([^=]+)=(.*)$/.exec(content) ?? []);
    if (key) values.set(`${section} ${key.trim().toLowerCase()}`, value.trim().replace(/^"(.*)"$/, '$1'));
  }
  return { get: (wanted, key) => values.get(`${wanted.toLowerCase()} ${key.toLowerCase()}`) };
}

/** NFSv3, and with it rpcbind, statd and lock notifications, is on unless nfs.conf says otherwise. */
export const speaksV3 = (conf: NfsConf): boolean => readBoolean(conf.get('nfsd', 'vers3') ?? '') ?? true;
