// What a monitor needs to know of an address, by what the platform has anyway: ipaddr.js takes a fifteenth of its time to load,
// node:net a quarter.

/** As `isIP` of node:net: 0 for what is no address. A zone (`fe80::1%eth0`) belongs to one. */
export function addressFamily(text: string): 4 | 6 | 0 {
  if (isIPv4(text)) return 4;
  return canonicalIPv6(text.replace(/%.+$/s, '')) === undefined ? 0 : 6;
}

/** One text for every spelling of an address (RFC 5952, hexadecimal throughout), `undefined` for what is none. No zone (`%eth0`), no short or octal IPv4. */
export const canonicalIp = (text: string): string | undefined => (isIPv4(text) ? text : canonicalIPv6(text));

/** Four decimal numbers without leading zeros have one spelling only. */
const isIPv4 = (text: string): boolean =>
  /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/.test(text);

/** The way URLs write it. */
function canonicalIPv6(text: string): string | undefined {
  if (!/^[\da-f:.]+$/i.test(text) || !text.includes(':')) return undefined;
  try {
    return new URL(`http://[${text}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}
