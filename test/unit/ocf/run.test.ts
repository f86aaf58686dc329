import { describe, expect, test } from 'vitest';
import { runAction } from '../../../lib/ocf/run.ts';
import { dummy } from '../../contract/dummy/agent.ts';
import { FakeMachine } from '../../fake/machine.ts';
import { silentLog } from '../../fake/story.ts';

const ran = { OCF_RESKEY_state: '/run/x', OCF_RESKEY_CRM_meta_interval: '10000' };

const probe = { OCF_RESKEY_CRM_meta_interval: '0' };

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
