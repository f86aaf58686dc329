import type { Host } from '../host.ts';
import type { Argv } from '../sys/sys.ts';

/** Named network namespaces, as `ip netns` keeps them; `undefined` is the one this process lives in. */
export type Namespace = string | undefined;

/** Whether the namespace has a name here. Its file is a bind mount of nsfs: looking at it cannot hang. */
export async function namespaceExists(host: Host, namespace: Namespace): Promise<boolean> {
  if (namespace === undefined) return true;
  return host.sys.facts(`/run/netns/${namespace}`).then(
    () => true,
    () => false,
  );
}

/** An `ip` command on the namespace. */
export const ipCommand = (namespace: Namespace, ...args: readonly string[]): Argv =>
  namespace === undefined ? ['ip', ...args] : ['ip', '-n', namespace, ...args];

/** Any other command inside the namespace. */
export const inNamespace = (namespace: Namespace, argv: Argv): Argv =>
  namespace === undefined ? argv : ['ip', 'netns', 'exec', namespace, ...argv];
