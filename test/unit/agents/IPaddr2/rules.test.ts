import { describe, expect, test } from 'vitest';
import { ipaddr2 } from '../../../../agents/IPaddr2/agent.ts';
import { runAction } from '../../../../lib/ocf/run.ts';
import { FakeMachine } from '../../../fake/machine.ts';
import { silentLog } from '../../../fake/story.ts';

/** A machine with a loopback interface and nothing else. */
const bare = (params: Readonly<Record<string, string>>) =>
  new FakeMachine(
    Object.fromEntries(Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value])),
  ).on('ip', (args) =>
    args.includes('address') || args.includes('route')
      ? '[{"ifname":"lo","ifindex":1,"flags":["UP"],"addr_info":[]}]'.replace(
          /.*/,
          args.includes('route') ? '[]' : '$&',
        )
      : undefined,
  );

const codeOf = async (action: string, params: Readonly<Record<string, string>>) =>
  (await runAction(ipaddr2, action, bare(params), silentLog)).code;

const ip = '192.168.144.2';
const v6 = '2001:db8:1234::2';
const unique = { CRM_meta_globally_unique: 'true', CRM_meta_clone: '3', CRM_meta_clone_max: '4' };

describe('parameters that no host could serve', () => {
  test.each([
    ['IPaddr2#4,44: a name', { ip: 'not_ip_address' }],
    ['IPaddr2#44: an octet too large', { ip: '192.168.144.256' }],
    ['IPaddr2#44: an octet missing', { ip: '192.168.144' }],
    ['IPaddr2#44: network 0', { ip: '0.1.2.3' }],
    ['IPaddr2#44: octal', { ip: '192.168.144.012' }],
    ['IPaddr2#81: two gaps', { ip: '2001:db8:::::2' }],
    ['IPaddr2#80: letters beyond f', { ip: '2001:db8::zz' }],
    ['a zone', { ip: 'fe80::1%eth0', nic: 'eth0' }],
    ['IPaddr2#8: prefix 33', { ip, cidr_netmask: '33' }],
    ['IPaddr2#8: prefix 0', { ip, cidr_netmask: '0' }],
    ['IPaddr2#8: prefix -1', { ip, cidr_netmask: '-1' }],
    ['IPaddr2#7: prefix in words', { ip, cidr_netmask: 'not_netmask' }],
    ['a mask with holes', { ip, cidr_netmask: '255.0.255.0' }],
    ['IPaddr2#80: prefix 129', { ip: v6, cidr_netmask: '129' }],
    ['a dotted mask for IPv6', { ip: v6, cidr_netmask: '255.255.255.0' }],
    ['IPaddr2#11: broadcast', { ip, broadcast: 'not_broadcast' }],
    ['broadcast for IPv6', { ip: v6, broadcast: '+' }],
    ['IPaddr2#70: link-local without nic', { ip: 'fe80::2' }],
  ])('%s: validate-all 6, start 5', async (_name, params) => {
    expect([await codeOf('validate-all', params), await codeOf('start', params)]).toEqual([6, 5]);
  });

  test.each([
    ['IPaddr2#2: no ip', {}],
    ['IPaddr2#27: label too long', { ip, nic: 'eth0', iflabel: 'elevenchars' }],
    ['IPaddr2#27: label too long in nic', { ip, nic: 'eth0:elevenchars' }],
    ['IPaddr2#86: label for IPv6', { ip: v6, iflabel: 'foo' }],
    ['IPaddr2#82: lvs_support for IPv6', { ip: v6, lvs_support: 'true' }],
    ['IPaddr2#82: address label in words', { ip: v6, lvs_ipv6_addrlabel_value: 'x' }],
    ['IPaddr2#82: negative address label', { ip: v6, lvs_ipv6_addrlabel_value: '-1' }],
    ['preferred_lft in words', { ip: v6, preferred_lft: 'soon' }],
    ['IPaddr2#87: no preferred_lft', { ip, preferred_lft: '' }],
    ['IPaddr2#88: no announcements', { ip, arp_count: '0' }],
    ['IPaddr2#88: no interval', { ip, arp_interval: '0' }],
    ['IPaddr2#89: unknown sender', { ip, arp_sender: 'foo' }],
    ['nic with a slash', { ip, nic: '../eth0' }],
    ['namespace with a slash', { ip, network_namespace: '../blue' }],
    ['IPaddr2#93: clone-max in words', { ip, CRM_meta_clone_max: 'x' }],
    ['IPaddr2#92: LVS director cloned', { ip, lvs_support: 'true', CRM_meta_clone_max: '2' }],
    [
      'IPaddr2#94: unique_clone_address of an anonymous clone',
      { ip, unique_clone_address: 'true', CRM_meta_clone: '3', CRM_meta_clone_max: '4' },
    ],
    ['a clone beyond the octet', { ip: '192.168.144.254', unique_clone_address: 'true', ...unique }],
    ['unique_clone_address for IPv6', { ip: v6, unique_clone_address: 'true', ...unique }],
    ['IPaddr2#107: Cluster-IP with a unicast MAC', { ip, mac: '02:00:5e:00:00:01', ...unique }],
    ['IPaddr2#107: Cluster-IP with half a MAC', { ip, mac: '01:00:5e', ...unique }],
    ['IPaddr2#107: Cluster-IP with a seed in words', { ip, clusterip_hash_seed: 'salt', ...unique }],
    ['Cluster-IP with a seed beyond 32 bits', { ip, clusterip_hash_seed: '0x123456789', ...unique }],
    ['Cluster-IP with iptables', { ip, clusterip_firewall: 'iptables', ...unique }],
    ['Cluster-IP, ARP of an IPv6 address', { ip: v6, clusterip_mac_mangle: 'true', ...unique }],
    ['Cluster-IP and LVS', { ip, lvs_support: 'true', ...unique }],
    ['a boolean that is none', { ip, nodad: 'perhaps' }],
  ])('%s: both 6', async (_name, params) => {
    expect([await codeOf('validate-all', params), await codeOf('start', params)]).toEqual([6, 6]);
  });

  test.each([
    ['ip only', { ip }],
    ['dotted mask', { ip, cidr_netmask: '255.255.255.0' }],
    ['broadcast -', { ip, broadcast: '-' }],
    ['IPv6', { ip: '2001:DB8:0:0::2', cidr_netmask: '64' }],
    ['IPv4 in IPv6', { ip: '::ffff:10.0.0.1' }],
    ['an address label for IPv4', { ip, lvs_ipv6_addrlabel: 'true' }],
    ['IPaddr2#104: what Cluster-IP hashed once', { ip, clusterip_hash: 'sourceip' }],
    ['an interface that is not here', { ip, nic: 'nope' }],
    ['anonymous clone', { ip, nic: 'lo', CRM_meta_clone_max: '2' }],
    ['Cluster-IP', { ip, mac: '01-00-5e-00-00-01', clusterip_hash_seed: '0xdeadbeef', ...unique }],
    ['iptables and a MAC where there is no Cluster-IP', { ip, clusterip_firewall: 'iptables', mac: 'x' }],
    ['a clone with its own addresses', { ip, unique_clone_address: 'true', ...unique }],
    ['lifetime', { ip: v6, preferred_lft: '0' }],
  ])('right: %s', async (_name, params) => {
    const machine = bare(params);
    expect((await runAction(ipaddr2, 'validate-all', machine, silentLog)).code).toBe(0);
    expect(machine.journal).toEqual([]); // parameters only: no look at the host
  });
});

describe('with impossible parameters the machine is asked as far as it goes', () => {
  const recurring = { CRM_meta_interval: '10000' };
  test.each([
    ['IPaddr2#5: no address', { ip: 'not_ip_address' }, 7, 1, 0],
    ['IPaddr2#3: none at all', {}, 7, 6, 0],
    ['IPaddr2#9: no prefix', { ip, cidr_netmask: 'not_netmask' }, 7, 1, 0],
    ['IPaddr2#89: unknown sender, as a reload would change it', { ip, arp_sender: 'foo' }, 7, 7, 0],
    ['too long a label', { ip, nic: 'eth0', iflabel: 'elevenchars' }, 7, 1, 0],
  ] as const)('%s', async (_name, params, probe, monitor, stop) => {
    expect([
      await codeOf('monitor', params),
      await codeOf('monitor', { ...params, ...recurring }),
      await codeOf('stop', params),
    ]).toEqual([probe, monitor, stop]);
  });
});
