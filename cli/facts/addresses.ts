import { readBoolean } from '../../lib/contract/params.ts';
import { commandTrouble, type Host } from '../../lib/host/host.ts';
import { canonicalIp } from '../../lib/host/net/address-text.ts';
import { parseAddresses } from '../../lib/host/net/addresses.ts';
import { ipCommand, isCutShort, type Namespace, namespaceExists } from '../../lib/host/net/namespaces.ts';
import { type Cluster, startedOn } from './cluster.ts';
import { type Known, noAnswer, tryToKnow } from './known.ts';

const askMs = 5000;

/**
 * By the ids of the cluster's addresses that are said to run on this node: whether it has them. Those that depend on the instance of a clone
 * are not among them.
 */
export async function lookAtAddresses(
  host: Host,
  looking: Promise<Known<Cluster>>,
  naming: Promise<string>,
): Promise<ReadonlyMap<string, Known<boolean>>> {
  const [cluster, node] = await Promise.all([looking, naming]);
  if (cluster.is === 'unknown') return new Map();
  const here = startedOn(cluster.value, node, /^IPaddr2?$/).flatMap(({ id, parameters }) => {
    const ip = canonicalIp(parameters['ip'] ?? '');
    if (ip === undefined || readBoolean(parameters['unique_clone_address'] ?? '')) return [];
    return [{ id, ip, namespace: parameters['network_namespace'] || undefined }];
  });
  const found = here.map(
    async ({ id, ip, namespace }) => [id, await tryToKnow(() => isHere(host, ip, namespace))] as const,
  );
  return new Map(await Promise.all(found));
}

/** On whatever interface: one without a link is not among those that are running, and has its addresses all the same. */
async function isHere(host: Host, ip: string, namespace: Namespace): Promise<boolean> {
  if (namespace === undefined) {
    const running = await host.sys.runningAddresses();
    if (running.some(({ address }) => canonicalIp(address) === ip)) return true;
  } else if (!(await namespaceExists(host, namespace))) return false;
  const argv = ipCommand(namespace, '-j', 'address', 'show');
  const output = await host.tryRun(argv, { timeoutMs: askMs });
  if (output.code !== 0 || isCutShort(output)) throw noAnswer(host, output, commandTrouble(argv, output));
  return parseAddresses(output.stdout).some((link) => link.addresses.some((one) => one.ip === ip));
}
