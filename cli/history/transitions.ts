import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { parseXml } from '../facts/xml.ts';
import { type Event, merged } from './event.ts';
import { eventsInCib } from './operations.ts';

const folder = '/var/lib/pacemaker/pengine';
/** The newest ones: reading one costs a process. */
const most = 20;

/**
 * Pacemaker keeps the CIB that each decision was made on, on the node that decided (the DC). Together they know far more actions than the CIB
 * of this moment, and those of a node that has died since. None where this node has decided nothing in that time.
 */
export async function eventsInTransitions(host: Host, since: number): Promise<readonly Event[]> {
  const argv: Argv = ['find', folder, '-maxdepth', '1', '-name', 'pe-*.bz2', '-printf', '%T@ %f\\n'];
  const answer = await host.tryRun(argv, { timeoutMs: 5000 });
  if (answer.code !== 0) throw commandFailure(argv, answer);
  const files = answer.stdout
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([time, name]) => Number(time) * 1000 >= since && name !== undefined)
    .sort(([one], [other]) => Number(other) - Number(one))
    .slice(0, most);
  const tellings: (readonly Event[])[] = [];
  for (const [, name = ''] of files)
    tellings.push(eventsInCib(parseXml(await inputOf(host, name)), 'transition'));
  return merged(...tellings).filter(({ at }) => at >= since);
}

/** Pacemaker's own tool unpacks it. In a file, since no program can open our pipes by name. */
async function inputOf(host: Host, name: string): Promise<string> {
  const drafts = mkdtempSync(join(tmpdir(), 'tsha-history-'));
  try {
    const unpacked = join(drafts, 'cib.xml');
    const argv: Argv = [
      'crm_simulate',
      `--xml-file=${folder}/${name}`,
      '--quiet',
      `--save-input=${unpacked}`,
    ];
    const answer = await host.tryRun(argv, { timeoutMs: 10_000 });
    if (answer.code !== 0) throw commandFailure(argv, answer);
    return readFileSync(unpacked, 'utf8');
  } finally {
    rmSync(drafts, { recursive: true, force: true });
  }
}
