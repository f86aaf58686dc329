import fc from 'fast-check';
import { expect, test } from 'vitest';
import { campaign, longestMs } from '../campaign.ts';
import { callOf, makeNetwork, type Network, type Params } from './network.ts';

// Random addresses on real links among those of others, random actions, and the kernel's own table as the judge: start 0 means that
// ours is there, once, as it was asked for; stop 0, that it is nowhere where it may be ours; what is not ours never changes.

const families = {
  inet: {
    ip: '192.168.144.2',
    prefixes: ['24', '28', '32'],
    base: '192.168.144.1/24',
    neighbours: ['192.168.144.3/24 brd + metric 300', '192.168.144.4/24', '192.168.144.5/28'],
    byHand: ['/24', '/28'],
    elsewhere: '192.168.144.7/24',
  },
  inet6: {
    ip: '2001:db8:1234::2',
    prefixes: ['64', '80', '128'],
    base: '2001:db8:1234::1/64',
    neighbours: ['2001:db8:1234::3/64 nodad', '2001:db8:1234::4/80 nodad'],
    byHand: ['/64 nodad', '/80 nodad'],
    elsewhere: '2001:db8:1234::7/64 nodad',
  },
} as const;

const actions = ['start', 'stop', 'monitor', 'probe'] as const;
const events = [
  ...[...actions, ...actions, 'start', 'stop'],
  ...['neighbour', 'neighbour', 'by hand', 'on the other link by hand', 'gone by hand'],
  ...['link down', 'link up', 'cable out', 'cable in'],
] as const;
type Action = (typeof actions)[number];

const optionally = <T>(...values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });

const situations = fc.record({
  family: fc.constantFrom('inet' as const, 'inet' as const, 'inet6' as const),
  /** Which of the family's prefixes is configured. */
  prefix: optionally(0, 0, 1, 2),
  nic: optionally('eth0', 'eth0', 'eth1'),
  label: optionally('web'),
  link: fc.constantFrom('up', 'up', 'up', 'down', 'without carrier'),
  /** Without it ours is the first of its network, which takes the others along. */
  base: fc.boolean(),
  /** The other link leads to the same network. */
  otherLink: fc.boolean(),
  promote: fc.constantFrom('0', '1'),
  nodad: fc.boolean(),
  events: fc.array(fc.constantFrom(...events), { minLength: 3, maxLength: 7 }),
});
type Situation = typeof situations extends fc.Arbitrary<infer T> ? T : never;

type Entry = {
  readonly nic: string;
  readonly running: boolean;
  readonly ip: string;
  readonly prefix: string;
  readonly label: string;
  /** What must not change of an address of others. */
  readonly whole: string;
};

/** The kernel's table but for what it makes by itself: the links' own link-local addresses. */
async function tableOf(net: Network): Promise<readonly Entry[]> {
  const links: readonly {
    readonly ifname: string;
    readonly flags: readonly string[];
    readonly operstate: string;
    readonly addr_info: readonly { readonly [name: string]: string | number | boolean }[];
  }[] = JSON.parse(await net.ip('-j address show'));
  return links.flatMap(({ ifname: nic, flags, operstate, addr_info }) =>
    addr_info
      .filter(({ scope, family }) => scope !== 'link' || family === 'inet')
      .map(({ local, address, prefixlen, broadcast, label, scope, metric }) => ({
        nic,
        running: flags.includes('UP') && ['UP', 'UNKNOWN'].includes(operstate),
        ip: String(local),
        prefix: String(prefixlen),
        label: String(label ?? nic),
        whole: JSON.stringify([nic, local, address, prefixlen, broadcast, label, scope, metric]),
      })),
  );
}

class World {
  readonly net: Network;
  readonly situation: Situation;
  readonly params: Params;
  readonly prefix: string | undefined;
  neighbours = 0;
  isPlugged = true;

  constructor(net: Network, situation: Situation) {
    this.net = net;
    this.situation = situation;
    const { family, prefix, nic, label, nodad } = situation;
    this.prefix = prefix === undefined ? undefined : families[family].prefixes[prefix];
    this.params = {
      ip: families[family].ip,
      arp_count: '1',
      nodad: String(nodad),
      ...(this.prefix !== undefined && { cidr_netmask: this.prefix }),
      ...(nic !== undefined && { nic }),
      ...(this.label !== undefined && label !== undefined && { iflabel: label }),
    };
  }

  /** The kernel keeps none of IPv6. */
  get label(): string | undefined {
    return this.situation.family === 'inet' ? this.situation.label : undefined;
  }

  async open(): Promise<void> {
    const { family, link, base, otherLink, promote } = this.situation;
    for (const dev of ['all', 'eth0', 'eth1'])
      await this.net.inside(['sysctl', '-qw', `net.ipv4.conf.${dev}.promote_secondaries=${promote}`]);
    if (!base) await this.net.ip(`address delete ${families[family].base} dev eth0`);
    if (otherLink) await this.net.ip(`address add ${families[family].elsewhere} dev eth1`);
    if (link === 'down') await this.net.ip('link set eth0 down');
    if (link === 'without carrier') await this.cable('down');
  }

