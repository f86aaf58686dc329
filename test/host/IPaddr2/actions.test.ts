import { describe, expect, test } from 'vitest';
import { follow, networkOfEachTest, type Row, type Step, up, up6, v4, v6 } from './network.ts';

// The numbers are the cases of the behaviour we keep; what is there is written as `ip address` would have it.

const net = networkOfEachTest();

const noBase = 'address delete 192.168.144.1/24 dev eth0';
const noBase6 = 'address delete 2001:db8:1234::1/64 dev eth0';
const life = (...there: string[]): readonly Step[] => [
  ['probe', 7],
  ['start', 0, there],
  ['monitor', 0],
  ['probe', 0],
  ['stop', 0, []],
  ['probe', 7],
];

const run = (row: Row) => follow(net, row);

describe('a life with IPv4', () => {
  test.each<Row>([
    { name: 'IPaddr2#1,19,22: ip only', params: v4, steps: life(up) },
    { name: 'IPaddr2#6: with prefix', params: { ...v4, cidr_netmask: '24' }, steps: life(up) },
    { name: 'IPaddr2#14: with interface', params: { ...v4, nic: 'eth0' }, steps: life(up) },
    { name: 'IPaddr2#29: with both', params: { ...v4, nic: 'eth0', cidr_netmask: '24' }, steps: life(up) },
    {
      name: 'IPaddr2#20,21: start twice, stop twice',
      params: v4,
      steps: [
        ['start', 0, [up]],
        ['start', 0, [up]],
        ['stop', 0, []],
        ['stop', 0, []],
      ],
    },
    {
      name: 'IPaddr2#23,108: what people call, and what nobody may',
      params: v4,
      steps: [
        ['no_cmd', 3],
        ['status', 7],
        ['start', 0, [up]],
        ['status', 0],
        ['no_cmd', 3, [up]],
      ],
    },
    { name: 'IPaddr2#10: broadcast', params: { ...v4, broadcast: '192.168.144.255' }, steps: life(up) },
    { name: 'IPaddr2#12: broadcast +', params: { ...v4, broadcast: '+' }, steps: life(up) },
    {
      name: 'IPaddr2#12: broadcast -',
      params: { ...v4, broadcast: '-' },
      steps: life('eth0 192.168.144.2/24 brd 192.168.144.0'),
    },
    {
      name: 'IPaddr2#13: odd broadcast',
      params: { ...v4, broadcast: '192.168.255.255' },
      steps: life('eth0 192.168.144.2/24 brd 192.168.255.255'),
    },
    { name: 'IPaddr2#24: loopback', params: { ip: '127.0.0.3' }, steps: life('lo 127.0.0.3/8') },
    {
      name: 'IPaddr2#25: label',
      params: { ...v4, nic: 'eth0', iflabel: 'web' },
      steps: life(`${up} label eth0:web`),
    },
    {
      name: 'IPaddr2#26: label in nic',
      params: { ...v4, nic: 'eth0:lbl' },
      steps: life(`${up} label eth0:lbl`),
    },
    {
      name: 'IPaddr2#33: interface and prefix without route',
      params: { ...v4, nic: 'eth1', cidr_netmask: '16' },
      steps: life('eth1 192.168.144.2/16'),
    },
    {
      name: 'IPaddr2#35: narrower prefix',
      params: { ...v4, cidr_netmask: '28' },
      steps: life('eth0 192.168.144.2/28 brd 192.168.144.255'),
    },
    {
      name: 'IPaddr2#37: other interface',
      params: { ...v4, nic: 'eth1', cidr_netmask: '28' },
      steps: life('eth1 192.168.144.2/28'),
    },
    {
      name: 'IPaddr2#37: other interface, base gone',
      before: [noBase],
      params: { ...v4, nic: 'eth1', cidr_netmask: '28' },
      steps: life('eth1 192.168.144.2/28'),
    },
    {
      name: 'IPaddr2#39: everything given',
      params: { ...v4, nic: 'eth1', cidr_netmask: '16', broadcast: '192.168.255.255' },
      steps: life('eth1 192.168.144.2/16 brd 192.168.255.255'),
    },
    {
      name: 'IPaddr2#40: everything given, base gone',
      before: [noBase],
      params: { ...v4, nic: 'eth1', cidr_netmask: '28', broadcast: '192.168.144.255' },
      steps: life('eth1 192.168.144.2/28 brd 192.168.144.255'),
    },
    {
      name: 'IPaddr2#41: /32',
      params: { ...v4, cidr_netmask: '32' },
      steps: life('eth0 192.168.144.2/32 brd 192.168.144.255'),
    },
    { name: 'IPaddr2#42: dotted mask', params: { ...v4, cidr_netmask: '255.255.255.0' }, steps: life(up) },
    {
      name: 'IPaddr2#43: the old netmask',
      params: { ...v4, netmask: '28' },
      steps: life('eth0 192.168.144.2/28 brd 192.168.144.255'),
    },
    {
      name: 'IPaddr2#63: alternative name',
      before: ['link property add dev eth0 altname enp7s0'],
      params: { ...v4, nic: 'enp7s0' },
      steps: life(up),
    },
    {
      name: 'IPaddr2#64: alternative name and prefix',
      before: ['link property add dev eth0 altname enp7s0'],
      params: { ...v4, nic: 'enp7s0', cidr_netmask: '24' },
      steps: life(up),
    },
    {
      name: 'IPaddr2#79: one that nobody routes to',
      before: ['address add 10.5.5.5/24 dev eth1 noprefixroute'],
      params: { ip: '10.5.5.5' },
      steps: [
        ['probe', 0],
        ['stop', 0, []],
      ],
    },
    {
      name: 'IPaddr2#95: each clone its own address',
      params: {
        ip: '192.168.144.10',
        unique_clone_address: 'true',
        CRM_meta_clone: '3',
        CRM_meta_clone_max: '4',
        CRM_meta_globally_unique: 'true',
      },
      steps: life('eth0 192.168.144.13/24 brd 192.168.144.255'),
    },
    {
      name: 'IPaddr2#105: anonymous clone on lo',
      params: { ip: '10.5.5.5', nic: 'lo', cidr_netmask: '32', CRM_meta_clone: '0', CRM_meta_clone_max: '2' },
      steps: life('lo 10.5.5.5/32'),
    },
    {
      name: 'IPaddr2#99: LVS: from lo and back',
      before: ['address add 192.168.144.2/32 brd 255.255.255.255 dev lo label lo:vip'],
      params: { ...v4, lvs_support: 'true' },
      steps: [
        ['monitor', 7],
        ['start', 0, [up]],
        ['monitor', 0],
        ['stop', 0, ['lo 192.168.144.2/32 brd 255.255.255.255 label lo:vip']],
        ['probe', 7],
      ],
    },
  ])('$name', run);
});

