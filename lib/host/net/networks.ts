import ipaddr from 'ipaddr.js';

/** Whether `ip` lies in the network of `address`/`prefix`; both of one family, else false. */
export function contains(address: string, prefix: number, ip: string): boolean {
  const [network, member] = [ipaddr.parse(address), ipaddr.parse(ip)];
  return network.kind() === member.kind() && member.match(network, prefix);
}