  /** The kernel takes up to a second to draw its conclusions from a carrier (linkwatch). */
  async cable(state: 'up' | 'down'): Promise<void> {
    await this.net.ipPeer(`link set p0 ${state}`);
    this.isPlugged = state === 'up';
    const isUp = (await this.net.ip('link show dev eth0')).includes(',UP');
    if (isUp) await this.settled(state === 'up' ? /state UP/ : /state (DOWN|LOWERLAYER)/);
  }

  async settled(state: RegExp): Promise<void> {
    await expect.poll(() => this.net.ip('link show dev eth0'), { timeout: 100_000 }).toMatch(state);
  }

  async act(event: (typeof events)[number]): Promise<void> {
    const { family, nic = 'eth0' } = this.situation;
    const { ip, neighbours, byHand } = families[family];
    const has = (await tableOf(this.net)).filter((entry) => entry.ip === ip);
    const other = nic === 'eth0' ? 'eth1' : 'eth0';
    switch (event) {
      case 'neighbour': {
        const one = neighbours[this.neighbours++];
        if (one !== undefined) await this.net.ip(`address add ${one} dev ${nic}`);
        return;
      }
      case 'by hand':
        if (has.length === 0) await this.net.ip(`address add ${ip}${byHand[this.neighbours % 2]} dev ${nic}`);
        return;
      case 'on the other link by hand':
        if (has.length === 0) await this.net.ip(`address add ${ip}${byHand[0]} dev ${other}`);
        return;
      case 'gone by hand':
        for (const { prefix, nic: dev } of has)
          await this.net.ip(`address delete ${ip}/${prefix} dev ${dev}`);
        return;
      case 'link down':
        return void (await this.net.ip('link set eth0 down'));
      case 'link up': {
        await this.net.ip('link set eth0 up');
        return this.settled(this.isPlugged ? /state UP/ : /state (DOWN|LOWERLAYER)/);
      }
      case 'cable out':
        return this.cable('down');
      case 'cable in':
        return this.cable('up');
      default:
        return this.judge(event as Action);
    }
  }

  /** An address of ours may be on the configured link, or on any without one. */
  isPlace({ nic, ip }: Entry): boolean {
    return ip === families[this.situation.family].ip && nic !== 'lo' && (this.situation.nic ?? nic) === nic;
  }

  /** As the table has it: served, or what is wrong. */
  stateOf(
    table: readonly Entry[],
  ): 'served' | 'no link' | 'other label' | 'other prefix' | 'elsewhere' | 'absent' {
    const here = table.filter((entry) => this.isPlace(entry));
    if (here.length === 0)
      return table.some(({ ip }) => ip === families[this.situation.family].ip) ? 'elsewhere' : 'absent';
    const same = here.filter(({ prefix }) => (this.prefix ?? prefix) === prefix);
    if (same.length === 0) return 'other prefix';
    const labelled = same.filter(
      ({ label, nic }) => this.label === undefined || label === `${nic}:${this.label}`,
    );
    if (labelled.length === 0) return 'other label';
    return labelled.some(({ running }) => running) ? 'served' : 'no link';
  }

  async judge(action: Action): Promise<void> {
    const before = await tableOf(this.net);
    const state = this.stateOf(before);
    const { code, reason, stderr } = await this.net.tsha(...callOf(action, this.params));
    const after = await tableOf(this.net);
    const said = `${action} on ${state}: ${code} ${reason}\n${stderr}\n${before.map(({ whole }) => whole).join('\n')}`;
    const others = (table: readonly Entry[]) =>
      table
        .filter((entry) => !this.isPlace(entry))
        .map(({ whole }) => whole)
        .sort();
    const ours = (table: readonly Entry[]) =>
      table.filter((entry) => this.isPlace(entry)).map(({ whole }) => whole);
    expect(others(after), said).toEqual(others(before));
    if (action === 'start') {
      if (code === 0) expect([this.stateOf(after), ours(after).length], said).toEqual(['served', 1]);
      else expect(ours(before), said).toEqual(expect.arrayContaining(ours(after)));
      expect(this.rightStarts(state), said).toContain(code);
    } else if (action === 'stop') {
      expect([code, ours(after)], said).toEqual([0, []]);
    } else {
      expect(ours(after), said).toEqual(ours(before));
      const isIdle = state === 'no link' || state === 'other prefix';
      const isFailed = state === 'other label' || (isIdle && action === 'probe');
      expect(code, said).toBe(state === 'served' ? 0 : isFailed ? 1 : 7);
    }
    if (code !== 0 && action !== 'probe') expect(reason, said).not.toBe('');
  }

  /** It depends on routes and cables, but for an interface that has its cable and a prefix that is configured. */
  rightStarts(state: ReturnType<World['stateOf']>): readonly number[] {
    if (state === 'served') return [0];
    if (state === 'elsewhere' || state === 'other label') return [1];
    const { nic } = this.situation;
    return nic === 'eth1' && this.prefix !== undefined ? [0] : [0, 1, 5];
  }
}

test('the kernel agrees', { timeout: longestMs }, () =>
  campaign({
    file: 'test/host/IPaddr2/campaign.test.ts',
    situations,
    runs: 60,
    judge: async (situation) => {
      const net = await makeNetwork();
      try {
        const world = new World(net, situation);
        await world.open();
        for (const event of situation.events) await world.act(event);
      } finally {
        await net.destroy();
      }
    },
  }),
);
