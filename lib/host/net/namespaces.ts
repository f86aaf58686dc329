import type { Host } from '../host.ts';
import { factsIfThere } from '../local-files.ts';
import type { Argv } from '../sys/sys.ts';

/** Named network namespaces, as `ip netns` keeps them; `undefined` is the one this process lives in. */
export type Namespace = string | undefined;

/**
 * Whether the namespace has a name here. Its file is a bind mount of nsfs, or a link to a process' own: looking at it cannot hang. A plain
 * file is what is left of a namespace whose mount has gone: there is none then. Throws `Failure` when it cannot be found out.
 */
export async function namespaceExists(host: Host, namespace: Namespace): Promise<boolean> {
  if (namespace === undefined) return true;
  const named = await factsIfThere(host, `/run/netns/${namespace}`, 'follow');
  if (named === undefined) return false;
  const own = await factsIfThere(host, '/proc/self/ns/net', 'follow');
  return own === undefined || named.dev === own.dev;
}

/** An `ip` command on the namespace. */
export const ipCommand = (namespace: Namespace, ...args: readonly string[]): Argv =>
  namespace === undefined ? ['ip', ...args] : ['ip', '-n', namespace, ...args];

/** Any other command inside the namespace. */
export const inNamespace = (namespace: Namespace, argv: Argv): Argv =>
  namespace === undefined ? argv : ['ip', 'netns', 'exec', namespace, ...argv];