describe('the interface from the routes', () => {
  test.each<Row>([
    {
      name: 'IPaddr2#45: unreachable route beside it',
      before: ['route add unreachable 192.168.144.0/25'],
      params: v4,
      steps: life(up),
    },
    {
      name: 'IPaddr2#46: wider network on another interface',
      before: ['address add 192.168.1.1/16 dev eth1'],
      params: v4,
      steps: [['start', 0, ['eth0 192.168.144.2/24 brd 192.168.144.255', 'eth1 192.168.1.1/16'].sort()]],
    },
    {
      name: 'IPaddr2#47: lower metric',
      before: [
        'route replace 192.168.144.0/24 dev eth0 metric 100',
        'route delete 192.168.144.0/24 dev eth0 proto kernel',
        'route add 192.168.144.0/24 dev eth1 metric 50',
      ],
      params: v4,
      steps: life('eth1 192.168.144.2/24'),
    },
    {
      name: '48a longer prefix whatever its digits',
      before: ['address add 10.1.0.1/16 dev eth0', 'address add 10.0.0.1/8 dev eth1'],
      params: { ip: '10.1.0.5' },
      steps: [['start', 0, ['eth0 10.1.0.1/16', 'eth0 10.1.0.5/16', 'eth1 10.0.0.1/8']]],
    },
    {
      name: '48b no metric is the lowest',
      before: ['route add 192.168.144.0/24 dev eth1 metric 100'],
      params: v4,
      steps: life(up),
    },
    {
      name: 'IPaddr2#48: only a default route',
      before: ['route add default via 192.168.144.9'],
      params: { ip: '10.9.9.9' },
      steps: [['start', 5, []]],
    },
    { name: 'IPaddr2#30: no route', params: { ip: '192.168.120.1' }, steps: [['start', 5, []]] },
    {
      name: 'IPaddr2#31: interface not in the network',
      params: { ...v4, nic: 'eth1' },
      steps: [['start', 5, []]],
    },
    { name: 'IPaddr2#32: wider prefix', params: { ...v4, cidr_netmask: '16' }, steps: [['start', 5, []]] },
    {
      name: 'IPaddr2#34: base gone',
      before: [noBase],
      params: { ...v4, nic: 'eth0' },
      steps: [['start', 5, []]],
    },
    {
      name: 'IPaddr2#36: base gone',
      before: [noBase],
      params: { ...v4, cidr_netmask: '24' },
      steps: [['start', 5, []]],
    },
    {
      name: 'IPaddr2#38: base gone, broadcast only',
      before: [noBase],
      params: { ...v4, broadcast: '+' },
      steps: [['start', 5, []]],
    },
    {
      name: 'IPaddr2#49: protocol without routes',
      params: { ...v4, proto: 'static' },
      steps: [['start', 5, []]],
    },
    { name: 'IPaddr2#49: protocol kernel', params: { ...v4, proto: 'kernel' }, steps: life(up) },
    {
      name: 'IPaddr2#61: interface down',
      before: ['link set eth0 down'],
      params: v4,
      steps: [['start', 5, []]],
    },
    {
      name: 'IPaddr2#15,16,17: unknown interface',
      params: { ...v4, nic: 'nope' },
      steps: [
        ['start', 5, []],
        ['probe', 7],
        ['monitor', 1],
        ['stop', 0],
      ],
    },
    {
      name: 'IPaddr2#18: unknown interface and prefix',
      params: { ...v4, nic: 'nope', cidr_netmask: '24' },
      steps: [
        ['probe', 7],
        ['stop', 0],
      ],
    },
    {
      name: 'an interface that is down is switched on',
      before: ['link set eth1 down'],
      params: { ...v4, nic: 'eth1', cidr_netmask: '24' },
      steps: life('eth1 192.168.144.2/24'),
    },
  ])('$name', run);
});

