import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installedStock } from '../stock.ts';
import { openSandbox, recurring, type Sandbox, type Type } from './sandbox.ts';

// The same state, the same actions, for our agent and for the stock one (resource-agents 4.12). Where the codes differ the
// difference is deliberate: docs/differences/Filesystem.md has a row for it.

export type Params = { readonly [name: string]: string };
export type Step = {
  /** `probe` is a monitor without interval. */
  readonly do: string;
  readonly with?: { readonly [name: string]: string | number };
  readonly before?: (s: Sandbox, params: Params) => Promise<unknown> | unknown;
  readonly ours: number;
  /** Only where it is another one. */
  readonly stock?: number;
  /** Mount points below the sandbox afterwards, in any order; how the stock agent leaves them where that differs. */
  readonly mounts?: readonly string[];
  readonly stockMounts?: readonly string[];
};
export type Row = {
  readonly what: string;
  /** A type of filesystem that not every kernel has. */
  readonly needs?: string;
  readonly prepare: (s: Sandbox, dir: string) => Promise<Params>;
  readonly steps: readonly Step[];
};

export const onDisk =
  (type: Type) =>
  async (s: Sandbox, dir: string): Promise<Params> => ({
    device: await s.disk(type),
    directory: `${dir}/m`,
    fstype: type,
  });

async function kernelKnows(type: string): Promise<boolean> {
  await execa('modprobe', [type], { reject: false });
  return readFileSync('/proc/filesystems', 'utf8')
    .split('\n')
    .some((line) => line.split('\t').at(-1) === type);
}

const sourceIsWritable = async (s: Sandbox, { device }: Params) => s.run('touch', `${device}/written`);

/** One test per row and agent, all in one sandbox per agent. */
export function testParity(rows: readonly Row[]): void {
  test('the stock agent is installed: package resource-agents', () =>
    expect(existsSync(join(installedStock.agents, 'Filesystem'))).toBe(true));

  describe.each(['ours', 'stock'] as const)('%s', (agent) => {
    let sandbox: Sandbox;
    let count = 0;
    beforeAll(async () => {
      sandbox = await openSandbox();
    });
    afterAll(() => sandbox.close());

    test.for(rows.map((row) => [row.what, row] as const))('%s', async ([, row], { skip }) => {
      const { needs, prepare, steps } = row;
      if (needs && !(await kernelKnows(needs))) {
        console.warn(`skipped: this kernel has no ${needs}`);
        skip(`this kernel has no ${needs}`);
      }
      const dir = join(sandbox.folder, `row${count++}`);
      mkdirSync(dir);
      const params = await prepare(sandbox, dir);
      try {
        for (const [at, step] of steps.entries()) {
          await step.before?.(sandbox, params);
          const action = step.do === 'probe' ? 'monitor' : step.do;
          const answer = await sandbox[agent](action, {
            ...params,
            ...(step.do === 'monitor' ? recurring : {}),
            ...step.with,
          });
          const code = agent === 'stock' ? (step.stock ?? step.ours) : step.ours;
          expect(answer, `step ${at}: ${step.do} ${JSON.stringify(step.with ?? {})}`).toMatchObject({ code });
          if (agent === 'ours' && code !== 0 && step.do !== 'probe') expect(answer.reason).toBeTruthy();
          const left = (agent === 'stock' ? step.stockMounts : undefined) ?? step.mounts;
          if (left)
            expect(targetsBelow(sandbox, dir), `after step ${at}: ${step.do}`).toEqual([...left].sort());
        }
        if (params['options']?.includes('bind')) await sourceIsWritable(sandbox, params);
      } finally {
        for (const target of targetsBelow(sandbox, dir).toReversed())
          await sandbox.run('umount', '-l', `${dir}/${target}`).catch(() => undefined);
        const own = params['device']?.startsWith('/dev/tsha-')
          ? params['device'].slice('/dev/'.length)
          : undefined;
        for (const node of readdirSync('/dev')) if (own && node.startsWith(own)) rmSync(join('/dev', node));
      }
    });
  });
}

const targetsBelow = (sandbox: Sandbox, dir: string): readonly string[] =>
  sandbox
    .mounts(dir)
    .map(({ target }) => target.slice(dir.length + 1))
    .sort();
