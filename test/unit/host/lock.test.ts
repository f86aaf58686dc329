import { describe, expect, test } from 'vitest';
import { hostOn } from '../../../lib/host/host.ts';
import { alone, beside } from '../../../lib/host/lock.ts';
import { FakeMachine } from '../../fake/machine.ts';
import { silentLog } from '../../fake/story.ts';

const dir = '/run/resource-agents/tsha';
const other = 77;
const fileOf = (way: string, pid = other) => `${dir}/work.${way}-${pid}-${pid * 10}`;

function machineWith(ways: readonly string[], pid?: number) {
  const machine = new FakeMachine().process(4242, {}).process(other, { comm: 'IPaddr2' });
  for (const way of ways) machine.files.set(fileOf(way, pid), '');
  return { machine, caller: { host: hostOn(machine, 20_000), log: silentLog } };
}
const left = ({ files }: FakeMachine) => [...files.keys()].filter((file) => file.startsWith(`${dir}/`));

describe('work that others are at', () => {
  test.each([
    ['alone, while another is alone', alone, 'alone', true],
    ['alone, while another is beside', alone, 'beside', true],
    ['beside, while another is alone', beside, 'alone', true],
    ['beside, while another is beside', beside, 'beside', false],
  ])('%s', async (_what, how, way, waits) => {
    const { machine, caller } = machineWith([way]);
    machine.onTick = (clock) => {
      if (clock >= 1000) machine.files.delete(fileOf(way));
    };
    let begun: number | undefined;
    await how(caller, 'work', async () => {
      begun = machine.clock;
      expect(left(machine)).toContain(fileOf(how === alone ? 'alone' : 'beside', 4242));
    });
    expect(begun !== undefined && begun >= 1000).toBe(waits);
    expect(left(machine)).toEqual(waits ? [] : [fileOf(way)]);
  });

  test('that does not end is a failure, which names who', async () => {
    const { machine, caller } = machineWith(['alone']);
    await expect(alone(caller, 'work', async () => expect.unreachable())).rejects.toThrow(
      'pid 77 (IPaddr2) does not end its work on work',
    );
    expect(machine.clock).toBeLessThan(20_000);
    expect(left(machine)).toEqual([fileOf('alone')]);
  });

  test('but have ended in the middle of it', async () => {
    const { machine, caller } = machineWith(['alone', 'beside'], 78);
    await alone(caller, 'work', async () => {});
    expect([machine.clock, left(machine)]).toEqual([0, []]);
  });

  test('of another name', async () => {
    const { machine, caller } = machineWith(['alone']);
    await alone(caller, 'wor', async () => {});
    expect(machine.clock).toBe(0);
  });
});

test('whoever cannot write it down works all the same, and fails as the work does', async () => {
  const { machine, caller } = machineWith([]);
  machine.write = () => Promise.reject(Object.assign(new Error('EROFS'), { code: 'EROFS' }));
  await expect(alone(caller, 'work', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
