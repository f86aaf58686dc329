import { Failure } from '../../lib/contract/outcome.ts';
import type { Host } from '../../lib/host/host.ts';
import { mountOn, mounts, resolvePath } from '../../lib/host/storage/mounts.ts';
import type { Cluster } from './cluster.ts';
import type { Known } from './known.ts';

/** The ids of the cluster's filesystems on whose directory something is mounted on this node. */
export async function lookAtMounted(
  host: Host,
  cluster: Promise<Known<Cluster>>,
): Promise<ReadonlySet<string>> {
  const known = await cluster;
  const wanted =
    known.is === 'known' ? known.value.cib.primitives.filter(({ type }) => type === 'Filesystem') : [];
  const table = await mounts(host);
  const found = new Set<string>();
  for (const { id, parameters } of wanted) {
    const { path, trouble } = await resolvePath(host, parameters['directory'] ?? '/', table);
    if (mountOn(table, path)) found.add(id);
    else if (trouble !== undefined) throw new Failure('failed', trouble);
  }
  return found;
}
