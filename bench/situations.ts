import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { agentNames } from '../packaging/products.ts';
import { disk } from './world.ts';

export type Env = Readonly<Record<string, string>>;

export type Situation = {
  readonly agent: string;
  readonly action: string;
  /** What the resource is like, for people. */
  readonly state: string;
  /** What the agent must answer, or what is measured is something else. */
  readonly code: number;
  readonly env: Env;
  /** Whether the resource must have been started before. */
  readonly started?: true;
  /** The action of the same agent that goes before every call. */
  readonly before?: 'start' | 'stop';
};

/** The environment of a recurring action in a cluster. */
export const clusterEnv = (folder: string): Env => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  OCF_ROOT: '/usr/lib/ocf',
  OCF_FUNCTIONS_DIR: '/usr/lib/ocf/lib/heartbeat',
  OCF_RA_VERSION_MAJOR: '1',
  OCF_RA_VERSION_MINOR: '1',
  OCF_RESOURCE_INSTANCE: 'bench',
  OCF_RESKEY_CRM_meta_timeout: '60000',
  OCF_RESKEY_CRM_meta_interval: '10000',
  HA_RSCTMP: join(folder, 'memory'),
});

export const parametersOf = (params: Readonly<Record<string, string | number>>): Env =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, String(value)]));

/** The recurring monitor of a resource that runs. */
const monitorOf = (agent: string, state: string, env: Env): Situation => ({
  agent,
  action: 'monitor',
  state,
  code: 0,
  env,
  started: true,
});

/** A resource through its life. */
const lifeOf = (agent: string, state: string, env: Env): readonly Situation[] => [
  { agent, action: 'start', state, code: 0, env, before: 'stop' },
  monitorOf(agent, state, env),
  { agent, action: 'stop', state, code: 0, env, before: 'start' },
];

/** Everything that can be measured on this machine's own kernel, which has neither DRBD nor an NFS server: those are the lab's; makes disks and directories, and starts rpc.statd. */
export async function situations(folder: string): Promise<readonly Situation[]> {
  const directory = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const exported = (count: number): string =>
    Array.from({ length: count }, (_, n) => directory(`exports/${count}/${n}`)).join(' ');
  const exports = (count: number) =>
    parametersOf({
      directory: exported(count),
      clientspec: '10.99.0.0/16',
      options: 'rw',
      fsid: count * 100,
    });
  const mount = (name: string, device: string, fstype: string, more = {}) =>
    parametersOf({ device, directory: directory(`mnt/${name}`), fstype, ...more });
  await startStatd();

  return [
    ...lifeOf('Filesystem', 'ext4 on a loop device', mount('ext4', await disk(folder, 'ext4'), 'ext4')),
    monitorOf('Filesystem', 'bind mount', mount('bind', directory('source'), 'none', { options: 'bind' })),
    monitorOf('Filesystem', 'tmpfs', mount('tmpfs', 'tmpfs', 'tmpfs')),
    ...lifeOf('exportfs', '1 directory', exports(1)),
    monitorOf('exportfs', '10 directories', exports(10)),
    monitorOf('exportfs', '50 directories', exports(50)),
    ...lifeOf(
      'IPaddr2',
      'IPv4 on a veth pair',
      parametersOf({ ip: '10.99.7.1', cidr_netmask: 16, nic: 'eth0' }),
    ),
    monitorOf('nfsnotify', 'real rpc.statd', parametersOf({ source_host: '10.99.0.1' })),
    ...agentNames.map((agent) => ({ agent, action: 'meta-data', state: '', code: 0, env: {} })),
  ];
}

/** Both end with the namespaces. */
async function startStatd(): Promise<void> {
  await execa('rpcbind', ['-w']);
  await execa('rpc.statd', ['--no-notify']);
}
