import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';
import { follow, networkOfEachTest, noCarrier, present, type Row, up, v4, v6 } from './network.ts';

const net = networkOfEachTest();

describe('what is there is not what was configured', () => {
  test.each<Row>([
    {
      name: 'IPaddr2#50: its route deleted, stop',
      before: [present, 'address delete 192.168.144.1/24 dev eth0', 'route flush dev eth0'],
      params: v4,
      steps: [['stop', 0, []]],
    },
    {
      name: 'IPaddr2#51: its route deleted, monitor and probe',
      before: [present, 'route flush dev eth0'],
      params: { ...v4, cidr_netmask: '24' },
      steps: [
        ['monitor', 0],
        ['probe', 0],
      ],
    },
    {
      name: 'IPaddr2#52: also on another interface',
      before: ['address add 192.168.144.2/24 dev eth1'],
      params: { ...v4, nic: 'eth0' },
      steps: [
        ['start', 1, ['eth1 192.168.144.2/24']],
        ['stop', 0, ['eth1 192.168.144.2/24']],
      ],
    },
    {
      name: 'IPaddr2#53: only on another interface',
      before: ['address add 192.168.144.2/24 dev eth1'],
      params: { ...v4, nic: 'eth0' },
      steps: [['monitor', 7]],
      says: 'not on eth0 but on eth1',
    },
    {
      name: 'IPaddr2#54: other prefix: monitor, stop',
      before: ['address add 192.168.144.2/25 dev eth0'],
      params: { ...v4, cidr_netmask: '24' },
      steps: [
        ['monitor', 7],
        ['probe', 1],
        ['stop', 0, []],
      ],
    },
    {
      name: 'IPaddr2#54: other prefix: start replaces it',
      before: ['address add 192.168.144.2/25 dev eth0'],
      params: { ...v4, cidr_netmask: '24' },
      steps: [
        ['start', 0, [up]],
        ['monitor', 0],
      ],
    },
    {
      name: 'IPaddr2#55: the address of the other end',
      before: ['address add 10.5.5.1 peer 192.168.144.2/32 dev eth1'],
      params: { ...v4, cidr_netmask: '32' },
      steps: [
        ['monitor', 7],
        ['stop', 0, ['eth1 10.5.5.1/32']],
      ],
    },
    {
      name: 'our end of a point-to-point address',
      before: ['address add 192.168.144.2 peer 10.5.5.1/32 dev eth1'],
      params: v4,
      steps: [
        ['monitor', 0],
        ['stop', 0, []],
      ],
    },
    {
      name: 'IPaddr2#28: other label',
      before: [`${present} label eth0:other`],
      params: { ...v4, nic: 'eth0', iflabel: 'web' },
      steps: [
        ['monitor', 1],
        ['start', 1],
        ['stop', 0, []],
      ],
    },
    {
      name: 'several prefixes at once',
      before: [present, 'address add 192.168.144.2/28 dev eth0', 'address add 192.168.144.2/26 dev eth1'],
      params: v4,
      steps: [['stop', 0, []]],
    },
  ])('$name', (row) => follow(net, row));

  test('an interface that was renamed since start', async () => {
    const params = { ...v4, nic: 'eth0' };
    await net.tsha('start', params);
    await net.ip('link set eth0 down');
    await net.ip('link set eth0 name wan0');
    expect((await net.tsha('stop', params)).code).toBe(0);
    expect(await net.added()).toEqual([]);
  });

  test('IPaddr2#65: other addresses of the subnet survive the first', async () => {
    await net.ip('address delete 192.168.144.1/24 dev eth0');
    await net.ip(present);
    await net.ip('address add 192.168.144.3/24 dev eth0');
    await net.inside(['sysctl', '-w', 'net.ipv4.conf.eth0.promote_secondaries=0']);
    await net.inside(['sysctl', '-w', 'net.ipv4.conf.all.promote_secondaries=0']);
    expect((await net.tsha('stop', v4)).code).toBe(0);
    expect(await net.added()).toEqual(['eth0 192.168.144.3/24']);
  });
});

