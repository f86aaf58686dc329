import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import type { Run } from '../scenarios/run.ts';
import { labFolder, projectFolder } from '../settings.ts';
import type { FaultOptions } from './options.ts';

/** What came of one fault. */
export interface FaultRecord {
  /** In the schedule. */
  number: number;
  kind: string;
  target: string;
  /** Seconds since the first fault of the run, when it began and when all was well again. */
  at: number;
  until: number;
  /** The cluster came back by itself. */
  survived: boolean;
  /** A person had to see to it. */
  human: boolean;
  wrongs: string[];
  /** What the machine kept the books from telling. */
  notJudged?: string[];
  /** Nodes that the cluster switched off. */
  fenced?: string[];
  /** Acknowledged records. */
  lost: number;
  /** Of the three clients with a lock. */
  locksTold: number;
  locksSilent: number;
  /** Seconds by NFS version, and what was waited for from the end of the fault. */
  pauses: Record<string, number>;
  waits?: Record<string, number>;
}

/** One run, one line of the ledger. */
export interface RunRecord {
  date: string;
  commit: string;
  suite: string;
  provider: string;
  fencing: boolean;
  seed: number;
  faults: FaultRecord[];
}

const ledgerFile = join(labFolder, 'faults/ledger.jsonl');

/** What a run tries: the tree as it is when it begins. */
export async function commitHere(): Promise<string> {
  const head = ['rev-parse', '--short', 'HEAD'];
  return (await execa('git', head, { cwd: projectFolder, reject: false })).stdout;
}

export async function record(
  { plan }: Run,
  { seed }: FaultOptions,
  commit: string,
  faults: FaultRecord[],
): Promise<void> {
  const line: RunRecord = {
    date: new Date().toISOString().slice(0, 10),
    commit,
    suite: plan.suite,
    provider: plan.provider,
    fencing: plan.campaign === 'fenced',
    seed,
    faults,
  };
  await appendFile(ledgerFile, `${JSON.stringify(line)}\n`);
}

export async function readLedger(): Promise<RunRecord[]> {
  if (!(await fs.pathExists(ledgerFile))) return [];
  const text = await readFile(ledgerFile, 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunRecord);
}
