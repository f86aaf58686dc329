import { heartbeatProgram } from '../../lib/host/heartbeat-programs.ts';
import { firstLine } from '../../lib/host/host.ts';
import { addressFamily } from '../../lib/host/net/address-text.ts';
import { acceptedConnections, connectionsTo } from '../../lib/host/net/tcp.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { readManaged } from '../../lib/host/storage/managed-files.ts';
import type { Ctx } from './params.ts';

// A client whose server is gone sends the same segment again at 0.2, 0.6, 1.4, 3, 6, 13, 25 seconds, and finds the new server with
// the next one: up to twice as late as it could. One segment from the service's address makes it ask at once, and the new server's
// kernel, which knows nothing of that connection, resets it. (What Samba's CTDB and the stock agent portblock call a tickle.)

/** One connection a line: `address:port of the service  address:port of the client`. Moves with the NFS server's state. */
const file = `${stateRoot}/tsha-connections`;
const fact = 'connections';
const nfsPort = 2049;
const limitMs = 2000;
/** More than any server has; the list is on a disk that clients may write to. */
const mostLines = 20_000;

/** What was last written, and how many connections had been accepted then. */
type Known = { readonly text: string; readonly accepted?: number };

/**
 * Keeps the list of connected clients where the next server finds it. Looks when somebody has come, writes when it has changed; never
 * fails.
 */
export async function rememberConnections(ctx: Ctx): Promise<void> {
  const { host, memory, log } = ctx;
  const known = await memory.fact<Known>(fact);
  const accepted = await acceptedConnections(host); // before the list: who comes meanwhile is looked for next time
  if (accepted !== undefined && accepted === known?.accepted) return;
  const note = (text: string) => memory.note(fact, { text, ...(accepted !== undefined && { accepted }) });
  const { families, has } = service(ctx);
  const lines = (await connectionsTo(host, nfsPort, families))
    .filter(({ local }) => has(local.address))
    .map(({ local, remote }) => `${spell(local)} ${spell(remote)}`)
    .sort();
  const text = lines.map((line) => `${line}\n`).join('');
  // a server whose clients are all away for a moment will want to call them
  if (lines.length === 0) return note(known?.text ?? '');
  if (text === known?.text) return note(text);
  // in place where the file exists: new names wait for clients' directory delegations (Linux 6.19)
  for (const how of ['nocreat', 'excl'] as const) {
    const argv = ['dd', `of=${file}`, `conv=${how},fsync`, 'oflag=nofollow', 'status=none'] as const;
    const { code, hung } = await host.tryRun(argv, { input: text, timeoutMs: limitMs });
    if (code === 0) return note(text);
    if (hung) return log.debug(`${file} cannot be written: ${hung}`);
  }
}

/** Makes the clients of the server that was here before, or on the other node, connect anew now. Never fails. */
export async function reconnectClients({ host, log, memory }: Ctx): Promise<void> {
  await memory.note(fact, undefined); // the other node may have written the file since
  const text = await readManaged(host, file, limitMs).catch(() => undefined);
  const here = new Set((await host.sys.runningAddresses()).map(({ address }) => address));
  const lines = (text ?? '')
    .split('\n', mostLines)
    .filter(
      (line) => isConnection(line) && here.has(line.slice(0, line.lastIndexOf(':', line.indexOf(' ')))),
    );
  if (lines.length === 0) return;
  const program = await heartbeatProgram(host, 'tickle_tcp');
  if (program === undefined)
    return log.info(
      'tickle_tcp of resource-agents is not installed: clients find out later that the server moved',
    );
  const input = lines.map((line) => `${line}\n`).join('');
  const { code, stderr, hung } = await host.tryRun([program], { input, timeoutMs: limitMs });
  if (code === 0) log.info(`${lines.length} connections of clients are begun anew`);
  else log.warn(`clients find out later that the server moved: ${program}: ${hung ?? firstLine(stderr)}`);
}

const spell = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  `${address}:${port}`;

function isConnection(line: string): boolean {
  const ends = /^(\S+):2049 (\S+):\d{1,5}$/.exec(line);
  return (
    ends !== null &&
    addressFamily(ends[1] ?? '') !== 0 &&
    addressFamily(ends[1] ?? '') === addressFamily(ends[2] ?? '')
  );
}

type Service = { readonly families: ReadonlySet<number>; has(address: string): boolean };

/** Where source_host names hosts, looking them up at every monitor would cost more than a few lines too many. */
function service({ params }: Ctx): Service {
  const named = (params.source_host ?? '').split(',').map((text) => text.trim().replace(/^\[(.*)\]$/, '$1'));
  const families = new Set(named.map(addressFamily));
  // nfsd's sockets for IPv6 take no IPv4
  if (!families.has(0)) return { families, has: (address) => named.includes(address) };
  return {
    families: new Set([4, 6]),
    has: (address) => address !== '::1' && !address.startsWith('127.'),
  };
}
