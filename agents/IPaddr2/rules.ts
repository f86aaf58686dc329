import type { Params } from '../../lib/contract/params.ts';
import type { Request } from '../../lib/contract/request.ts';
import { canonicalIp } from '../../lib/host/net/address-text.ts';
import { isFileName } from '../../lib/host/sys/file-names.ts';
import type { params } from './params.ts';
import {
  familyOf,
  globallyUnique,
  hashSeed,
  isLinkLocal,
  longestLabel,
  multicastMac,
  nicAndLabel,
  prefixLength,
  shareOf,
  wantedIp,
} from './wanted.ts';

type Given = Params<typeof params>;

/** What is wrong whatever the host. */
export const rules = (given: Given, request: Request): readonly string[] => [
  ...(request.action === 'start' ? [] : spellingRules(given)),
  ...interfaceRules(given),
  ...lifetimeRules(given),
  ...lvsRules(given),
  ...cloneRules(given, request),
];

/** Text that is no address. Start asks by itself: since 4.17 the stock agent's answers "not installed" to these. */
export function spellingRules(given: Given): readonly string[] {
  const ip = canonicalIp(given.ip);
  if (ip === undefined || /^0\./.test(ip)) return [`ip=${given.ip} is not an IPv4 or IPv6 address`];
  return familyOf(ip) === 'inet' ? ipv4Rules(given) : ipv6Rules(given, ip);
}

function ipv4Rules({ cidr_netmask, broadcast }: Given): readonly string[] {
  const problems: string[] = [];
  if (cidr_netmask !== undefined && prefixLength(cidr_netmask, 'inet') === undefined)
    problems.push(`cidr_netmask=${cidr_netmask} is not a prefix length from 1 to 32`);
  if (broadcast !== undefined && !isBroadcast(broadcast))
    problems.push(`broadcast=${broadcast} is not an IPv4 address, + or -`);
  return problems;
}

const isBroadcast = (text: string): boolean =>
  text === '+' || text === '-' || (canonicalIp(text) !== undefined && !text.includes(':'));

function ipv6Rules(given: Given, ip: string): readonly string[] {
  const { cidr_netmask, broadcast } = given;
  const { nic } = nicAndLabel(given);
  const problems: string[] = [];
  if (cidr_netmask !== undefined && prefixLength(cidr_netmask, 'inet6') === undefined)
    problems.push(`cidr_netmask=${cidr_netmask} is not a prefix length from 1 to 128`);
  if (broadcast !== undefined) problems.push('broadcast is for IPv4: IPv6 has none');
  if (isLinkLocal(ip) && nic === undefined)
    problems.push(`nic is needed: the link-local address ${ip} exists on every interface`);
  return problems;
}

function interfaceRules(given: Given): readonly string[] {
  const { nic, label } = nicAndLabel(given);
  const { ip, network_namespace: namespace } = given;
  const problems: string[] = [];
  if (label !== undefined && ip.includes(':'))
    problems.push('iflabel is for IPv4: the kernel keeps no label of an IPv6 address');
  if (nic !== undefined && !/^[^\s/]+$/.test(nic)) problems.push(`nic=${given.nic} is not an interface name`);
  if (nic && label !== undefined && `${nic}:${label}`.length > longestLabel)
    problems.push(`label ${nic}:${label} is longer than ${longestLabel} characters`);
  if (namespace !== undefined && !isFileName(namespace))
    problems.push(`network_namespace=${namespace} is not a name of a network namespace`);
  return problems;
}

const lifetimeRules = ({ preferred_lft: lifetime }: Given): readonly string[] =>
  /^(forever|\d+)$/.test(lifetime)
    ? []
    : [`preferred_lft="${lifetime}" is neither "forever" nor a number of seconds`];

const lvsRules = ({ ip, lvs_support }: Given): readonly string[] =>
  lvs_support && ip.includes(':') ? ['lvs_support is for IPv4'] : [];

function cloneRules(given: Given, request: Request): readonly string[] {
  const { ip, lvs_support, unique_clone_address } = given;
  const cloneMax = request.meta('clone_max') || undefined;
  if (cloneMax !== undefined && !/^[1-9]\d*$/.test(cloneMax))
    return [`clone-max=${cloneMax} is not a positive number`];
  if (unique_clone_address) {
    if (!globallyUnique(request)) return ['unique_clone_address needs meta attribute globally-unique=true'];
    if (ip.includes(':')) return ['unique_clone_address is for IPv4'];
    if (canonicalIp(ip) !== undefined && wantedIp(given, request) === undefined)
      return [`ip=${ip} plus clone number ${request.meta('clone')} leaves its last octet`];
    return [];
  }
  if (Number(cloneMax ?? 1) > 1 && lvs_support)
    return ['lvs_support and a clone of more than one instance exclude each other'];
  return shareOf(given, request) ? shareRules(given) : [];
}

function shareRules(given: Given): readonly string[] {
  const { ip, mac, clusterip_firewall, clusterip_hash_seed: seed, clusterip_mac_mangle } = given;
  const problems: string[] = [];
  if (clusterip_firewall === 'iptables')
    problems.push('clusterip_firewall=iptables is not supported: nft does the same, set auto or nft');
  if (seed !== undefined && hashSeed(seed) === undefined)
    problems.push(`clusterip_hash_seed=${seed} is not a number of 32 bits, decimal or 0x...`);
  if (mac !== undefined && multicastMac(mac) === undefined)
    problems.push(`mac=${mac} is not a multicast MAC address: six octets, the first of them odd`);
  if (clusterip_mac_mangle && ip.includes(':')) problems.push('clusterip_mac_mangle is for IPv4');
  return problems;
}
