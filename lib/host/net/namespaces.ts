import { Failure } from '../../contract/outcome.ts';
import { commandFailure, commandLine, type Host } from '../host.ts';
import { factsIfThere, kindIfThere, targetIfThere } from '../local-files.ts';
import { isFileName } from '../sys/file-names.ts';
import type { Argv, Output } from '../sys/sys.ts';

/** A network namespace by its name, as `ip netns` keeps it, or by a file of it; `undefined` is the one this process lives in. */
export type Namespace = string | undefined;

/** What tells a namespace from another one that has its name: the inode of nsfs. */
export type NamespaceId = { readonly dev: number; readonly ino: number };

const fileOf = (namespace: string): string => (isFile(namespace) ? namespace : `/run/netns/${namespace}`);
const isFile = (namespace: string): boolean => namespace.startsWith('/');

/** `undefined` where nothing has the name. Throws `Failure` when that cannot be found out. */
export async function namespaceId(host: Host, namespace: string): Promise<NamespaceId | undefined> {
  const facts = isFileName(namespace) ? await factsIfThere(host, fileOf(namespace), 'follow') : undefined;
  return facts && { dev: facts.dev, ino: facts.ino };
}

/**
 * Whether the namespace has a name here. Its file is a bind mount of nsfs, or a link to a process' own: looking at it cannot hang. A plain
 * file is what is left of a namespace whose mount has gone, and a file of another type of namespace is no network: there is none then.
 * Throws `Failure` when it cannot be found out.
 */
export async function namespaceExists(host: Host, namespace: Namespace): Promise<boolean> {
  if (namespace === undefined) return true;
  if (!isFileName(namespace)) return false;
  const file = fileOf(namespace);
  const named = await factsIfThere(host, file, 'follow');
  if (named === undefined) return false;
  const own = await factsIfThere(host, '/proc/self/ns/net', 'follow');
  if (own === undefined) return true;
  if (named.dev !== own.dev) return false;
  return ((await typeOf(host, file, named.ino)) ?? 'net') === 'net';
}

/** `net:[4026531840]`: type and inode, as namespaces(7) has the links below /proc/PID/ns and mountinfo the root of a mount of one. */
export const identity = /^(\w+):\[(\d+)\]$/;

/** `net`, `uts`, `mnt`… of a namespace's file; `undefined` where neither its links nor the mount table tell. */
async function typeOf(host: Host, file: string, ino: number): Promise<string | undefined> {
  let path = file;
  for (let hops = 0; hops < longestChain && (await kindIfThere(host, path)) === 'link'; hops += 1) {
    const target = (await targetIfThere(host, path)) ?? '';
    const type = identity.exec(target)?.[1];
    if (type !== undefined) return type;
    path = target.startsWith('/') ? target : `${path.slice(0, path.lastIndexOf('/'))}/${target}`;
  }
  const { mounts } = await import('../storage/mounts.ts');
  // An inode of nsfs belongs to one namespace, of whatever type.
  const roots = (await mounts(host)).map(({ root }) => identity.exec(root) ?? []);
  return roots.find(([, , inode]) => Number(inode) === ino)?.[1];
}

/** As the kernel's own bound for links that lead to links. */
const longestChain = 40;

/** An `ip` command on the namespace. */
export const ipCommand = (namespace: Namespace, ...args: readonly string[]): Argv => {
  if (namespace === undefined) return ['ip', ...args];
  return isFile(namespace) ? inNamespace(namespace, ['ip', ...args]) : ['ip', '-n', namespace, ...args];
};

/** Any other command inside the namespace. */
export const inNamespace = (namespace: Namespace, argv: Argv): Argv => {
  if (namespace === undefined) return argv;
  return isFile(namespace)
    ? ['nsenter', `--net=${namespace}`, ...argv]
    : ['ip', 'netns', 'exec', namespace, ...argv];
};

/** Whether the kernel's list had changed while it was told: something may be missing, of which ip says so on stderr and 0. */
export const isCutShort = ({ stderr }: Output): boolean => stderr.includes('Dump was interrupted');

/** What `ip -j … show` prints, whole: a list that was cut short is asked for again. Throws `Failure`. */
export async function shown(host: Host, namespace: Namespace, ...words: readonly string[]): Promise<string> {
  const argv = ipCommand(namespace, '-j', ...words);
  let text = '';
  const isWhole = await host.until(async () => {
    const output = await host.tryRun(argv);
    if (output.code !== 0) throw commandFailure(argv, output);
    text = output.stdout;
    return !isCutShort(output);
  }, host.left() / 2);
  if (isWhole) return text;
  throw new Failure('failed', `${commandLine(argv)}: what it lists does not stop changing`);
}
