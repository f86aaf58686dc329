/** A highly available NFS server on two machines, as an admin thinks of it. */
export type NfsStack = {
  /** Name in drbd.conf. */
  readonly drbdResource: string;
  readonly device: string;
  /** Mount point; by default also what is exported and where NFS keeps its state, as in the classic tutorial. */
  readonly directory: string;
  readonly fstype: string;
  readonly ip: string;
  /** Without it the agent takes that of the network which holds `ip`. */
  readonly prefix?: number;
  readonly nic?: string;
  readonly clients: string;
  readonly exportOptions: string;
  /** Where the address stands in the group. `last`: clients see a pause and no error. `first`: the order of many tutorials. */
  readonly address: 'last' | 'first';
  readonly provider: 'tsha' | 'stock';
};

export type Argv = readonly string[];

export type AgentName = keyof typeof resourceIds;

/** The resources' ids, by agent. */
export const resourceIds = {
  drbd: 'Data',
  Filesystem: 'NFS',
  nfsserver: 'nfs-daemon',
  exportfs: 'nfs-root',
  IPaddr2: 'nfs_ip',
  nfsnotify: 'nfs-notify',
} as const;
const clone = 'DataClone';
const groupId = 'nfsshare';

/** Parameters as `name=value`. No value may hold a blank: pcs and the agents would split it. */
export const parameters = (stack: NfsStack): Readonly<Record<AgentName, readonly string[]>> => ({
  drbd: [`drbd_resource=${stack.drbdResource}`],
  Filesystem: [`device=${stack.device}`, `directory=${stack.directory}`, `fstype=${stack.fstype}`],
  nfsserver: [`nfs_shared_infodir=${stack.directory}`, 'nfs_no_notify=true'],
  exportfs: [
    `clientspec=${stack.clients}`,
    `options=${stack.exportOptions}`,
    `directory=${stack.directory}`,
    'fsid=0',
  ],
  IPaddr2: [
    `ip=${stack.ip}`,
    ...(stack.prefix === undefined ? [] : [`cidr_netmask=${stack.prefix}`]),
    ...(stack.nic ? [`nic=${stack.nic}`] : []),
  ],
  nfsnotify: [`source_host=${stack.ip}`],
});

/** pcs would change one of two monitors of the same interval. */
const monitors: Readonly<Record<AgentName, string>> = {
  drbd: 'op monitor interval=20s role=Promoted op monitor interval=30s role=Unpromoted',
  Filesystem: 'op monitor interval=20s',
  nfsserver: 'op monitor interval=30s',
  exportfs: 'op monitor interval=30s',
  IPaddr2: 'op monitor interval=30s',
  nfsnotify: 'op monitor interval=30s',
};

const members: Readonly<Record<NfsStack['address'], readonly AgentName[]>> = {
  last: ['Filesystem', 'nfsserver', 'exportfs', 'IPaddr2', 'nfsnotify'],
  first: ['IPaddr2', 'Filesystem', 'nfsserver', 'exportfs', 'nfsnotify'],
};

const cloneOptions = 'promoted-max=1 promoted-node-max=1 clone-max=2 clone-node-max=1 notify=true';

export function agentType(agent: AgentName, provider: NfsStack['provider']): string {
  if (provider === 'tsha') return `ocf:tsha:${agent}`;
  return agent === 'drbd' ? 'ocf:linbit:drbd' : `ocf:heartbeat:${agent}`;
}

export const createCommand = (agent: AgentName, stack: NfsStack): Argv => [
  ...['resource', 'create', resourceIds[agent], agentType(agent, stack.provider)],
  ...parameters(stack)[agent],
  ...monitors[agent].split(' '),
];

/**
 * The pcs commands that make the stack. Only spellings that mean the same in pcs 0.11 and 0.12: `create … promotable` and
 * `create … --group` do not.
 */
export function pcsCommands(
  stack: NfsStack,
  group: readonly AgentName[] = members[stack.address],
): readonly Argv[] {
  return [
    createCommand('drbd', stack),
    ['resource', 'promotable', resourceIds.drbd, clone, ...cloneOptions.split(' ')],
    ...group.map((agent) => createCommand(agent, stack)),
    ['resource', 'group', 'add', groupId, ...group.map((agent) => resourceIds[agent])],
    ['constraint', 'colocation', 'add', groupId, 'with', 'Promoted', clone, 'score=INFINITY'],
    ['constraint', 'order', 'promote', clone, 'then', 'start', groupId],
  ];
}

/** A command as it can be pasted into a shell. */
export const shellLine = (argv: Argv): string =>
  argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
