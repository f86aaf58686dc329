import type { Host } from '../host.ts';
import type { Resource } from './state.ts';

/** Two nodes whose data has gone two ways: the data generations that DRBD compared when it refused to connect them. */
export type SplitBrain = {
  /** Current UUID of the data, 16 hexadecimal digits; empty when the log no longer has it. */
  readonly here: string;
  readonly there: string;
};

const logMs = 2000;

/** What the kernel's log says; nothing when it cannot be read or has been overwritten. */
export async function splitBrain(host: Host, resource: Resource): Promise<SplitBrain | undefined> {
  const output = await host.tryRun(['dmesg'], { timeoutMs: Math.min(logMs, host.left() / 4) });
  return splitBrainIn(output.stdout, resource);
}

/**
 * The last split brain in the kernel's log, of DRBD 8.4 and 9, unless a later handshake went well. It stays one when an
 * administrator disconnects after it.
 */
export function splitBrainIn(log: string, { name, devices }: Resource): SplitBrain | undefined {
  const prefixes = [
    `drbd ${name}/`,
    `drbd ${name}:`,
    `drbd ${name} `,
    ...devices.map(({ minor }) => `block drbd${minor}:`),
  ];
  let found: SplitBrain | undefined;
  const uuid = { self: '', peer: '' };
  for (const line of log.split('\n')) {
    if (!prefixes.some((prefix) => line.includes(prefix))) continue;
    const [, side, current = ''] = /: (self|peer) ([0-9A-F]{16}):/.exec(line) ?? [];
    if (side === 'self' || side === 'peer') uuid[side] = current;
    if (isSplit.test(line)) found = { here: uuid.self, there: uuid.peer };
    else if (isReunion.test(line)) found = undefined;
  }
  return found;
}

/** The handler's end is the last trace where the message itself is no longer in the buffer. */
const isSplit = /: Split-Brain detected but unresolved|: helper command: \S+ split-brain(?: |$)/;
const isReunion =
  /repl\( \w+ -> (?:Established|WFBitMap|Sync)|conn\( WFReportParams -> (?:Connected|WFBitMap|Sync)/;
