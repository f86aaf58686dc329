import { describe, expect, test } from 'vitest';
import { type Context, defineAgent } from '../../../lib/ocf/agent.ts';
import { runAction } from '../../../lib/ocf/run.ts';
import { dummy } from '../../contract/dummy/agent.ts';
import { FakeMachine } from '../../fake/machine.ts';
import { silentLog, wordsTo } from '../../fake/story.ts';

const ran = { OCF_RESKEY_state: '/run/x', OCF_RESKEY_CRM_meta_interval: '10000' };

const probe = { OCF_RESKEY_CRM_meta_interval: '0' };

describe('a reloadable parameter has an impossible value', () => {
  const odd = { OCF_RESKEY_eager: 'ture' };
  const running = async (started: NodeJS.ProcessEnv) => {
    const machine = new FakeMachine({ ...ran, ...started }).on('touch', () => undefined);
    machine.files.set('/run/x', '');
    expect((await runAction(dummy, 'start', machine, silentLog)).code).toBe(0);
    return machine;
  };
  /** What an action answers and says, and with which `eager` it was done. */
  const call = async (machine: FakeMachine, action: string, env: NodeJS.ProcessEnv) => {
    for (const name of ['OCF_RESKEY_eager', 'OCF_RESKEY_count']) delete machine.env[name];
    Object.assign(machine.env, env);
    const lines: string[] = [];
    const seen: boolean[] = [];
    const look = async ({ params }: Context<typeof dummy.params>) => {
      seen.push(params.eager);
    };
    const spied = defineAgent({
      ...dummy,
      actions: {
        ...dummy.actions,
        'reload-agent': { timeout: '20s', run: look },
        promote: { timeout: '20s', run: look },
        stop: { timeout: '20s', run: look },
        monitor: {
          timeout: '20s',
          run: async (ctx) => {
            await look(ctx);
            return 'ok';
          },
        },
      },
    });
    const { code, reason } = await runAction(spied, action, machine, wordsTo(lines));
    return { code, reason, lines, eager: seen[0] };
  };

  test.each(['reload-agent', 'promote', 'monitor', 'stop'])(
    '%s goes on with the value of the start, and says so',
    async (action) => {
      const { code, lines, eager } = await call(await running({ OCF_RESKEY_eager: 'yes' }), action, odd);
      expect({ code, eager }).toEqual({ code: 0, eager: true });
      expect(lines.join()).toMatch(/eager="ture" is not a yes or a no: going on with eager="yes"/);
    },
  );
  test('with the default where the start had none, or nothing is remembered', async () => {
    expect(await call(await running({}), 'reload-agent', odd)).toMatchObject({ code: 0, eager: false });
    const machine = await running({ OCF_RESKEY_eager: 'yes' });
    for (const file of [...machine.files.keys()]) if (file.endsWith('.json')) machine.files.delete(file);
    expect(await call(machine, 'promote', odd)).toMatchObject({ code: 0, eager: false });
  });
  test('a reload does not remember it, and the one after it has been mended does', async () => {
    const machine = await running({ OCF_RESKEY_eager: 'yes' });
    await call(machine, 'reload-agent', odd);
    expect((await call(machine, 'monitor', odd)).eager).toBe(true);
    await call(machine, 'reload-agent', { OCF_RESKEY_eager: 'no' });
    expect((await call(machine, 'monitor', odd)).eager).toBe(false);
  });
  test.each(['start', 'validate-all'])('%s refuses it', async (action) => {
    expect((await call(await running({}), action, odd)).code).toBe(6);
  });
  test.each([
    ['reload-agent', 6],
    ['promote', 6],
    ['monitor', 1],
    ['stop', 0],
  ])('%s: beside another wrong one nothing has changed', async (action, code) => {
    expect((await call(await running({}), action, { ...odd, OCF_RESKEY_count: '77' })).code).toBe(code);
  });
});

describe('what the run loop makes of a call', () => {
  test.each([
    ['start without its required parameter', 'start', {}, 6],
    ['validate-all without it', 'validate-all', {}, 6],
    ['probe without it', 'monitor', probe, 7],
    ['recurring monitor without it', 'monitor', { OCF_RESKEY_CRM_meta_interval: '10000' }, 6],
    ['stop without it', 'stop', {}, 0],
    ['start with an impossible value', 'start', { ...ran, OCF_RESKEY_count: '77' }, 6],
    ['recurring monitor with an impossible value', 'monitor', { ...ran, OCF_RESKEY_count: 'x' }, 1],
    ['probe with an impossible value', 'monitor', { ...ran, ...probe, OCF_RESKEY_count: 'x' }, 7],
    ['stop with an impossible value', 'stop', { ...ran, OCF_RESKEY_count: 'x' }, 0],
    ['a rule of the agent', 'validate-all', { ...ran, OCF_RESKEY_count: '7' }, 6],
    ['an unknown action', 'no_cmd', ran, 3],
    ['an action in capitals', 'START', ran, 3],
    ['promote of an agent without roles', 'promote', ran, 3],
    ['API version 2', 'monitor', { ...ran, OCF_RA_VERSION_MAJOR: '2' }, 1],
    ['no instance name', 'monitor', { ...ran, OCF_RA_VERSION_MAJOR: '1' }, 2],
    ['status of what does not run', 'status', ran, 7],
    ['start without its tools', 'start', { ...ran, OCF_TESTER_FAIL_HAVE_BINARY: '1' }, 5],
    ['stop without tools', 'stop', { ...ran, OCF_TESTER_FAIL_HAVE_BINARY: '1' }, 0],
  ] as const)('%s', async (_situation, action, env, code) => {
    const machine = new FakeMachine(env).on('touch', () => undefined);
    const result = await runAction(dummy, action, machine, silentLog);
    expect(result.code).toBe(code);
    const expected = code === 0 || (code === 7 && action === 'monitor');
    expect(Boolean(result.reason)).toBe(!expected);
  });

  test.each([
    ['drbd-reactor or a person, who reads why', {}, 'Dummy is not running'],
    ['Pacemaker, which asks before every start', probe, undefined],
    ['Pacemaker, whose probe has no interval', { OCF_RESKEY_crm_feature_set: '3.19.0' }, undefined],
  ])('I8: not running, asked by %s', async (_who, env, reason) => {
    const machine = new FakeMachine({ OCF_RESKEY_state: '/run/x', ...env });
    expect(await runAction(dummy, 'monitor', machine, silentLog)).toMatchObject({ code: 7 });
    expect((await runAction(dummy, 'monitor', machine, silentLog)).reason).toBe(reason);
  });
});
