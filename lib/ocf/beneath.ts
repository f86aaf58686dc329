import { spawnSync } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { type Order, perform } from '../host/jobs.ts';
import type { RunTool } from '../host/storage/file-jobs.ts';
import { textOf } from '../host/sys/bytes.ts';
import { openDirectory } from '../host/sys/open-directory.ts';

// The action `beneath`, as which agents start themselves for work on files of others: a child can be left behind in the kernel.

const runTool: RunTool = ([file, ...args], input) => {
  const { status, stdout, stderr } = spawnSync(file, args, {
    input: input ?? '',
    cwd: '/',
    maxBuffer: 1024 * 1024,
  });
  return { code: status ?? 1, stdout: textOf(stdout ?? Buffer.of()), stderr: textOf(stderr ?? Buffer.of()) };
};

/** Reads an order from standard input and answers it on standard output. */
export function serveBeneath(): void {
  const order = JSON.parse(readFileSync(0, 'utf8')) as Order;
  const text = Buffer.from(JSON.stringify(perform(order, openDirectory, runTool)));
  for (let done = 0; done < text.length; ) {
    try {
      done += writeSync(1, text, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
