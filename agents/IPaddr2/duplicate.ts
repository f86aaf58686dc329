import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure } from '../../lib/host/host.ts';
import type { Interface } from '../../lib/host/net/addresses.ts';
import { inNamespace } from '../../lib/host/net/namespaces.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

/** run_arping: asks the network for another owner before the address is added. IPv6 does that by itself, and a Cluster-IP has other owners. */
export async function requireUnused({ host, params }: Ctx, want: Wanted, link: Interface): Promise<void> {
  if (
    !params.run_arping ||
    want.family === 'inet6' ||
    want.share ||
    link.linkType === 'loopback' ||
    !link.running
  )
    return;
  const argv = inNamespace(want.namespace, [
    'arping',
    '-q',
    '-c',
    '2',
    '-w',
    '3',
    '-D',
    '-I',
    link.name,
    want.ip,
  ]);
  const output = await host.tryRun(argv);
  if (output.code === 1 && output.stderr.trim() === '')
    throw new Failure('failed', `another host answers for ${want.ip} on ${link.name}: not added`);
  if (output.code !== 0) throw commandFailure(argv, output);
}