describe("I10: the address of a real server's, for a balancer in front of it, is none of the cluster's", () => {
  // eth1 and a bridge stand for the dummies that balancers use, which not every kernel has
  const real = 'address add 192.168.144.2/32 dev eth1';
  const there = 'eth1 192.168.144.2/32';

  test.each<Row>([
    {
      name: 'on an interface that is up',
      before: [real],
      params: v4,
      steps: [
        ['probe', 7],
        ['monitor', 7],
        ['stop', 0, [there]],
        ['start', 0, [up, there]],
        ['monitor', 0],
        ['stop', 0, [there]],
      ],
    },
    {
      name: 'on an interface that is down on purpose, as kube-ipvs0',
      before: ['link add kube-ipvs0 type bridge', 'address add 192.168.144.2/32 dev kube-ipvs0'],
      params: v4,
      steps: [
        ['probe', 7],
        ['start', 0, [up, 'kube-ipvs0 192.168.144.2/32']],
        ['stop', 0, ['kube-ipvs0 192.168.144.2/32']],
      ],
    },
    {
      name: 'the interface is configured, another one has it',
      before: [real],
      params: { ...v4, nic: 'eth0' },
      steps: [
        ['probe', 7],
        ['start', 0, [up, there]],
        ['stop', 0, [there]],
      ],
    },
    {
      name: 'IPv6',
      before: ['address add 2001:db8:1234::2/128 dev eth1'],
      params: v6,
      steps: [
        ['probe', 7],
        ['start', 0, ['eth0 2001:db8:1234::2/64', 'eth1 2001:db8:1234::2/128']],
        ['monitor', 0],
        ['stop', 0, ['eth1 2001:db8:1234::2/128']],
      ],
    },
    {
      name: 'its prefix was asked for, the routes lead elsewhere',
      before: [real],
      params: { ...v4, cidr_netmask: '32' },
      steps: [
        ['probe', 7],
        ['stop', 0, [there]],
        ['start', 0, ['eth0 192.168.144.2/32 brd 192.168.144.255', there]],
        ['monitor', 0],
        ['stop', 0, [there]],
      ],
    },
    {
      name: 'its prefix was asked for, it is down on purpose on an interface of kube-proxy',
      before: ['link add kube-ipvs0 type bridge', 'address add 192.168.144.2/32 dev kube-ipvs0'],
      params: { ...v4, cidr_netmask: '32', nic: 'eth0' },
      steps: [
        ['probe', 7],
        ['start', 0, ['eth0 192.168.144.2/32 brd 192.168.144.255', 'kube-ipvs0 192.168.144.2/32']],
        ['monitor', 0],
        ['stop', 0, ['kube-ipvs0 192.168.144.2/32']],
      ],
    },
    {
      name: 'its prefix was asked for, it is where the routes lead',
      before: ['address add 192.168.144.2/32 dev eth0'],
      params: { ...v4, cidr_netmask: '32' },
      steps: [
        ['probe', 0],
        ['stop', 0, []],
      ],
    },
    {
      name: 'it was asked for by its interface',
      before: [real],
      params: { ...v4, nic: 'eth1' },
      steps: [
        ['probe', 0],
        ['stop', 0, []],
      ],
    },
    {
      name: 'on the interface that start chooses: replaced',
      before: ['address add 192.168.144.2/32 dev eth0'],
      params: v4,
      steps: [
        ['start', 0, [up]],
        ['stop', 0, []],
      ],
    },
  ])('$name', (row) => follow(net, row));

  test('one whose prefix was configured when it was started is stopped', async () => {
    expect((await net.tsha('start', { ...v4, cidr_netmask: '32' })).code).toBe(0);
    expect((await net.tsha('monitor', v4)).code).toBe(0);
    expect((await net.tsha('stop', v4)).code).toBe(0);
    expect(await net.added()).toEqual([]);
  });
});

