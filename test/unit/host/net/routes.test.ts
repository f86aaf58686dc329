import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { type LinkRoute, linkRoutes, parseRoutes, rankRoutes } from '../../../../lib/host/net/routes.ts';
import { FakeMachine } from '../../../fake/machine.ts';

// Captured on Debian 12, iproute2 6.1.
const ipJson = `[
{"dst":"default","gateway":"192.168.144.9","dev":"eth0","flags":[]},
{"dst":"10.9.9.10","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"10.9.9.9","flags":[]},
{"dst":"10.0.0.0/8","gateway":"192.168.144.9","dev":"eth0","flags":[]},
{"type":"unreachable","dst":"192.168.144.0/25","flags":[]},
{"type":"blackhole","dst":"192.168.0.0/17","dev":"lo","flags":[]},
{"dst":"192.168.144.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.168.144.1","flags":[]},
{"dst":"192.168.144.0/24","dev":"eth1","protocol":"static","metric":50,"flags":["linkdown"]},
{"dst":"192.168.144.0/24","dev":"eth2","protocol":"static","flags":["dead"]},
{"dst":"172.16.0.0/12","nexthops":[{"dev":"eth0","weight":1}],"flags":[]},
{"dst":"2001:db8::1","dev":"eth0","metric":256,"flags":[]}]`;

test('I7: only networks that are attached to an interface, no single hosts', () => {
  expect(parseRoutes(ipJson)).toEqual([
    {
      network: '192.168.144.0',
      prefix: 24,
      nic: 'eth0',
      metric: undefined,
      protocol: 'kernel',
      linkDown: false,
    },
    { network: '192.168.144.0', prefix: 24, nic: 'eth1', metric: 50, protocol: 'static', linkDown: true },
  ]);
});

test('only those that hold the address', async () => {
  const machine = new FakeMachine().on('ip', () => ipJson);
  const found = await linkRoutes(hostOn(machine, 1000), 'blue', 'inet', '192.168.144.2', 'kernel');
  expect(found.map(({ nic }) => nic)).toEqual(['eth0', 'eth1']);
  expect(machine.ran).toEqual(['ip -n blue -j -f inet route show match 192.168.144.2/32 proto kernel']);
});

const route = (nic: string, network: string, rest: Partial<LinkRoute> = {}): LinkRoute => {
  const [base = '', prefix] = network.split('/');
  return {
    nic,
    network: base,
    prefix: Number(prefix),
    metric: undefined,
    protocol: 'static',
    linkDown: false,
    ...rest,
  };
};

test.each([
  ['the longest prefix', [route('a', '10.0.0.0/8'), route('b', '10.1.0.0/16', { metric: 900 })], 'b'],
  [
    'the longest prefix, although it has no link,',
    [route('a', '10.0.0.0/8'), route('b', '10.1.0.0/16', { linkDown: true })],
    'b',
  ],
  [
    'then one with a link',
    [route('a', '10.0.0.0/8', { linkDown: true }), route('b', '10.0.0.0/8', { metric: 900 })],
    'b',
  ],
  [
    'then the lowest metric',
    [route('a', '10.0.0.0/8', { metric: 100 }), route('b', '10.0.0.0/8', { metric: 50 })],
    'b',
  ],
  ['none is the lowest', [route('a', '10.0.0.0/8', { metric: 100 }), route('b', '10.0.0.0/8')], 'b'],
  ["then the kernel's", [route('a', '10.0.0.0/8'), route('b', '10.0.0.0/8', { protocol: 'kernel' })], 'b'],
  ['then the older interface', [route('b', '10.0.0.0/8'), route('a', '10.0.0.0/8')], 'a'],
])('%s wins', (_name, routes, best) => {
  const indexOf = (nic: string) => ['a', 'b'].indexOf(nic);
  const hasLink = ({ linkDown }: LinkRoute) => !linkDown;
  expect(rankRoutes(routes, indexOf, hasLink)[0]?.nic).toBe(best);
  expect(rankRoutes([...routes].reverse(), indexOf, hasLink)[0]?.nic).toBe(best);
});
