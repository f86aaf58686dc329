import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';

export type Call = {
  readonly code: number;
  readonly reason: string;
  readonly stderr: string;
  readonly ms: number;
};

/**
 * Two network namespaces joined by veth pairs: `node` with eth0 (192.168.144.1/24, 2001:db8:1234::1/64) and eth1 (up, without
 * address), `peer` with their other ends, p0 and p1. Nothing in them reaches the machine's own network.
 */
export type Network = {
  readonly node: string;
  readonly peer: string;
  /** `ip -n <node> …`, words separated by blanks. */
  ip(line: string): Promise<string>;
  ipPeer(line: string): Promise<string>;
  /** Anything else inside the namespace. */
  inside(argv: readonly [string, ...string[]], env?: NodeJS.ProcessEnv): Promise<string>;
  /** Our agent, with a state directory of its own. */
  tsha(action: string, params: Params, env?: NodeJS.ProcessEnv): Promise<Call>;
  /** The distribution's agent on the same state. */
  stock(action: string, params: Params): Promise<Call>;
  /** Every address but the bases, `eth0 192.168.144.2/24 brd 192.168.144.255 label eth0:x`. */
  added(): Promise<readonly string[]>;
  readonly stateDir: string;
  destroy(): Promise<void>;
};

export type Params = { readonly [name: string]: string };

const stockAgent = '/usr/lib/ocf/resource.d/heartbeat/IPaddr2';

const bases = new Set(['127.0.0.1', '::1', '192.168.144.1', '2001:db8:1234::1']);
let serial = 0;

