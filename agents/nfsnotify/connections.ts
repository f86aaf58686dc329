import { wordsOf } from '../../lib/contract/reason.ts';
import { addressFamily, canonicalIp } from '../../lib/host/net/address-text.ts';
import { acceptedConnections, connectionsTo } from '../../lib/host/net/tcp.ts';
import { stateRoot } from '../../lib/host/nfs/state-root.ts';
import type { Ctx } from './params.ts';

// A client whose server is gone sends the same segment again at 0.2, 0.6, 1.4, 3, 6, 13, 25 seconds, and finds the new server with
// the next one: up to twice as late as it could. One segment from the service's address makes it ask at once, and the new server's
// kernel, which knows nothing of that connection, resets it. (What Samba's CTDB and the stock agent portblock call a tickle.)

/**
 * Moves with the NFS server's state, in the directory of which it lies. One connection a line:
 *
 *     192.0.2.20:2049 192.0.2.51:871
 *     (1)             (2)
 *
 * (1) address and port of the service, (2) of the client. IPv6 addresses stand without brackets. tickle_tcp reads the same.
 */
export const listFile = 'tsha-connections';
export const listFact = 'connections';
const nfsPort = 2049;
export const listMs = 2000;
/** What was last written, and how many connections had been accepted then. */
type Known = { readonly text: string; readonly accepted?: number };

/**
 * Writes down which clients are connected, where the next server finds it. Looks only when the kernel has accepted a connection since
 * the last time, writes only when the list has changed. Never fails.
 */
export async function rememberConnections(ctx: Ctx): Promise<void> {
  const { host, memory, log } = ctx;
  const known = await memory.fact<Known>(listFact);
  // counted before the list is read: a client that comes in between makes the next call look again
  const accepted = await acceptedConnections(host);
  if (accepted !== undefined && accepted === known?.accepted) return;
  const note = (text: string) => memory.hint(listFact, { text, ...(accepted !== undefined && { accepted }) });
  const { families, has } = service(ctx);
  const lines = (await connectionsTo(host, nfsPort, families))
    .filter(({ local }) => has(local.address))
    .map(({ local, remote }) => `${spell(local)} ${spell(remote)}`)
    .sort();
  const text = lines.map((line) => `${line}\n`).join('');
  // without a connection the written list stays: clients that a cut network took away are those the next server must call
  if (lines.length === 0) return note(known?.text ?? '');
  if (text === known?.text) return note(text);
  try {
    const { beneath } = await import('../../lib/host/storage/beneath.ts');
    await beneath(host, stateRoot, 'writeFile', { path: listFile, text }, { timeoutMs: listMs });
    await note(text);
  } catch (error) {
    log.debug(`${stateRoot}/${listFile} cannot be written: ${wordsOf(error)}`);
  }
}

const spell = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  `${address}:${port}`;

/** An address as it is read from the kernel: in canonical text. */
function inCanonicalText(text: string): string {
  const name = text.trim().replace(/^\[(.*)\]$/, '$1');
  return canonicalIp(name) ?? name;
}

type Service = { readonly families: ReadonlySet<number>; has(address: string): boolean };

/**
 * The addresses that clients connect to. A host name in source_host stands for every address but loopback: asking DNS at every monitor
 * would cost more than some lines too many do.
 */
function service({ params }: Ctx): Service {
  const named = (params.source_host ?? '').split(',').map(inCanonicalText);
  const families = new Set(named.map(addressFamily));
  // nfsd's sockets for IPv6 take no IPv4
  if (!families.has(0)) return { families, has: (address) => named.includes(address) };
  return {
    families: new Set([4, 6]),
    has: (address) => address !== '::1' && !address.startsWith('127.'),
  };
}
