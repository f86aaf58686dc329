import { describe, expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { canonicalIp } from '../../../../lib/host/net/address-text.ts';
import {
  interfaceNamed,
  isLocal,
  parseAddresses,
  parseIfInet6,
  parseLocalTable,
  runningInterfaces,
} from '../../../../lib/host/net/addresses.ts';
import { contains } from '../../../../lib/host/net/networks.ts';
import { FakeMachine } from '../../../fake/machine.ts';

// Captured on Debian 12, iproute2 6.1, shortened.
const ipJson = `[{},
{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"operstate":"UNKNOWN","link_type":"loopback",
 "addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo"}]},
{"ifindex":6,"ifname":"eth0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"operstate":"UP","link_type":"ether",
 "altnames":["enp7s0"],"addr_info":[
 {"family":"inet","local":"192.168.144.1","prefixlen":24,"broadcast":"192.168.144.255","scope":"global","label":"eth0"},
 {"family":"inet","local":"10.9.9.9","address":"10.9.9.10","prefixlen":32,"scope":"global","label":"eth0"},
 {"family":"inet","local":"192.168.144.2","prefixlen":24,"scope":"global","secondary":true,"label":"eth0:x"},
 {"family":"inet6","local":"2001:db8:1234::1","prefixlen":64,"scope":"global","tentative":true},
 {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link","dadfailed":true,"tentative":true}]},
{"ifindex":7,"ifname":"eth1","flags":["NO-CARRIER","BROADCAST","UP"],"operstate":"DOWN","link_type":"ether","addr_info":[]},
{"ifindex":8,"ifname":"eth2","flags":["BROADCAST"],"operstate":"DOWN","link_type":"ether","addr_info":[]},
{"ifindex":9,"ifname":"up0","flags":["UP","LOWER_UP"],"operstate":"LOWERLAYERDOWN","link_type":"ether","addr_info":[]}]`;

const ifInet6 = `00000000000000000000000000000001 01 80 10 80       lo
fe80000000000000ec510dfffedcc82b 06 40 20 c0     eth0
20010db8123400000000000000000001 06 40 00 88     eth0
20010db8123400000000000000000007 0a 40 00 80     p-a.5
`;

const fibTrie = `Main:
  +-- 0.0.0.0/0 3 0 5
        |-- 192.168.144.0
           /24 link UNICAST
        |-- 10.9.9.10
           /32 link UNICAST
Local:
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 192.168.144.2
           /32 link UNICAST
           /32 host LOCAL
        |-- 192.168.144.255
           /32 link BROADCAST
`;

describe('ip -j address', () => {
  const links = parseAddresses(ipJson);

  test('interfaces, without the hidden one', () => {
    expect(links.map(({ name, index, up, running }) => [name, index, up, running])).toEqual([
      ['lo', 1, true, true],
      ['eth0', 6, true, true],
      ['eth1', 7, true, false],
      ['eth2', 8, false, false],
      ['up0', 9, true, false],
    ]);
  });

  test('addresses', () => {
    expect(interfaceNamed(links, 'enp7s0')?.addresses).toEqual([
      {
        family: 'inet',
        ip: '192.168.144.1',
        prefix: 24,
        broadcast: '192.168.144.255',
        label: 'eth0',
        secondary: false,
        detection: 'none',
        origin: ['scope', 'global'],
      },
      {
        family: 'inet',
        ip: '10.9.9.9',
        prefix: 32,
        label: 'eth0',
        peer: '10.9.9.10',
        secondary: false,
        detection: 'none',
        origin: ['scope', 'global'],
      },
      {
        family: 'inet',
        ip: '192.168.144.2',
        prefix: 24,
        label: 'eth0:x',
        secondary: true,
        detection: 'none',
        origin: ['scope', 'global'],
      },
      {
        family: 'inet6',
        ip: '2001:db8:1234::1',
        prefix: 64,
        secondary: false,
        detection: 'tentative',
        origin: ['scope', 'global'],
      },
      {
        family: 'inet6',
        ip: 'fe80::1',
        prefix: 64,
        secondary: false,
        detection: 'failed',
        origin: ['scope', 'link'],
      },
    ]);
  });
});

test('/proc/net/if_inet6', () => {
  const seen = parseIfInet6(ifInet6).flatMap(({ name, index, addresses }) =>
    addresses.map(({ ip, prefix, detection }) => `${index} ${name} ${ip}/${prefix} ${detection}`),
  );
  expect(seen).toEqual([
    '1 lo ::1/128 none',
    '6 eth0 fe80::ec51:dff:fedc:c82b/64 tentative',
    '6 eth0 2001:db8:1234::1/64 failed',
    '10 p-a.5 2001:db8:1234::7/64 none',
  ]);
});

test('/proc/net/fib_trie', () => expect([...parseLocalTable(fibTrie)]).toEqual(['192.168.144.2']));

describe('what runs, without a command', () => {
  test('IPv4 labels name their interface', async () => {
    const machine = new FakeMachine();
    machine.running = [
      { name: 'eth0', address: '192.168.144.1', prefix: 24 },
      { name: 'eth0:x', address: '192.168.144.2', prefix: 24 },
      { name: 'eth0', address: 'fe80::1', prefix: 64 },
    ];
    const links = await runningInterfaces(hostOn(machine, 1000), 'inet');
    expect(links.map(({ name, addresses }) => [name, addresses.map(({ ip, label }) => [ip, label])])).toEqual(
      [
        [
          'eth0',
          [
            ['192.168.144.1', 'eth0'],
            ['192.168.144.2', 'eth0:x'],
          ],
        ],
      ],
    );
  });

  test('IPv6 only where the operational state says so', async () => {
    const machine = new FakeMachine();
    machine.files.set('/proc/net/if_inet6', ifInet6);
    machine.files.set('/sys/class/net/lo/operstate', 'unknown\n');
    machine.files.set('/sys/class/net/eth0/operstate', 'lowerlayerdown\n');
    const links = await runningInterfaces(hostOn(machine, 1000), 'inet6');
    expect(links.map(({ name }) => name)).toEqual(['lo']);
  });

  test('a kernel without IPv6', async () => {
    expect(await runningInterfaces(hostOn(new FakeMachine(), 1000), 'inet6')).toEqual([]);
  });
});

describe('is it local?', () => {
  test.each([
    ['inet', '192.168.144.2', true],
    ['inet', '192.168.144.3', false],
    ['inet6', '2001:db8:1234::7', true],
    ['inet6', '2001:db8:1234::8', false],
  ] as const)('%s %s: %s', async (family, ip, expected) => {
    const machine = new FakeMachine();
    machine.files.set('/proc/net/fib_trie', fibTrie);
    machine.files.set('/proc/net/if_inet6', ifInet6);
    expect(await isLocal(hostOn(machine, 1000), ip, family)).toBe(expected);
  });

  test('a kernel that does not say', async () => {
    expect(await isLocal(hostOn(new FakeMachine(), 1000), '192.168.144.2', 'inet')).toBeUndefined();
  });
});

describe('one spelling', () => {
  test.each([
    ['192.168.144.2', '192.168.144.2'],
    ['2001:DB8:0:0:0:0:0:0002', '2001:db8::2'],
    ['2001:db8:0:1:0:0:0:2', '2001:db8:0:1::2'],
    ['::FFFF:10.0.0.1', '::ffff:a00:1'],
    ['::ffff:a00:1', '::ffff:a00:1'],
    ['::1', '::1'],
    ['10.1', undefined],
    ['0x0a.1.1.1', undefined],
    ['010.1.1.1', undefined],
    ['1.2.3.4.5', undefined],
    ['fe80::1%eth0', undefined],
    ['2001:db8:::2', undefined],
    ['12345', undefined],
    ['', undefined],
  ])('%s is %s', (text, canonical) => expect(canonicalIp(text)).toBe(canonical));
});

test.each([
  ['10.0.0.0', 8, '10.1.0.5', true],
  ['10.1.0.0', 16, '10.2.0.5', false],
  ['192.168.144.2', 32, '192.168.144.2', true],
  ['2001:db8::', 32, '2001:db8:1::1', true],
  ['2001:db8::', 64, '10.0.0.1', false],
] as const)('%s/%i holds %s: %s', (network, prefix, ip, holds) => {
  expect(contains(network, prefix, ip)).toBe(holds);
});
