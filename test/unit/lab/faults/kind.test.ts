import { expect, test } from 'vitest';
import { byShell, isExplained, NotInjectedError, type Scene, unproven } from '../../../lab/faults/kind.ts';

/** Of a kind's commands, those that a scene was asked for; the first one works or not. */
async function injected(kind: Parameters<typeof byShell>[0], works: boolean) {
  const asked: string[] = [];
  const scene = {
    random: () => 0,
    shell: async (command: string) => {
      asked.push(command);
      return works || asked.length > 1;
    },
    sleep: async () => {},
  };
  const error = await byShell(kind)
    .inject(scene as unknown as Scene)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return { asked, isInjected: !(error instanceof NotInjectedError) };
}

const row = { name: 'killed', on: ['active'] as const, shell: 'pkill x' };

test.each([
  { what: 'somebody was there', row, works: true, asked: ['pkill x'], isInjected: true },
  { what: 'nobody was there', row, works: false, asked: ['pkill x'], isInjected: false },
  {
    what: 'nobody was there, and it is taken back all the same',
    ...{ row: { ...row, for: [1, 2] as const, back: 'cont' }, works: false },
    ...{ asked: ['pkill x', 'cont'], isInjected: false },
  },
  {
    what: 'its failure is what is wanted',
    ...{ row: { ...row, fails: true as const }, works: false, asked: ['pkill x'], isInjected: true },
  },
])('a fault by shell: $what', async ({ row, works, asked, isInjected }) => {
  expect(await injected(row, works)).toEqual({ asked, isInjected });
});

const died = { explains: /^nfs-daemon monitor$/ };
test.each([
  { what: 'its own', kind: died, failed: 'nfs-daemon monitor', on: 'node1', explained: true },
  { what: 'of another resource', kind: died, failed: 'nfs_ip monitor', on: 'node1', explained: false },
  { what: 'another action', kind: died, failed: 'nfs-daemon stop', on: 'node1', explained: false },
  { what: 'on the other node', kind: died, failed: 'nfs-daemon monitor', on: 'node2', explained: true },
  {
    what: 'on the other node, of a kind that stays',
    ...{
      kind: { ...died, stays: true as const },
      failed: 'nfs-daemon monitor',
      on: 'node2',
      explained: false,
    },
  },
  {
    what: 'on the node that was hit, of a kind that stays',
    ...{
      kind: { ...died, stays: true as const },
      failed: 'nfs-daemon monitor',
      on: 'node1',
      explained: true,
    },
  },
  {
    what: 'of a kind that explains nothing',
    kind: {},
    failed: 'nfs-daemon monitor',
    on: 'node1',
    explained: false,
  },
])('a failed action: $what', ({ kind, failed, on, explained }) => {
  const [resource = '', task = ''] = failed.split(' ');
  expect(isExplained(kind, ['node1'], { resource, task, node: on })).toBe(explained);
});

test.each([
  { what: 'all was seen', wrongs: ['a torn', 'b lost'], left: [] },
  { what: 'one was overlooked', wrongs: ['a torn'], left: ['overlooked: lost$'] },
  { what: 'something else was seen, too', wrongs: ['a torn', 'b lost', 'c'], left: ['c'] },
])('a kind that proves the judges: $what', ({ wrongs, left }) => {
  expect(unproven([/torn$/, /lost$/], wrongs)).toEqual(left);
});