/** `agent` is how ours is run: as a bundle for `node` unless told otherwise. */
export async function makeNetwork(agent?: readonly string[]): Promise<Network> {
  serial += 1;
  const [node, peer] = [`tsha-n${process.pid}-${serial}`, `tsha-p${process.pid}-${serial}`];
  const stateDir = await mkdtemp(join(tmpdir(), 'tsha-ipaddr2-'));
  const ours = agent ?? [process.execPath, await agentUnderTest('IPaddr2')];
  const at = (namespace: string) => async (line: string) =>
    (await execa('ip', ['-n', namespace, ...line.split(' ')])).stdout;
  const [ip, ipPeer] = [at(node), at(peer)];
  const inside: Network['inside'] = async (argv, env = {}) =>
    (await execa('ip', ['netns', 'exec', node, ...argv], { env, input: '' })).stdout;

  async function call(argv: readonly string[], params: Params, env: NodeJS.ProcessEnv): Promise<Call> {
    const since = performance.now();
    const given = Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
    const { exitCode = -1, stderr } = await execa('ip', ['netns', 'exec', node, ...argv], {
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        OCF_ROOT: '/usr/lib/ocf',
        OCF_RESOURCE_INSTANCE: 'vip',
        OCF_RESOURCE_TYPE: 'IPaddr2',
        HA_RSCTMP: stateDir,
        ...Object.fromEntries(given),
        ...env,
      },
      extendEnv: false,
      reject: false,
      timeout: 200_000,
    });
    const [, reason = ''] = /ocf-exit-reason:(.*)$/m.exec(stderr) ?? [];
    return { code: exitCode, reason, stderr, ms: performance.now() - since };
  }

  await execa('ip', ['netns', 'add', node]);
  await execa('ip', ['netns', 'add', peer]);
  for (const [nic, end] of [
    ['eth0', 'p0'],
    ['eth1', 'p1'],
  ] as const) {
    await ip(`link add ${nic} type veth peer name ${end} netns ${peer}`);
    await ip(`link set ${nic} up`);
    await ipPeer(`link set ${end} up`);
  }
  await ip('link set lo up');
  await ip('address add 192.168.144.1/24 brd + dev eth0');
  await ip('address add 2001:db8:1234::1/64 dev eth0 nodad');
  await ipPeer('address add 192.168.144.9/24 dev p0');

  return {
    node,
    peer,
    ip,
    ipPeer,
    inside,
    tsha: (action, params, env = {}) => call([...ours, action], params, env),
    stock: (action, params) => call([stockAgent, action], params, {}),
    async added() {
      const links = JSON.parse(await ip('-j address show')) as {
        readonly ifname: string;
        readonly addr_info: readonly {
          readonly local: string;
          readonly prefixlen: number;
          readonly broadcast?: string;
          readonly label?: string;
          readonly scope: string;
        }[];
      }[];
      return links.flatMap(({ ifname, addr_info }) =>
        addr_info
          .filter(({ local, scope }) => !bases.has(local) && (scope !== 'link' || local === 'fe80::2'))
          .map(({ local, prefixlen, broadcast, label = ifname }) =>
            [
              `${ifname} ${local}/${prefixlen}`,
              broadcast && `brd ${broadcast}`,
              label !== ifname && `label ${label}`,
            ]
              .filter(Boolean)
              .join(' '),
          ),
      );
    },
    stateDir,
    async destroy() {
      // Background senders hold the namespace; they end within seconds, but the test does not wait for them.
      const { stdout } = await execa('ip', ['netns', 'pids', node], { reject: false });
      for (const pid of stdout.split('\n').filter(Boolean)) {
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          // ended by itself
        }
      }
      await execa('ip', ['netns', 'delete', node], { reject: false });
      await execa('ip', ['netns', 'delete', peer], { reject: false });
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** A network of its own for each test of a file: whoever is asked is the present one. */
export function networkOfEachTest(prepare: (net: Network) => Promise<unknown> = async () => {}): Network {
  let net: Network;
  beforeEach(async () => {
    net = await makeNetwork();
    await prepare(net);
  });
  afterEach(() => net.destroy());
  return new Proxy({} as Network, { get: (_, key: keyof Network) => net[key] });
}

/** `probe` is a monitor without interval, `monitor` one every ten seconds. */
export const callOf = (step: string, params: Params): readonly [action: string, params: Params] =>
  step === 'monitor'
    ? ['monitor', { ...params, CRM_meta_interval: '10000' }]
    : [step === 'probe' ? 'monitor' : step, params];

/** A call of our agent, its exit code and, where it matters, the addresses that are there afterwards. */
export type Step = readonly [step: string, code: number, there?: readonly string[]];

export type Row = {
  readonly name: string;
  /** `ip` command lines on the node; with `peer: ` in front on the other side. */
  readonly before?: readonly string[];
  readonly params: Params;
  readonly steps: readonly Step[];
  /** What the last reason must say. */
  readonly says?: string;
};

/** The cable of eth0 is pulled at the far end. */
export const noCarrier = 'peer: link set p0 down';

/** Lives through a row; a failing call must say why. */
export async function follow(net: Network, { before = [], params, steps, says }: Row): Promise<void> {
  for (const line of before)
    await (line.startsWith('peer: ') ? net.ipPeer(line.slice('peer: '.length)) : net.ip(line));
  // The kernel takes up to a second to draw its conclusions from a lost carrier (linkwatch).
  if (before.includes(noCarrier))
    await expect
      .poll(() => net.ip('link show dev eth0'), { timeout: 100_000 })
      .toMatch(/state (DOWN|LOWERLAYER)/);
  let reason = '';
  for (const [step, code, there] of steps) {
    const call = await net.tsha(...callOf(step, params));
    const stderr = call.code === code ? '' : call.stderr;
    expect({ step, code: call.code, stderr }).toEqual({ step, code, stderr: '' });
    if (there) expect(await net.added(), `after ${step}`).toEqual(there);
    if (code !== 0 && step !== 'probe') expect(call.reason, step).not.toBe('');
    reason = call.reason;
  }
  if (says !== undefined) expect(reason).toContain(says);
}

// What most tests ask for, and how `ip address` writes that it is there.
export const v4 = { ip: '192.168.144.2' };
export const v6 = { ip: '2001:db8:1234::2' };
export const up = 'eth0 192.168.144.2/24 brd 192.168.144.255';
export const up6 = 'eth0 2001:db8:1234::2/64';
/** Puts it there by hand. */
export const present = 'address add 192.168.144.2/24 brd + dev eth0';
