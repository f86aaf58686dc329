import { paramTable } from '../../lib/contract/params.ts';
import type { Context } from '../../lib/ocf/agent.ts';
import { traceParams } from '../../lib/ocf/trace.ts';

export const params = paramTable({
  ip: { type: 'string', required: true, uniqueGroup: 'ip', short: 'The service address, IPv4 or IPv6' },
  nic: { type: 'string', short: 'Interface that carries the address; from the routes when unset' },
  cidr_netmask: { type: 'string', short: 'Prefix length; from the routes when unset' },
  broadcast: { type: 'string', short: 'IPv4 broadcast address, or + or -' },
  proto: { type: 'string', short: 'Routing protocol of the routes that may decide interface and prefix' },
  iflabel: { type: 'string', short: 'Label of the IPv4 address, without the interface' },
  lvs_support: {
    type: 'boolean',
    default: false,
    short: 'Move the address from lo to nic (LVS direct routing)',
  },
  lvs_ipv6_addrlabel: {
    type: 'boolean',
    default: true,
    short: 'Keep the IPv6 address from being chosen as source of outgoing connections',
  },
  lvs_ipv6_addrlabel_value: {
    type: 'integer',
    default: 99,
    min: 0,
    short: 'Number of the IPv6 address label',
  },
  mac: { type: 'string', short: 'Multicast MAC address of a Cluster-IP' },
  clusterip_firewall: {
    type: 'select',
    options: ['auto', 'nft', 'iptables'],
    default: 'auto',
    short: 'What sorts the clients of a Cluster-IP',
  },
  clusterip_hash_seed: { type: 'string', short: 'Seed of the hash that sorts the clients of a Cluster-IP' },
  clusterip_table: {
    type: 'string',
    default: 'mangle',
    short: 'iptables table of a Cluster-IP; without effect',
  },
  clusterip_chain: {
    type: 'string',
    default: 'PREROUTING',
    short: 'iptables chain of a Cluster-IP; without effect',
  },
  clusterip_mac_mangle: {
    type: 'boolean',
    default: false,
    short: 'Answer ARP requests for a Cluster-IP with its multicast MAC address',
  },
  clusterip_hash: {
    type: 'string',
    default: 'sourceip-sourceport',
    short: 'What a Cluster-IP of old kernels hashed; without effect',
  },
  unique_clone_address: {
    type: 'boolean',
    default: false,
    short: "Add the clone number to the address's last octet",
  },
  arp_interval: {
    type: 'integer',
    default: 200,
    min: 1,
    reloadable: true,
    short: 'Milliseconds between announcements',
  },
  arp_count: { type: 'integer', default: 5, min: 1, reloadable: true, short: 'Announcements after start' },
  arp_count_refresh: {
    type: 'integer',
    default: 0,
    min: 0,
    reloadable: true,
    short: 'Announcements at every monitor',
  },
  arp_bg: { type: 'boolean', reloadable: true, short: 'Announce in the background' },
  arp_sender: {
    type: 'select',
    options: ['send_arp', 'ipoibarping', 'iputils_arping', 'libnet_arping'],
    reloadable: true,
    short: 'Program that announces an IPv4 address',
  },
  send_arp_opts: {
    type: 'string',
    reloadable: true,
    short: 'Extra options for the program that announces',
  },
  flush_routes: { type: 'boolean', default: false, reloadable: true, short: 'Flush the route cache on stop' },
  run_arping: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Ask by ARP whether an IPv4 address is in use before adding it',
  },
  nodad: { type: 'boolean', default: false, short: 'Skip duplicate address detection of an IPv6 address' },
  noprefixroute: { type: 'boolean', default: false, short: 'Do not add the route of the prefix' },
  preferred_lft: {
    type: 'string',
    default: 'forever',
    mayBeEmpty: true,
    short: 'Preferred lifetime of an IPv6 address',
  },
  network_namespace: { type: 'string', short: 'Network namespace of the address' },
  check_link_status: {
    type: 'boolean',
    default: true,
    reloadable: true,
    short: 'Count an address on an interface without link as not running',
  },
  ...traceParams,
});

export type Ctx = Context<typeof params>;
