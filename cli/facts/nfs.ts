import { Failure } from '../../lib/contract/outcome.ts';
import { readBoolean } from '../../lib/contract/params.ts';
import { type Host, outputTrouble } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { parseTcp } from '../../lib/host/net/tcp.ts';
import { agentConf, type NfsConf, nfsConf, speaksV3 } from '../../lib/host/nfs/conf.ts';
import { lockGraceSeconds } from '../../lib/host/nfs/lock-grace.ts';
import { parseThreads } from '../../lib/host/nfs/nfsd.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Cluster } from './cluster.ts';
import { type Known, noAnswer, tryToKnow } from './known.ts';

/** The kernel's NFS server on this node. */
export type Nfs = {
  readonly threads: number;
  readonly clients: Known<Clients>;
  readonly grace: Known<'over' | 'running'>;
  readonly settings: Known<NfsSettings>;
};

export type Clients = {
  /** Clients of NFSv4 that hold a lease. */
  readonly v4: number;
  /** Addresses that are connected and hold none. */
  readonly others: number;
};

/** What nfs.conf and the agent's parameters ask for, on whichever node the server runs; the kernel's default is 90 s each. */
export type NfsSettings = {
  readonly graceSeconds: number;
  readonly leaseSeconds: number;
  /** lockd's grace period, as the kernel rounds it; null where lockd is not loaded and nobody says. */
  readonly lockGraceSeconds: number | null;
  readonly v3: boolean;
  /** Helpers of NFSv3 whose ports are chosen anew at each start. */
  readonly randomPorts: readonly string[];
  /** Those that a firewall can know: NFS itself, and what is fixed of NFSv3. */
  readonly ports: readonly { readonly daemon: string; readonly port: number }[];
};

const askMs = 3000;
const nfsPort = 2049;
const kernelDefaultSeconds = 90;

export async function lookAtNfs(host: Host, cluster: Promise<Known<Cluster>>): Promise<Nfs> {
  const text = await readIfThere(host, '/proc/net/rpc/nfsd');
  const threads = text === undefined ? 0 : parseThreads(text);
  if (threads === undefined) throw new Failure('failed', '/proc/net/rpc/nfsd does not tell of threads');
  return {
    threads,
    clients:
      threads > 0 ? await tryToKnow(() => clients(host)) : { is: 'known', value: { v4: 0, others: 0 } },
    grace: threads > 0 ? await tryToKnow(() => grace(host)) : { is: 'known', value: 'over' },
    settings: await tryToKnow(async () => {
      const known = await cluster;
      const conf = await confAsServed(host, known);
      return settings(conf, (await lockGraceSeconds(host, lockGraceAsked(known, conf))) ?? null);
    }),
  };
}

/** What the agent writes into nfs.conf for its parameters. */
const asked: readonly (readonly [parameter: string, section: string, key: string])[] = [
  ['nfs_grace_time', 'nfsd', 'grace-time'],
  ['nfs_lease_time', 'nfsd', 'lease-time'],
  ['mountd_port', 'mountd', 'port'],
  ['statd_port', 'statd', 'port'],
  ['lockd_tcp_port', 'lockd', 'port'],
];

const serverIn = (cluster: Known<Cluster>) =>
  cluster.is === 'known'
    ? cluster.value.cib.primitives.find(({ agent }) => agent === 'ocf:tsha:nfsserver')
    : undefined;

/** nfs.conf has no word for it: rpc.nfsd gives lockd the grace-time of nfsd. */
const lockGraceAsked = (cluster: Known<Cluster>, conf: NfsConf): number | undefined =>
  Number(serverIn(cluster)?.parameters['lockd_grace_time'] ?? conf.get('nfsd', 'grace-time')) || undefined;

/** nfs.conf as a server of the cluster reads it: where it does not run, the agent's own file is not there. */
async function confAsServed(host: Host, cluster: Known<Cluster>): Promise<NfsConf> {
  const conf = await nfsConf(host, agentConf);
  const server = serverIn(cluster);
  if (!server) return conf;
  return {
    get: (section, key) => {
      if (section === 'nfsd' && key === 'vers3' && readBoolean(server.parameters['nfsv4_only'] ?? ''))
        return 'n';
      const parameter = asked.find(([, ofSection, ofKey]) => ofSection === section && ofKey === key)?.[0];
      return (parameter && server.parameters[parameter]) ?? conf.get(section, key);
    },
  };
}

/** In a child with a deadline: a file of nfsd's can wait, uninterruptibly, for a shutdown that never ends. */
async function readNfsd(host: Host, path: string, pattern: string, ...options: string[]): Promise<string> {
  const look = async (...how: string[]) => {
    const argv: Argv = ['grep', '-r', ...how, '-h', ...options, pattern, path];
    const output = await host.tryRun(argv, { timeoutMs: askMs });
    if (output.hung) throw new Failure('failed', `/proc/fs/nfsd does not answer (${output.hung})`);
    return output;
  };
  const quick = await look('-s');
  if (quick.code <= 1) return quick.stdout;
  const output = await look();
  const complaints = output.stderr.split('\n').filter(Boolean);
  if (complaints.includes(`grep: ${path}: No such file or directory`))
    throw new Failure('unimplemented', `this kernel has no ${path}`);
  // of a client that has left meanwhile
  if (
    output.code <= 2 &&
    complaints.every((line) => /: No such (file or directory|device or address)$/.test(line))
  )
    return output.stdout;
  throw noAnswer(host, output, `/proc/fs/nfsd cannot be read (${outputTrouble(output)})`);
}

/** `address: "10.0.0.21:871"`, one line for each lease. */
async function clients(host: Host): Promise<Clients> {
  const text = await readNfsd(host, '/proc/fs/nfsd/clients', '^address: ', '--include=info');
  const leases = [...text.matchAll(/^address: "\[?(.*?)\]?:\d+"$/gm)].map(([, address = '']) => address);
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readIfThere(host, `/proc/net/${name}`)));
  const connected = tables
    .flatMap((table) => parseTcp(table ?? ''))
    .filter(({ local }) => local.port === nfsPort)
    .map(({ remote }) => remote.address);
  const v4 = new Set(leases);
  return { v4: leases.length, others: new Set(connected.filter((address) => !v4.has(address))).size };
}

/** `Y` once the grace period is over. */
async function grace(host: Host): Promise<'over' | 'running'> {
  const text = (await readNfsd(host, '/proc/fs/nfsd/v4_end_grace', '.')).trim();
  if (text !== 'Y' && text !== 'N')
    throw new Failure('failed', 'the kernel does not tell of its grace period');
  return text === 'Y' ? 'over' : 'running';
}

function settings(conf: NfsConf, lockGrace: number | null): NfsSettings {
  const seconds = (key: string) => {
    const text = conf.get('nfsd', key);
    return text && /^\d+$/.test(text) ? Number(text) : kernelDefaultSeconds;
  };
  const v3 = speaksV3(conf);
  const helpers = v3 ? ['mountd', 'statd', 'lockd'] : [];
  const ports = helpers.map((daemon) => ({ daemon, port: Number(conf.get(daemon, 'port') ?? 0) }));
  return {
    graceSeconds: seconds('grace-time'),
    leaseSeconds: seconds('lease-time'),
    lockGraceSeconds: lockGrace,
    v3,
    randomPorts: ports.filter(({ port }) => !(port > 0)).map(({ daemon }) => daemon),
    ports: [
      { daemon: 'nfsd', port: nfsPort },
      ...(v3 ? [{ daemon: 'rpcbind', port: 111 }] : []),
      ...ports.filter(({ port }) => port > 0),
    ],
  };
}
