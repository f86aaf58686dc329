import {
  type AgentName,
  type Argv,
  pcsCommands as commandsOf,
  createCommand as createOf,
  type NfsStack,
  parameters as parametersOf,
  resourceIds,
  agentType as typeOf,
} from '../../../cli/stack.ts';
import { type CampaignName, isStock, nodes, type Order, type Provider, serviceAddress } from '../settings.ts';
import { seedCommands } from './seed.ts';

export { type AgentName, resourceIds };
export const agentNames = Object.keys(resourceIds) as AgentName[];

/** What runs in a campaign's cluster. */
export const agentsOf = (campaign: CampaignName): readonly AgentName[] =>
  campaign === 'drbd' ? ['drbd', 'Filesystem'] : agentNames;

export const exportedFolder = '/nfsdata';
export const agentFolder = '/usr/lib/ocf/resource.d/tsha';
export const drbdDevice = '/dev/drbd1';

/** The cluster of the README: what `tsha plan --ip 10.77.0.20` prints. */
const stack = (provider: Provider, order: Order): NfsStack => ({
  drbdResource: 'data',
  device: drbdDevice,
  directory: exportedFolder,
  fstype: 'xfs',
  ip: serviceAddress,
  prefix: 24,
  clients: '*',
  exportOptions: 'rw,sync,no_root_squash',
  address: order === 'seed' ? 'first' : 'last',
  provider: isStock(provider) ? 'stock' : 'tsha',
});

export const parameters = parametersOf(stack('native', 'recommended'));

export const agentType = (agent: AgentName, provider: Provider): string =>
  typeOf(agent, stack(provider, 'recommended').provider);

export const createCommand = (agent: AgentName, provider: Provider): Argv =>
  createOf(agent, stack(provider, 'recommended'));

/** Where a scenario waits for a monitor to see what it did. */
const withQuickMonitors = (argv: Argv): Argv =>
  argv.map((word) => word.replace('interval=20s', 'interval=4s').replace('interval=30s', 'interval=5s'));

/** Where faults come one after another. */
const withBusyMonitors = (argv: Argv): Argv =>
  argv.map((word) => word.replace('interval=20s', 'interval=8s').replace('interval=30s', 'interval=10s'));

/** As is recommended where NFSv3 is in use; the stock agent has no such parameter. */
const withLockGrace = (argv: Argv): Argv =>
  argv.flatMap((word) => (word === 'ocf:tsha:nfsserver' ? [word, 'lockd_grace_time=10'] : [word]));

/** As often as Pacemaker can: DRBD's two need different intervals. */
const everySecond = (argv: Argv): Argv =>
  argv.map((word) =>
    argv.includes('role=Unpromoted') && word === 'interval=30s'
      ? 'interval=2s'
      : word.replace(/^interval=\d+s$/, 'interval=1s'),
  );

/** As the README has it; where both want to fence, the one that serves is the first. */
const fencing: readonly Argv[] = [
  ...nodes.flatMap((node): Argv[] => [
    ['stonith', 'create', `fence-${node}`, 'fence_lab', `plug=${node}`, `pcmk_host_list=${node}`],
    ['constraint', 'location', `fence-${node}`, 'avoids', node],
  ]),
  ['property', 'set', 'priority-fencing-delay=8s'],
];

export const pcsCommands = (provider: Provider, order: Order, campaign: CampaignName): readonly Argv[] => [
  // dc-deadtime saves 15 s of the first election
  ['property', 'set', `stonith-enabled=${campaign === 'fenced'}`, 'dc-deadtime=5s'],
  ...(campaign === 'fenced' ? fencing : []),
  // a virtual machine with one busy processor: else Pacemaker lets a start wait for the monitor of the resource before it
  ['property', 'set', 'node-action-limit=8', 'load-threshold=1000%'],
  ['resource', 'defaults', 'update', 'resource-stickiness=100', 'migration-threshold=3'],
  ...resourcesOf(provider, order, campaign),
];

function resourcesOf(provider: Provider, order: Order, campaign: CampaignName): readonly Argv[] {
  if (campaign === 'seed') return seedCommands(stack(provider, order).provider);
  if (campaign === 'drbd') return commandsOf(stack(provider, order), ['Filesystem']).map(withQuickMonitors);
  // it begins with the stock agents, whose cluster changes hands
  if (campaign === 'migrate')
    // a shell agent on a busy host takes longer than the 20 s that Pacemaker gives it by default
    return [['resource', 'op', 'defaults', 'update', 'timeout=90s'], ...commandsOf(stack('stock', order))];
  const commands = commandsOf(stack(provider, order));
  if (campaign === 'fenced')
    return [...commands.map(withBusyMonitors), ['resource', 'meta', 'nfsshare', 'priority=10']];
  if (campaign === 'faults') return commands.map(withBusyMonitors);
  if (campaign === 'pause') return commands.map(withBusyMonitors).map(withLockGrace);
  return campaign === 'packages' ? commands.map(everySecond) : commands;
}
