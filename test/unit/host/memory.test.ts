import { describe, expect, test } from 'vitest';
import { Failure } from '../../../lib/contract/outcome.ts';
import { memoryOf } from '../../../lib/host/memory.ts';
import { runAction } from '../../../lib/ocf/run.ts';
import { dummy } from '../../contract/dummy/agent.ts';
import { FakeMachine } from '../../fake/machine.ts';
import { troubleTo } from '../../fake/story.ts';

const recorder = () => {
  const warnings: string[] = [];
  return { log: troubleTo(warnings), warnings };
};
const file = '/run/resource-agents/tsha/Filesystem-fs%2F1.json';

describe('what is remembered about an instance', () => {
  test('parameters and facts of this boot come back, forgotten ones do not', async () => {
    const machine = new FakeMachine();
    const memory = memoryOf(machine, 'Filesystem', 'fs/1', recorder().log);
    await memory.rememberParams({ device: '/dev/x' });
    await memory.note('loop', '/dev/loop3');
    expect(machine.files.has(file)).toBe(true);
    expect(await memory.params()).toEqual({ device: '/dev/x' });
    expect(await memory.fact('loop')).toBe('/dev/loop3');
    await memory.forget();
    expect([await memory.params(), await memory.fact('loop')]).toEqual([undefined, undefined]);
  });

  test.each([
    ['another boot', '{"bootId":"boot-0","params":{"device":"x"},"facts":{}}', 0],
    ['a torn file', '{"bootId":"boo', 1],
    ['an empty file', '', 0],
  ])('%s is as good as nothing', async (_situation, text, warned) => {
    const machine = new FakeMachine();
    machine.files.set(file, text);
    const { log, warnings } = recorder();
    expect(await memoryOf(machine, 'Filesystem', 'fs/1', log).params()).toBeUndefined();
    expect(warnings).toHaveLength(warned);
  });

  const unwritable = () => {
    const machine = new FakeMachine();
    machine.write = () => Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    return machine;
  };
  const sentence = `cannot write ${file}: ENOSPC`;

  test('S19: a memory that cannot be written is a warning, and a failure only to those who rely on it', async () => {
    const { log, warnings } = recorder();
    const memory = memoryOf(unwritable(), 'Filesystem', 'fs/1', log);
    await memory.note('x', 1);
    await memory.keep('x', 1);
    await memory.rememberParams({});
    await memory.hint('x', 1);
    expect(warnings).toEqual(Array.from({ length: 4 }, () => sentence));
    await expect(memory.insist('x', 1)).rejects.toThrow(new Failure('failed', sentence));
  });

  test('S19: in a start every note is a failure, a hint is none', async () => {
    const { log, warnings } = recorder();
    const memory = memoryOf(unwritable(), 'Filesystem', 'fs/1', log, true);
    for (const write of [memory.note('x', 1), memory.keep('x', 1), memory.rememberParams({})])
      await expect(write).rejects.toThrow(new Failure('failed', sentence));
    await memory.hint('x', 1);
    expect(warnings).toEqual([sentence]);
  });

  test('S19: drafts of an action that was killed go when the resource is forgotten', async () => {
    const machine = new FakeMachine();
    const memory = memoryOf(machine, 'Filesystem', 'fs/1', recorder().log);
    await memory.note('x', 1);
    const others = [`${file.replace('fs', 'fs0')}.tsha-1`, file.replace('Filesystem', 'drbd')];
    for (const path of [...others, `${file}.tsha-1`, `${file}.tsha-4711`]) machine.files.set(path, '');
    await memory.forget();
    expect([...machine.files.keys()].filter((path) => path.startsWith('/run/'))).toEqual(others);
  });

  test('HA_RSCTMP moves it', async () => {
    const machine = new FakeMachine({ HA_RSCTMP: '/tmp/r' });
    await memoryOf(machine, 'drbd', 'data', recorder().log).note('x', 1);
    expect([...machine.files.keys()]).toContain('/tmp/r/tsha/drbd-data.json');
  });
});

describe('a stop whose parameters were deleted', () => {
  const start = async () => {
    const machine = new FakeMachine({ OCF_RESKEY_state: '/run/state', OCF_RESOURCE_INSTANCE: 'd' });
    machine.on('touch', ([path = '']) => {
      machine.files.set(path, '');
      return undefined;
    });
    expect((await runAction(dummy, 'start', machine, recorder().log)).code).toBe(0);
    return machine;
  };

  test('ends what the start remembered', async () => {
    const machine = await start();
    delete machine.env['OCF_RESKEY_state'];
    expect((await runAction(dummy, 'stop', machine, recorder().log)).code).toBe(0);
    expect(machine.files.has('/run/state')).toBe(false);
  });

  test('given parameters win over remembered ones', async () => {
    const machine = await start();
    machine.env['OCF_RESKEY_state'] = '/run/other';
    machine.files.set('/run/other', '');
    await runAction(dummy, 'stop', machine, recorder().log);
    expect([machine.files.has('/run/state'), machine.files.has('/run/other')]).toEqual([true, false]);
  });

  test('with nothing remembered there is nothing to stop, and that is said', async () => {
    const { log, warnings } = recorder();
    expect((await runAction(dummy, 'stop', new FakeMachine(), log)).code).toBe(0);
    expect(warnings[0]).toContain('required parameter state is not set');
  });
});
