import { heartbeatProgram } from '../../lib/host/heartbeat-programs.ts';
import { firstLine } from '../../lib/host/host.ts';
import { addressFamily } from '../../lib/host/net/address-text.ts';
import { stateRoot } from '../../lib/host/nfs/state-root.ts';
import { beneath } from '../../lib/host/storage/beneath.ts';
import { listFact, listFile, listMs } from './connections.ts';
import type { Ctx } from './params.ts';

/** More than any server has; the list is on a disk that clients may write to. */
const mostLines = 20_000;
const longestList = mostLines * 100; // bytes; an address with its port has 47 at most

/** What this node wrote last may not be in the file any more: the other node writes it, too. */
export const forgetList = ({ memory }: Ctx): Promise<void> => memory.hint(listFact, undefined);

/**
 * Makes the clients of the server that was here before, or on the other node, connect anew now. Never fails, and notes nothing: a start does
 * other things meanwhile.
 */
export async function reconnectClients({ host, log }: Ctx): Promise<void> {
  const ask = { path: listFile, most: longestList };
  const text = await beneath(host, stateRoot, 'readFile', ask, { timeoutMs: listMs }).catch(
    ({ message }: Error) => {
      log.info(`nobody is called back: ${message}`);
      return null;
    },
  );
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
  const { code, stderr, hung } = await host.tryRun([program], { input, timeoutMs: listMs });
  if (code === 0) log.info(`${lines.length} connections of clients are begun anew`);
  else log.warn(`clients find out later that the server moved: ${program}: ${hung ?? firstLine(stderr)}`);
}

function isConnection(line: string): boolean {
  const ends = /^(\S+):2049 (\S+):\d{1,5}$/.exec(line);
  return (
    ends !== null &&
    addressFamily(ends[1] ?? '') !== 0 &&
    addressFamily(ends[1] ?? '') === addressFamily(ends[2] ?? '')
  );
}
