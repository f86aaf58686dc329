import { commandFailure } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import type { Cluster } from '../facts/cluster.ts';
import { gather } from '../facts/gather.ts';
import { hasSecondCopy, replicated, services } from '../facts/service.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { duration } from '../output/units.ts';
import { say, wordsIn } from '../output/words.ts';
import { approve, atWork, requireRoot } from './change.ts';

export type MaintenanceOptions = {
  readonly to: 'on' | 'off';
  readonly node: string | null;
  readonly dryRun: boolean;
  readonly yes: boolean;
};

const syncsWithinMs = 6 * 3_600_000;

/** `tsha maintenance on NODE | off [NODE]`: out of service until the node boots again, and back with both copies. */
export async function maintenance(call: Call, options: MaintenanceOptions): Promise<Ending> {
  const facts = await gather(call.host, Date.now());
  if (facts.cluster.is === 'unknown') throw new CommandError('unknown', facts.cluster.why);
  const cluster = facts.cluster.value;
  const nodes = nodesFor(cluster, options);
  const words = wordsIn(call.terminal.language);
  if (nodes.length === 0) {
    print(1, `${words.nothingToDo}\n`);
    return 'well';
  }
  if (options.to === 'on') requirePassive(cluster, nodes[0] ?? '');
  const commands = nodes.flatMap((node) => commandsFor(options.to, node, cluster));
  for (const argv of commands) print(1, `  ${argv.join(' ')}\n`);
  if (options.dryRun) return 'well';
  requireRoot(call);
  if (options.to === 'on')
    await approve(call, say(words.maintenanceNow, { node: harmless(nodes[0] ?? '') }), options.yes);
  return atWork(call, 'maintenance', async () => {
    for (const argv of commands) {
      const output = await call.host.tryRun(argv, { timeoutMs: 15_000 });
      if (output.code !== 0) throw new CommandError('broken', commandFailure(argv, output).message);
    }
    return options.to === 'on' ? 'well' : waitForCopies(call);
  });
}

/** Throws `CommandError` for a node that does not exist. */
function nodesFor(cluster: Cluster, { to, node }: MaintenanceOptions): readonly string[] {
  const names = cluster.nodes.map(({ name }) => name);
  if (node !== null && !names.includes(node))
    throw new CommandError(
      'unknown',
      `there is no node ${harmless(node)} in this cluster (${names.join(', ')})`,
    );
  const isAway = (name: string) => cluster.nodes.some((one) => one.name === name && one.standby !== 'no');
  if (to === 'on') return node === null || isAway(node) ? [] : [node];
  return names.filter((name) => isAway(name) && (node === null || name === node));
}

/** A node that serves would take the service down, or the second copy with it: it is moved first. */
function requirePassive(cluster: Cluster, node: string): void {
  const serving = services(cluster).find((one) => one.node === node);
  const others = cluster.nodes.filter(
    ({ name, online, standby }) => name !== node && online && standby === 'no',
  );
  if (serving) {
    const [other] = others;
    throw new CommandError(
      'broken',
      `${node} serves ${serving.name}; nothing has been changed`,
      other ? [`tsha switch ${other.name}`] : [],
    );
  }
  if (others.length === 0)
    throw new CommandError('broken', `no other node is in service; nothing has been changed`);
}

function commandsFor(to: 'on' | 'off', node: string, { nodes }: Cluster): readonly Argv[] {
  if (to === 'on') return [['crm_standby', '--node', node, '--lifetime', 'reboot', '--update', 'on']];
  const lifetime = nodes.find(({ name }) => name === node)?.standby === 'reboot' ? 'reboot' : 'forever';
  return [['crm_standby', '--node', node, '--lifetime', lifetime, '--delete']];
}

/** Until both copies are UpToDate; Ctrl-C ends the waiting and nothing else. */
async function waitForCopies(call: Call): Promise<Ending> {
  const { sys, host, terminal } = call;
  const words = wordsIn(terminal.language);
  const end = sys.now() + syncsWithinMs;
  for (let told = ''; sys.now() < end; await sys.sleep(1000)) {
    const facts = await gather(host, Date.now());
    if (facts.cluster.is === 'known' && replicated(facts.cluster.value).length === 0) return 'well';
    const isUp =
      facts.cluster.is === 'known' && facts.cluster.value.instances.every(({ role }) => !/ing$/.test(role));
    if (hasSecondCopy(facts) === true && isUp) {
      print(1, terminal.marks(`✓ ${words.bothUpToDate}\n`));
      return 'well';
    }
    const volumes =
      facts.drbd.is === 'known'
        ? facts.drbd.value.resources.flatMap((one) => one.peers.flatMap((peer) => peer.volumes))
        : [];
    const syncing = volumes.find(({ replication }) => /^Sync/.test(replication));
    const line = syncing
      ? `${syncing.donePercent ?? '?'} %, ${say(words.left, { left: syncing.leftSeconds === null ? '?' : duration(syncing.leftSeconds) })}`
      : words.waitingForCopy;
    if (line !== told) print(2, `${line}\n`);
    told = line;
  }
  return 'halfway';
}
