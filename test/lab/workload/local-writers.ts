import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportedFolder } from '../cluster/configuration.ts';
import type { Lab } from '../machines/lab.ts';
import { hostNumber, type NodeName } from '../settings.ts';
import { type Attempt, parseJournal } from './journal.ts';

/** A program on each node that writes whenever that node has the file system; its journal is kept here, out of reach of any fault. */
export class LocalWriters {
  static readonly file = `${exportedFolder}/records`;
  readonly #lab: Lab;
  readonly #attempts: (Attempt & { node: NodeName })[] = [];
  readonly #connections = new Set<ChildProcess>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Once per life of the node. Whoever unmounts a busy file system may kill the program: then it begins anew. */
  start(node: NodeName): void {
    const program = `python3 /root/lab/local-writer.py ${LocalWriters.file} ${hostNumber[node]}`;
    const connection = this.#lab.machine(node).follow(`until ${program}; [ $? -lt 128 ]; do :; done`);
    this.#connections.add(connection);
    createInterface({ input: connection.stdout }).on('line', (line) => {
      for (const attempt of parseJournal(`${line}\n`)) this.#attempts.push({ ...attempt, node });
    });
  }

  stop(): void {
    for (const connection of this.#connections) connection.kill();
    this.#connections.clear();
  }

  get attempts(): readonly (Attempt & { node: NodeName })[] {
    return this.#attempts;
  }

  get acknowledged(): number[] {
    return this.#attempts.filter(({ outcome }) => outcome === 'ok').map(({ number }) => number);
  }

  /** A number of records that were begun after a moment are acknowledged. */
  async write(count: number, since: number, signal: AbortSignal): Promise<void> {
    const isNew = ({ outcome, start }: Attempt): boolean => outcome === 'ok' && start >= since;
    while (this.#attempts.filter(isNew).length < count) await sleep(50, undefined, { signal });
  }
}
