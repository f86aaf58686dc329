import { describe, expect, test } from 'vitest';
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

  test('a memory that cannot be written is a warning, not a failure', async () => {
    const machine = new FakeMachine();
    machine.write = () => Promise.reject(new Error('EROFS'));
    const { log, warnings } = recorder();
    await memoryOf(machine, 'Filesystem', 'fs/1', log).note('x', 1);
    expect(warnings).toEqual([`cannot write ${file}: EROFS`]);
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
