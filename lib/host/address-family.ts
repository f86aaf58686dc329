import ipaddr from 'ipaddr.js';

/** As `isIP` of node:net, which takes 2 ms to load: 0 for what is no address. A zone (`fe80::1%eth0`) belongs to one. */
export function addressFamily(text: string): 4 | 6 | 0 {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return 4;
  return ipaddr.IPv6.isValid(text) ? 6 : 0;
}