describe('no link', () => {
  test.each<Row>([
    {
      name: 'IPaddr2#56,60: lost after start, stop',
      before: [present, noCarrier],
      params: v4,
      steps: [
        ['monitor', 7],
        ['probe', 1],
        ['stop', 0, []],
        ['probe', 7],
      ],
    },
    {
      name: 'IPaddr2#56: its interface is down, stop',
      before: [present, 'link set eth0 down'],
      params: { ...v4, nic: 'eth0' },
      steps: [
        ['monitor', 7],
        ['probe', 1],
        ['stop', 0, []],
        ['probe', 7],
      ],
    },
    {
      name: 'IPaddr2#56: the reason',
      before: [present, noCarrier],
      params: v4,
      steps: [['monitor', 7]],
      says: 'no link',
    },
    {
      name: 'IPaddr2#57: not to be checked, IPv6, whose duplicate address detection waits for a link',
      before: [noCarrier],
      params: { ...v6, nic: 'eth0', cidr_netmask: '64', check_link_status: 'false' },
      steps: [
        ['start', 0, ['eth0 2001:db8:1234::2/64']],
        ['monitor', 0],
        ['start', 0],
        ['stop', 0, []],
      ],
    },
    {
      name: 'IPaddr2#57: not to be checked',
      before: [present, noCarrier],
      params: { ...v4, check_link_status: 'false' },
      steps: [['monitor', 0]],
    },
    {
      name: 'IPaddr2#58: start with the address there',
      before: [present, noCarrier],
      params: v4,
      steps: [['start', 1]],
      says: 'no link',
    },
    {
      name: 'IPaddr2#59: start leaves nothing behind',
      before: [noCarrier],
      params: { ...v4, nic: 'eth0', cidr_netmask: '24' },
      steps: [['start', 1, []]],
      says: 'no link',
    },
    {
      name: 'IPaddr2#62: with an alternative name',
      before: ['link property add dev eth0 altname enp7s0', present, noCarrier],
      params: v4,
      steps: [['monitor', 7]],
    },
    {
      name: 'IPaddr2#62: by the alternative name',
      before: ['link property add dev eth0 altname enp7s0', present, noCarrier],
      params: { ...v4, nic: 'enp7s0' },
      steps: [['monitor', 7]],
    },
    {
      name: 'IPv6',
      before: ['address add 2001:db8:1234::2/64 dev eth0 nodad', noCarrier],
      params: v6,
      steps: [
        ['monitor', 7],
        ['stop', 0, []],
      ],
    },
  ])('$name', (row) => follow(net, row));
});

describe('another owner of the address', () => {
  test('IPaddr2#84: found by duplicate address detection: nothing stays', async () => {
    await net.ipPeer('address add 2001:db8:1234::2/64 dev p0 nodad');
    const { code, reason } = await net.tsha('start', v6);
    expect([code, reason]).toEqual([1, expect.stringContaining('owned by another host')]);
    expect(await net.added()).toEqual([]);
    expect(await net.ip('addrlabel')).not.toContain('2001:db8:1234::2');
  });

  test('IPaddr2#85: found later', async () => {
    await net.ipPeer('address add 2001:db8:1234::2/64 dev p0 nodad');
    await net.ip('address add 2001:db8:1234::2/64 dev eth0');
    await expect.poll(() => net.ip('-6 address show dev eth0'), { timeout: 100_000 }).toContain('dadfailed');
    await follow(net, {
      name: '',
      params: v6,
      steps: [
        ['monitor', 1],
        ['start', 1],
        ['stop', 0, []],
      ],
    });
  });

  test('IPaddr2#91: run_arping', async () => {
    const params = { ip: '192.168.144.9', run_arping: 'true' };
    const { code, reason } = await net.tsha('start', params);
    expect([code, reason]).toEqual([1, expect.stringContaining('another host answers')]);
    expect(await net.added()).toEqual([]);
    expect((await net.tsha('start', { ...v4, run_arping: 'true' })).code).toBe(0);
  });
});