describe('a life with IPv6', () => {
  test.each<Row>([
    {
      name: 'IPaddr2#66: ip only, started twice',
      params: v6,
      steps: [
        ['probe', 7],
        ['start', 0, [up6]],
        ['start', 0, [up6]],
        ['monitor', 0],
        ['stop', 0, []],
        ['stop', 0, []],
      ],
    },
    { name: 'IPaddr2#67: odd spelling', params: { ip: '2001:DB8:1234:0:0:0:0:0002' }, steps: life(up6) },
    {
      name: 'IPaddr2#71: link-local',
      params: { ip: 'fe80::2', nic: 'eth0' },
      steps: life('eth0 fe80::2/64'),
    },
    {
      name: 'IPaddr2#72: interface and prefix',
      params: { ...v6, nic: 'eth0', cidr_netmask: '64' },
      steps: life(up6),
    },
    {
      name: 'IPaddr2#75: narrower',
      params: { ...v6, cidr_netmask: '80' },
      steps: life('eth0 2001:db8:1234::2/80'),
    },
    {
      name: 'IPaddr2#78: /128',
      params: { ...v6, cidr_netmask: '128' },
      steps: life('eth0 2001:db8:1234::2/128'),
    },
    {
      name: 'IPaddr2#77: other interface, base gone',
      before: [noBase6],
      params: { ...v6, nic: 'eth1', cidr_netmask: '48' },
      steps: life('eth1 2001:db8:1234::2/48'),
    },
    {
      name: 'IPaddr2#69: odd spelling without route',
      params: { ip: '2001:DB8:5678:0::2', nic: 'eth1', cidr_netmask: '64' },
      steps: life('eth1 2001:db8:5678::2/64'),
    },
    { name: 'IPaddr2#68: no route', params: { ip: '2001:db8:5678::2' }, steps: [['start', 5, []]] },
    {
      name: 'IPaddr2#73: interface not in the network',
      params: { ...v6, nic: 'eth1' },
      steps: [['start', 5, []]],
    },
    { name: 'IPaddr2#74: wider prefix', params: { ...v6, cidr_netmask: '48' }, steps: [['start', 5, []]] },
    {
      name: 'IPaddr2#76: base gone',
      before: [noBase6],
      params: { ...v6, nic: 'eth0' },
      steps: [['start', 5, []]],
    },
  ])('$name', run);

  test('IPaddr2#66: the address label comes and goes', async () => {
    await net.tsha('start', v6);
    expect(await net.ip('addrlabel')).toContain('prefix 2001:db8:1234::2/128 label 99');
    expect(await net.ip('-6 address show dev eth0')).toContain('2001:db8:1234::2/64 metric 256');
    await net.tsha('stop', v6);
    expect(await net.ip('addrlabel')).not.toContain('2001:db8:1234::2');
  });

  test('IPaddr2#83: flags as asked, no label', async () => {
    const params = {
      ...v6,
      nodad: 'true',
      noprefixroute: 'true',
      preferred_lft: '0',
      lvs_ipv6_addrlabel: 'false',
    };
    expect((await net.tsha('start', params)).code).toBe(0);
    const [, line = ''] = /(2001:db8:1234::2.*)\n/.exec(await net.ip('-6 address show dev eth0')) ?? [];
    expect(line).toMatch(/deprecated/);
    expect(line).toMatch(/nodad/);
    expect(line).toMatch(/noprefixroute/);
    expect(await net.ip('addrlabel')).not.toContain('2001:db8:1234::2');
  });
});
