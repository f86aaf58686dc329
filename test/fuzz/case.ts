import type { ParamTable } from '../../lib/contract/params.ts';
import type { AgentDef } from '../../lib/ocf/agent.ts';
import { catalogue } from '../../metadata/catalogue.ts';
import { Random } from './random.ts';
import { anyInstance, anyValue, fittingValue, ordinary } from './values.ts';

// One run: a machine in some state, and some calls of one executable on it, all of them chosen by the seed and the run's number.

export const flavours = ['script', 'native'] as const;
export type Flavour = (typeof flavours)[number];

export type Environment = ReadonlyMap<string, Buffer>;

export type Call = {
  readonly action: string;
  readonly env: Environment;
  /** Of prlimit(1), `nofile=20`. */
  readonly limits: readonly string[];
  readonly stdin: '</dev/null' | '<&-';
  readonly stdout: Outlet;
  readonly stderr: Outlet;
  readonly umask: string;
  /** The directory that it is called in; one is deleted. */
  readonly cwd: '/' | '/tmp/src' | '/tmp/gone';
  /** What Pacemaker would grant it. */
  readonly timeoutMs: number;
};

/** `kept` in a file that is read; `stuck` is a full pipe that nobody reads. */
type Outlet = 'kept' | 'closed' | 'full disk' | 'stuck';

export type Tool = 'false' | 'true' | 'garbage' | 'flood' | 'hang' | 'killed';

export type World = {
  readonly run: 'roomy' | 'full' | 'read-only' | 'no inodes';
  /** What a memory page of this instance is before the first call. */
  readonly litter: 'nothing' | 'garbage' | 'empty' | 'another boot' | 'directory' | 'link' | 'draft';
  /** Programs that are replaced. */
  readonly tools: ReadonlyMap<string, Tool>;
  readonly hasSbin: boolean;
  readonly hasSystemd: boolean;
};

export type Case = {
  readonly seed: number;
  readonly run: number;
  readonly flavour: Flavour;
  readonly agent: AgentDef<ParamTable>;
  readonly world: World;
  readonly calls: readonly Call[];
  /** Nothing is in the way: what a start says is what a monitor and a stop must find. */
  readonly calm: boolean;
};

export function makeCase(seed: number, run: number, flavour: Flavour): Case {
  const random = new Random(seed, run);
  const { agent } = random.pick(catalogue);
  const calm = random.chance(0.25);
  const world = calm ? calmWorld : anyWorld(random);
  const base = environment(agent, random, calm);
  const actions = actionsOf(agent, random, calm);
  const calls = actions.map((action) =>
    call(action, base, random, calm, [...world.tools.values()].includes('hang')),
  );
  return { seed, run, flavour, agent, world, calls, calm };
}

const calmWorld: World = {
  run: 'roomy',
  litter: 'nothing',
  tools: new Map(),
  hasSbin: true,
  hasSystemd: false,
};

const replaceable = [
  ...['cat', 'chmod', 'cp', 'dd', 'env', 'exportfs', 'getent', 'ip', 'ln', 'logger', 'ls', 'mkdir', 'mount'],
  ...[
    'mv',
    'nft',
    'rm',
    'rpc.nfsd',
    'rpcinfo',
    'stat',
    'sync',
    'systemctl',
    'tee',
    'touch',
    'umount',
    'unshare',
  ],
  ...['drbdadm', 'drbdsetup', 'crm_attribute', 'attrd_updater', 'blkid', 'findmnt', 'nfsconf', 'dmesg'],
];

function anyWorld(random: Random): World {
  const count = random.pick([0, 0, 0, 0, 1, 1, 2, 5]);
  const tools = new Map<string, Tool>();
  for (let n = 0; n < count; n++)
    tools.set(
      random.pick(replaceable),
      random.weighted<Tool>({ false: 5, true: 3, garbage: 5, flood: 0.5, hang: 0.5, killed: 2 }),
    );
  return {
    run: random.weighted({ roomy: 70, full: 12, 'read-only': 10, 'no inodes': 8 }),
    litter: random.weighted({
      ...{ nothing: 60, garbage: 8, empty: 4, 'another boot': 8 },
      ...{ directory: 6, link: 8, draft: 6 },
    }),
    tools,
    hasSbin: random.chance(0.95),
    hasSystemd: random.chance(0.2),
  };
}

