import type { Host } from '../host.ts';
import { readIfThere } from '../local-files.ts';
import { canonicalIp } from './address-text.ts';

/** `address` in canonical text. */
export type Endpoint = { readonly address: string; readonly port: number };
/** As this machine sees it: `local` is the end that is here. */
export type Connection = { readonly local: Endpoint; readonly remote: Endpoint };

const established = '01';

type ByteOrder = 'LE' | 'BE';
const byteOrder = (): ByteOrder => (new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'LE' : 'BE');

/**
 * The connections in the text of /proc/net/tcp or tcp6 that are up, proc_net_tcp(5):
 *
 *        0: 1400000A:0801 1500000A:03E5 01 00000000:00000000 02:000003E8 00000000     0        0 21345 2 …
 *       (1) (2)           (3)          (4) …
 *
 * (1) slot, (2) local and (3) remote end, as `endpoint` reads them, (4) state, 01 is established. tcp6 has addresses of 32 digits. IPv4 in
 * IPv6 comes out as IPv4.
 */
export const parseTcp = (text: string, order = byteOrder()): readonly Connection[] =>
  text.split('\n').flatMap((line) => {
    const [, local, remote, state] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || state !== established) return [];
    return { local: endpoint(local, order), remote: endpoint(remote, order) };
  });

/** `1400000A:0801` is 10.0.0.20 port 2049: 32-bit words in the machine's own order, the port in hexadecimal. */
function endpoint(text: string, order: ByteOrder): Endpoint {
  const [hex = '', port = ''] = text.split(':');
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => {
    const inOrder = [...Buffer.from(word, 'hex')];
    return order === 'LE' ? inOrder.reverse() : inOrder;
  });
  return { address: addressOf(bytes), port: Number.parseInt(port, 16) };
}

function addressOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (isMapped) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  const text = groups.join(':');
  return canonicalIp(text) ?? text;
}

/**
 * How many connections this machine has accepted since it booted: as long as it stays the same, nobody has come. `undefined` where the
 * kernel does not tell. Costs a hundredth of what the connections themselves do.
 */
export async function acceptedConnections({ sys }: Host): Promise<number | undefined> {
  // Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens …
  // Tcp: 1 200 120000 -1 12 34 …
  const lines = ((await readIfThere({ sys }, '/proc/net/snmp')) ?? '').split('\n');
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith('Tcp: '))
    .map((line) => line.split(' '));
  const accepted = Number(values[names.indexOf('PassiveOpens')]);
  return Number.isInteger(accepted) ? accepted : undefined;
}

/**
 * The connections of these families that are up between a port of this machine and anyone. Each family costs milliseconds: the
 * kernel walks the whole of a table that is sized by the machine's memory.
 */
export async function connectionsTo(
  { sys }: Host,
  port: number,
  families: ReadonlySet<number>,
): Promise<readonly Connection[]> {
  const files = [
    ...(families.has(4) ? ['/proc/net/tcp'] : []),
    ...(families.has(6) ? ['/proc/net/tcp6'] : []),
  ];
  const tables = await Promise.all(files.map((path) => readIfThere({ sys }, path))); // tcp6: not without IPv6
  return tables.flatMap((text) => parseTcp(text ?? '')).filter(({ local }) => local.port === port);
}