describe('network namespaces', () => {
  /** From the machine's own namespace, as Pacemaker calls. */
  const outside = async (action: string, params: Record<string, string>) => {
    const env = Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
    const file = await agentUnderTest('IPaddr2');
    const { exitCode } = await execa('node', [file, action], {
      env: { OCF_RESOURCE_INSTANCE: 'vip', HA_RSCTMP: net.stateDir, ...Object.fromEntries(env) },
      reject: false,
    });
    return exitCode;
  };

  test('IPaddr2#97: a life inside', async () => {
    const params = { ...v4, network_namespace: net.node };
    expect(await outside('monitor', params)).toBe(7);
    expect(await outside('start', params)).toBe(0);
    expect(await net.added()).toEqual([up]);
    expect(await outside('monitor', params)).toBe(0);
    expect((await execa('ip', ['-o', 'address'])).stdout).not.toContain(v4.ip);
    expect(await outside('stop', params)).toBe(0);
    expect(await net.added()).toEqual([]);
  });

  test('IPaddr2#96,97: IPv6 inside, clone number added once', async () => {
    expect(await outside('start', { ...v6, network_namespace: net.node })).toBe(0);
    const clone = { CRM_meta_clone: '3', CRM_meta_clone_max: '4', CRM_meta_globally_unique: 'true' };
    const params = { ip: '192.168.144.10', unique_clone_address: 'true', ...clone };
    expect(await outside('start', { ...params, network_namespace: net.node })).toBe(0);
    expect(await net.added()).toEqual([
      'eth0 192.168.144.13/24 brd 192.168.144.255',
      'eth0 2001:db8:1234::2/64',
    ]);
  });

  test('IPaddr2#98: one that does not exist', async () => {
    const params = { ...v4, network_namespace: 'tsha-nope' };
    expect(await outside('monitor', params)).toBe(7);
    expect(await outside('monitor', { ...params, CRM_meta_interval: '10000' })).toBe(7);
    expect(await outside('stop', params)).toBe(0);
    expect(await outside('start', params)).toBe(5);
  });
});

describe('the machine around it', () => {
  test('a healthy monitor executes nothing', async () => {
    await net.tsha('start', v4);
    await net.tsha('start', v6);
    const file = await agentUnderTest('IPaddr2');
    for (const params of [v4, { ...v4, nic: 'eth0', cidr_netmask: '24' }, v6]) {
      const trace = join(net.stateDir, 'execs');
      const env = Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
      const monitor = ['strace', '-f', '-o', trace, '-e', 'trace=execve', process.execPath, file, 'monitor'];
      await net.inside(monitor as [string, ...string[]], {
        OCF_RESKEY_CRM_meta_interval: '10000',
        ...Object.fromEntries(env),
      });
      const { stdout } = await execa('grep', ['-c', 'execve', trace]);
      expect(stdout, JSON.stringify(params)).toBe('1'); // its own
    }
  });

  test('IPaddr2#102: an ordinary user may look', async () => {
    await net.tsha('start', v4);
    const file = await agentUnderTest('IPaddr2');
    const as = async (action: string) =>
      (
        await execa(
          'ip',
          ['netns', 'exec', net.node, 'setpriv', '--reuid=65534', '--clear-groups', 'node', file, action],
          { env: { OCF_RESKEY_ip: v4.ip }, reject: false },
        )
      ).exitCode;
    expect([await as('monitor'), await as('stop'), await as('start')]).toEqual([0, 4, 4]);
  });

  test('IPaddr2#100: a stale pid file of the stock agent', async () => {
    await net.tsha('start', v4);
    await writeFile(join(net.stateDir, `send_arp-${v4.ip}`), `${process.pid}\n`);
    expect((await net.tsha('stop', v4)).code).toBe(0); // and this process lives to say so
  });

  test.each([
    ['start', 5],
    ['monitor', 5],
    ['stop', 0],
  ] as const)('without its tools, nothing there: %s', async (action, code) => {
    const missing = { OCF_TESTER_FAIL_HAVE_BINARY: '1' };
    expect((await net.tsha(action, { ...v4, CRM_meta_interval: '10000' }, missing)).code).toBe(code);
  });

  test('without its tools, but there: stop does not claim success', async () => {
    await net.ip(present);
    expect((await net.tsha('stop', v4, { OCF_TESTER_FAIL_HAVE_BINARY: '1' })).code).toBe(1);
  });
});