/** The variables that all calls of a run have. */
function environment(agent: AgentDef<ParamTable>, random: Random, calm: boolean): Map<string, Buffer> {
  const env = new Map<string, Buffer>();
  const set = (name: string, value: Buffer | string) => void env.set(name, Buffer.from(value));
  const given = random.pick(ordinary[agent.name] ?? [{}]);
  for (const [name, value] of Object.entries(given)) set(`OCF_RESKEY_${name}`, value);
  set('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
  set('OCF_ROOT', '/usr/lib/ocf');
  set('OCF_RA_VERSION_MAJOR', '1');
  set('OCF_RA_VERSION_MINOR', '1');
  set('OCF_RESKEY_crm_feature_set', '3.19.6');
  const instance = calm ? Buffer.from('nfs-root') : anyInstance(random);
  if (instance && instance.length > 0) set('OCF_RESOURCE_INSTANCE', instance);
  if (calm) return env;

  const changes = random.pick([0, 1, 1, 2, 4, 9]);
  const names = Object.keys(agent.params);
  for (let n = 0; n < changes; n++) {
    const name = random.pick(names);
    const spec = agent.params[name];
    if (!spec) continue;
    if (random.chance(0.1)) env.delete(`OCF_RESKEY_${name}`);
    else set(`OCF_RESKEY_${name}`, random.chance(0.6) ? fittingValue(spec, random) : anyValue(random));
  }
  // where it may write is known to the judge
  for (const name of ['trace_dir', 'trace_file'])
    if (env.has(`OCF_RESKEY_${name}`))
      set(`OCF_RESKEY_${name}`, random.pick(['/tmp/trace', '/tmp/fifo', '/tmp/trace/a/b', '/proc/nothing']));
  keepFromCanary(env);
  for (const [name, chance, value] of surroundings)
    if (random.chance(chance)) set(name, random.chance(0.5) ? random.pick(value) : anyValue(random));
  for (const name of ['HA_RSCTMP', 'HA_LOGFILE', 'HA_DEBUGLOG', 'OCF_TRACE_FILE'])
    if (env.has(name)) set(name, random.pick(places[name] ?? ['/tmp/log/x']));
  if (random.chance(0.1)) env.delete(random.pick([...env.keys()]));
  return env;
}

/** What is around the parameters, how often, and what it may be besides anything. */
const surroundings: readonly (readonly [name: string, chance: number, values: readonly string[]])[] = [
  ['OCF_CHECK_LEVEL', 0.2, ['0', '10', '20', '-1']],
  ['OCF_RESKEY_OCF_CHECK_LEVEL', 0.05, ['10', '20']],
  ['OCF_RESKEY_CRM_meta_clone', 0.1, ['0', '1', '99']],
  ['OCF_RESKEY_CRM_meta_clone_max', 0.1, ['1', '2', '0']],
  ['OCF_RESKEY_CRM_meta_globally_unique', 0.05, ['true', 'false']],
  ['OCF_RESKEY_CRM_meta_notify', 0.1, ['true', 'false']],
  ['OCF_RESKEY_CRM_meta_notify_type', 0.1, ['pre', 'post']],
  ['OCF_RESKEY_CRM_meta_notify_operation', 0.1, ['start', 'stop', 'promote', 'demote']],
  ['OCF_RESKEY_CRM_meta_notify_active_uname', 0.1, ['a b c', ' ']],
  ['OCF_RESKEY_CRM_meta_on_node', 0.1, ['node1']],
  ['OCF_RESKEY_crm_feature_set', 0.1, ['', '3.0.14', '9', 'x.y']],
  ['OCF_RA_VERSION_MAJOR', 0.03, ['', '1', '2']],
  ['OCF_TRACE_RA', 0.05, ['1', '0']],
  ['OCF_TRACE_FILE', 0.04, ['x']],
  ['OCF_TESTER_FAIL_HAVE_BINARY', 0.03, ['1']],
  ['HA_LOGFILE', 0.1, ['x']],
  ['HA_DEBUGLOG', 0.05, ['x']],
  ['HA_debug', 0.1, ['1', '0']],
  ['HA_logfacility', 0.1, ['daemon', 'none', 'local7']],
  ['HA_LOGD', 0.03, ['yes']],
  ['HA_RSCTMP', 0.1, ['x']],
  ['HA_SBIN_DIR', 0.05, ['/usr/sbin', '/tmp/src']],
  ['NODE_OPTIONS', 0.05, ['--bogus', '--require /tmp/canary/evil.js']],
  ['NODE_PATH', 0.03, ['/tmp/canary']],
  ['BUN_OPTIONS', 0.03, ['--preload /tmp/canary/evil.js']],
  ['BUN_BE_BUN', 0.03, ['1']],
  ['LC_ALL', 0.1, ['C', 'de_DE.UTF-8']],
  ['LANG', 0.1, ['zh_CN.UTF-8']],
  ['TZ', 0.1, [':/tmp/fifo-is-not-read', 'UTC', 'Asia/Kathmandu']],
  ['HOME', 0.1, ['/', '/tmp/canary']],
  ['ENV', 0.05, ['/tmp/canary/evil.sh']],
  ['BASH_ENV', 0.05, ['/tmp/canary/evil.sh']],
  ['IFS', 0.03, ['/', 'a']],
  ['CDPATH', 0.03, ['/tmp']],
  ['JUNK', 0.1, ['x']],
];

const places: Readonly<Record<string, readonly string[]>> = {
  HA_RSCTMP: ['/tmp/rsctmp', '/run/resource-agents', '/tmp/fifo', '/proc/nothing'],
};

/** What may be written to by its declaration is not the canary's: a mount point, an exported directory. */
function keepFromCanary(env: Map<string, Buffer>): void {
  for (const name of ['directory', 'nfs_shared_infodir', 'rpcpipefs_dir', 'device']) {
    const value = env.get(`OCF_RESKEY_${name}`);
    if (value?.includes('canary')) env.set(`OCF_RESKEY_${name}`, Buffer.from('/tmp/src'));
  }
}

/** A life, or a few actions in any order. */
function actionsOf(agent: AgentDef<ParamTable>, random: Random, calm: boolean): readonly string[] {
  const known = [...Object.keys(agent.actions), 'status'];
  if (calm)
    return ['start', 'monitor', ...(random.chance(0.3) ? ['start', 'monitor'] : []), 'stop', 'monitor'];
  const any = (): string => {
    switch (random.weighted({ life: 50, known: 40, other: 10 })) {
      case 'life':
        return random.pick(['start', 'stop', 'monitor']);
      case 'known':
        return random.pick(known);
      case 'other':
        return random.pick([
          'meta-data',
          'usage',
          'help',
          'no_cmd',
          '',
          'START',
          '__proto__',
          '--version',
          'promote',
        ]);
    }
  };
  return Array.from({ length: random.pick([1, 1, 2, 3, 4]) }, any);
}

function call(action: string, base: Environment, random: Random, calm: boolean, mayHang: boolean): Call {
  const env = new Map(base);
  const [given, timeoutMs] = timeout(random, calm || mayHang);
  if (given !== undefined) env.set('OCF_RESKEY_CRM_meta_timeout', Buffer.from(given));
  if (action === 'monitor') {
    const interval = calm ? '10000' : random.pick(['0', '10000', '10000', '', '-1', 'x']);
    env.set('OCF_RESKEY_CRM_meta_interval', Buffer.from(interval));
  }
  const limited = calm || random.chance(0.8) ? [] : limits(random, env);
  const cwd = random.pick(['/', '/', '/tmp/src', '/tmp/gone'] as const);
  // a shell that has something to say itself waits until somebody reads it: meta-data, a directory that is gone, a limit
  const canBeStuck = limited.length === 0 && cwd !== '/tmp/gone' && action !== 'meta-data';
  const outlet = (): Outlet =>
    calm
      ? 'kept'
      : random.weighted<Outlet>({ kept: 85, closed: 5, 'full disk': 5, stuck: canBeStuck ? 5 : 0 });
  return {
    ...{ action, env, limits: limited, cwd, timeoutMs },
    stdin: random.chance(0.9) ? '</dev/null' : '<&-',
    stdout: outlet(),
    stderr: outlet(),
    umask: random.pick(['022', '026', '077', '000']),
  };
}

const byDefaultMs = 20_000;

/** What is written, and what it means to the agent. */
function timeout(random: Random, isShort: boolean): readonly [string | undefined, number] {
  const ms = 4000 + random.below(2000);
  if (isShort || random.chance(0.9)) return [String(ms), ms];
  return random.pick([
    [undefined, byDefaultMs],
    ['', byDefaultMs],
    ['0', byDefaultMs],
    ['garbage', byDefaultMs],
    ['99999999999999999999', byDefaultMs],
    ['1000', 1000],
  ] as const);
}

/** None so small that /bin/sh itself could not run; a small stack leaves no room for a large environment. */
function limits(random: Random, env: Environment): readonly string[] {
  const size = [...env].reduce((sum, [name, value]) => sum + name.length + value.length + 10, 0);
  const one = (): string =>
    random.pick([
      () => `nofile=${13 + random.below(60)}`,
      () => `nproc=${4 + random.below(12)}`,
      () => `as=${8_000_000 + random.below(2_000_000_000)}`,
      () => `data=${8_000_000 + random.below(400_000_000)}`,
      () => `fsize=${random.below(10_000)}`,
      () => (size > 60_000 ? 'core=0' : `stack=${140_000 + random.below(1_000_000)}`),
      () => `cpu=${2 + random.below(20)}`,
    ])();
  const [first, second] = [one(), one()];
  const isOther = first.split('=')[0] !== second.split('=')[0];
  return random.chance(0.2) && isOther ? [first, second] : [first];
}
