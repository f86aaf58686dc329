import { type Pair, volumesOf } from '../configuration/pair.ts';
import { alertAgent } from '../facts/alerts.ts';

// Files that both nodes have alike, and no resource agent writes.

/** DRBD 8.4 is in the kernel, 9 is built beside it; a few settings have moved between them. */
export type DrbdGeneration = 8 | 9;

export const drbdFile = ({ drbd }: Pair): string => `/etc/drbd.d/${drbd.resource}.res`;

const section = (name: string, lines: readonly string[]): readonly string[] => [
  `${name} {`,
  ...lines.map((line) => `  ${line}`),
  '}',
];

/** What drbd.conf(5) would take for its own; quotes and backslashes no path of the file has. */
const quoted = (path: string): string => (/^[\w./:@+-]+$/.test(path) ? path : `"${path}"`);

/**
 * DRBD's resource. A short ping-int lets a node notice the death of its peer before Pacemaker promotes it; fencing is told to DRBD only
 * where the cluster has some, else writes would wait for ever.
 */
export function drbdResource(pair: Pair, generation: DrbdGeneration): string {
  const { drbd, nodes, fencing, filesystem, provider } = pair;
  const tell =
    provider === 'tsha' ? `${alertAgent} split-brain root` : '/usr/lib/drbd/notify-split-brain.sh root';
  const handler = generation === 9 ? 'crm-fence-peer.9.sh' : 'crm-fence-peer.sh';
  const unfence = generation === 9 ? 'unfence-peer' : 'after-resync-target';
  const policy = fencing ? ['fencing resource-and-stonith;'] : [];
  const address = (ip: string) => (ip.includes(':') ? `ipv6 [${ip}]:${drbd.port}` : `${ip}:${drbd.port}`);
  const isOne = pair.state === null;
  const disksOn = (node: string): readonly string[] =>
    isOne
      ? [`disk ${quoted(filesystem.disks[node] ?? '')};`]
      : volumesOf(pair).flatMap(({ device, disks }, number) =>
          section(`volume ${number}`, [
            `device ${device};`,
            `disk ${quoted(disks[node] ?? '')};`,
            'meta-disk internal;',
          ]),
        );
  const lines = [
    ...(isOne ? [`device ${filesystem.device};`, 'meta-disk internal;'] : []),
    ...section('net', ['protocol C;', 'ping-int 3;', ...(generation === 9 ? policy : [])]),
    ...(generation === 8 && fencing ? section('disk', policy) : []),
    ...section('handlers', [
      `split-brain "${tell}";`,
      ...(fencing
        ? [
            `fence-peer "/usr/lib/drbd/${handler}";`,
            `${unfence} "/usr/lib/drbd/${handler.replace('crm-', 'crm-un')}";`,
          ]
        : []),
    ]),
    ...nodes.flatMap(({ name, replication }) =>
      section(`on ${name}`, [...disksOn(name), `address ${address(replication)};`]),
    ),
  ];
  return `${section(`resource ${drbd.resource}`, lines).join('\n')}\n`;
}

export const nfsConfFile = '/etc/nfs.conf.d/tsha.conf';

/** What no parameter says: the threads; that version 3 is not served; and for the stock agent the times and ports, too. */
export function nfsConf({ nfs, provider }: Pair): string | null {
  const isStock = provider === 'stock';
  const { ports } = nfs;
  const sections = [
    {
      name: 'nfsd',
      values: [
        ['threads', nfs.threads],
        ['vers3', nfs.with3 ? null : 'n'],
        ['lease-time', isStock ? nfs.leaseSeconds : null],
        ['grace-time', isStock ? nfs.graceSeconds : null],
      ],
    },
    { name: 'mountd', values: [['port', isStock ? ports.mountd : null]] },
    {
      name: 'statd',
      values: [
        ['port', isStock ? ports.statd : null],
        ['outgoing-port', isStock ? ports.statdOutgoing : null],
      ],
    },
    {
      name: 'lockd',
      values: [
        ['port', isStock ? ports.lockd : null],
        ['udp-port', isStock ? ports.lockd : null],
      ],
    },
  ];
  const lines = sections.flatMap(({ name, values }) => {
    const given = values.filter(([, value]) => value !== null && value !== undefined);
    return given.length === 0 ? [] : [`[${name}]`, ...given.map(([key, value]) => `${key}=${value}`)];
  });
  return lines.length === 0 ? null : `${lines.join('\n')}\n`;
}
