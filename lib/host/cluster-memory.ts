import { bounded, type Caller, isModern, tool } from './cluster.ts';
import type { Host } from './host.ts';

// What the cluster has kept of what it was told.

/**
 * Whether the cluster's configuration, by which it promotes, has the caller's score of this node; `undefined` when it cannot be asked. The
 * attribute manager's word is not that: when a node's controller or executor dies, Pacemaker (seen with 2.1.5) takes the node's attributes out
 * of the configuration, while the manager believes them written, and writes nothing when it is told the same again.
 */
export async function isScoreKept(
  host: Host,
  { featureSet }: Caller,
  score: number,
): Promise<boolean | undefined> {
  const command = (await isModern(host, featureSet))
    ? ([tool(host, 'crm_attribute'), '--promotion'] as const)
    : ([tool(host, 'crm_master'), '-l', 'reboot'] as const);
  const output = await bounded(host, [...command, '--query', '--quiet']);
  if (output.code === 0) return output.stdout.trim() === String(score);
  return output.code === noSuchAttribute ? false : undefined;
}

/** ENXIO among Pacemaker's exit codes. */
const noSuchAttribute = 105;

/** Has the attribute manager write all that it knows anew. Never fails. */
export async function rewriteAttributes(host: Host): Promise<void> {
  await bounded(host, [tool(host, 'attrd_updater'), '--refresh']);
}
