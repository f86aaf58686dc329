import { Failure } from '../../contract/outcome.ts';
import { readBoolean } from '../../contract/params.ts';
import type { Host } from '../host.ts';
import { listIfThere, readIfThere } from '../local-files.ts';

/** Where nfs-utils looks, each with a directory of fragments beside it. The distribution's own below /usr/etc are SUSE's. */
const places = ['/usr/etc/nfs.conf', '/etc/nfs.conf'];

/** What the agent nfsserver adds while its server runs on this node. */
export const agentConf = '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';

export type NfsConf = {
  /** Section and key in any letter case; `undefined` when nothing sets it. */
  get(section: string, key: string): string | undefined;
};

/** nfs-utils has no limit, and files that include each other crash it. */
const mostIncludes = 100;

/**
 * nfs.conf(5) as nfs-utils reads it, with its fragments, but for `except`, a file of ours. What is no file does not count: a directory
 * called `x.conf`, links in a circle. Throws `Failure` where there is one that cannot be read: what it says nobody knows then.
 */
export async function nfsConf(host: Host, except?: string): Promise<NfsConf> {
  const values = new Map<string, string>();
  let includes = 0;
  const take = async (path: string, text: string, inherited?: string): Promise<void> => {
    for (const { section, key, value } of assignmentsIn(text, inherited)) {
      if (key !== 'include') {
        values.set(nameOf(section, key), value);
        continue;
      }
      if (++includes > mostIncludes) throw new Failure('failed', `${path} includes too many files`);
      const file = value.replace(/^-/, '');
      const included = file.startsWith('/') ? file : `${path.slice(0, path.lastIndexOf('/'))}/${file}`;
      await take(included, (await textOf(host, included)) ?? '', section);
    }
  };
  for (const place of places) {
    const text = await textOf(host, place);
    if (text !== undefined) values.clear(); // the administrator's file takes the place of all that is below /usr/etc
    await take(place, text ?? '');
    const fragments = (await listIfThere(host, `${place}.d`)).map((name) => `${place}.d/${name}`);
    for (const path of fragments.sort(byVersion))
      if (/\/[^./][^/]*\.conf$/.test(path) && path !== except)
        await take(path, (await textOf(host, path)) ?? '');
  }
  return { get: (section, key) => lookUp(values, host.sys.env, nameOf(section, key)) };
}

const nameOf = (section: string, key: string): string => `${section}\n${key}`.toLowerCase();

/** What `$NAME` stands for, nfs-utils takes from its environment, else from the section `environment`. */
function lookUp(
  values: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
  name: string,
): string | undefined {
  let value = values.get(name);
  for (let hops = 0; value?.startsWith('$'); hops++) {
    const variable = value.slice(1);
    if (hops > values.size) return undefined; // in a circle
    if (env[variable]) return env[variable];
    value = values.get(nameOf('environment', variable));
  }
  return value;
}

/** The order of strverscmp(3), but for numbers that are all zeros. */
function byVersion(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  while (/\d/.test(one[at - 1] ?? '')) at--;
  const [a = '', b = ''] = [one, other].map((name) => /^[1-9]\d*/.exec(name.slice(at))?.[0]);
  if (a !== '' && b !== '' && a.length !== b.length) return a.length - b.length;
  return one < other ? -1 : 1;
}

const noFile: ReadonlySet<unknown> = new Set(['EISDIR', 'ELOOP']);

async function textOf(host: Host, path: string): Promise<string | undefined> {
  try {
    return await readIfThere(host, path);
  } catch (error) {
    if (error instanceof Failure && noFile.has((error.cause as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}

type Assignment = { readonly section: string; readonly key: string; readonly value: string };

/**
 * The assignments of one file; sections and keys have no letter case:
 *
 *     [nfsd]                   # [mountd "name"] is a section of its own
 *     threads = 16
 *     host = "192.0.2.20"      # quotes, also single ones, are no part of the value
 *     vers3 = $NFS3            # `lookUp`
 *     include = -local.conf    # of the directory of this file; what it assigns before its first section belongs to this one
 *     port = 20\
 *     49                       # one line, with two blanks
 *
 * Passed over: empty values, what stands before the first section, and a last line that no newline ends.
 */
export function* assignmentsIn(text: string, inherited?: string): Generator<Assignment> {
  let section = inherited;
  for (const raw of text.replaceAll('\\\n', '  ').split('\n').slice(0, -1)) {
    const line = raw.trimStart();
    if (line.startsWith('#') || line.startsWith(';')) continue;
    if (line.startsWith('[')) {
      section = sectionOf(line);
      continue;
    }
    const at = line.indexOf('=');
    if (at < 1 || section === undefined) continue;
    const value = textIn(line.slice(at + 1).trimStart());
    if (value !== '') yield { section, key: line.slice(0, at).trimEnd().toLowerCase(), value };
  }
}

/** `undefined` when it does not end: what follows belongs to none. */
function sectionOf(line: string): string | undefined {
  const end = line.indexOf(']');
  const [name = '', argument, ...closed] = line.slice(1, end).split('"');
  if (end < 0) return undefined;
  return closed.length > 0 ? `${name.trim()} "${argument}"` : name.trim();
}

function textIn(text: string): string {
  const [quote] = text;
  if (quote !== '"' && quote !== "'") return (text.split(/[#;]/, 1)[0] ?? '').trimEnd();
  return text.slice(1, Math.max(1, text.indexOf(quote, 1)));
}

/** NFSv3, and with it rpcbind, statd and lock notifications, is on unless nfs.conf says otherwise. */
export const speaksV3 = (conf: NfsConf): boolean => readBoolean(conf.get('nfsd', 'vers3') ?? '') ?? true;
