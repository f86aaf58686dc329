import { describe, expect, test } from 'vitest';
import { agents, validParams } from './agents.ts';
import { agentOf, call, callAlone, cluster, dummyOf, run, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// ocf-contract cases 18-27: which calls an agent understands.

describe.each(flavours)('%s: what is asked', (flavour) => {
  test('no action: 3, and usage on stderr', async () => {
    const { code, stderr, stdout } = await run([dummyOf(flavour)], cluster(sandbox()));
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^usage: Dummy \{start\|/);
  });

  test.each(['usage', 'help'])('%s: 0, text on stdout', async (action) => {
    const { code, stderr, stdout } = await call(dummyOf(flavour), action);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^usage: Dummy \{start\|/);
  });

  test.each([
    ['an unknown action', 'no_cmd'],
    ['capitals', 'START'],
    ['promote without roles', 'promote'],
    ['demote without roles', 'demote'],
    ['notify without notify', 'notify'],
    ['migration', 'migrate_to'],
    ['migration', 'migrate_from'],
    ['a name from the runtime', 'constructor'],
    ['a name from the runtime', '__proto__'],
    ['a flag of the runtime', '--version'],
    ['a flag of the runtime', '--inspect'],
    ['an empty action', ''],
  ])('%s (%s): 3', async (_what, action) => {
    const { code, reason } = await call(dummyOf(flavour), action);
    expect(code).toBe(3);
    expect(reason).toMatch(/action/);
  });

  test('arguments after the action are ignored', async () => {
    const dir = sandbox();
    const { code } = await run([dummyOf(flavour), 'start', 'extra', '--args'], cluster(dir));
    expect(code).toBe(0);
    expect(await call(dummyOf(flavour), 'monitor', {}, dir)).toMatchObject({ code: 0 });
  });

  test('status asks what monitor asks', async () => {
    const dir = sandbox();
    expect(await call(dummyOf(flavour), 'status', {}, dir)).toMatchObject({ code: 7 });
    await call(dummyOf(flavour), 'start', {}, dir);
    expect(await call(dummyOf(flavour), 'status', {}, dir)).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['API version 2', { OCF_RA_VERSION_MAJOR: '2' }, 1],
    ['API version 1.9', { OCF_RA_VERSION_MINOR: '9' }, 7],
    ['no API version', { OCF_RA_VERSION_MAJOR: undefined, OCF_RA_VERSION_MINOR: undefined }, 7],
    ['a version, but no instance', { OCF_RESOURCE_INSTANCE: undefined }, 2],
    ['neither', { OCF_RA_VERSION_MAJOR: undefined, OCF_RESOURCE_INSTANCE: undefined }, 7],
    ['no OCF_ROOT', { OCF_ROOT: undefined }, 7],
    ['a wrong OCF_ROOT', { OCF_ROOT: '/nonexistent' }, 7],
  ])('monitor with %s', async (_what, env, code) => {
    const answer = await call(dummyOf(flavour), 'monitor', env);
    expect(answer.code).toBe(code);
    expect(answer.reason).not.toBe(undefined);
  });

  test('meta-data needs no instance', async () => {
    expect(await call(dummyOf(flavour), 'meta-data', { OCF_RESOURCE_INSTANCE: undefined })).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  test.each(agents)('%s: an unknown action 3, usage 0, no action 3', async (name) => {
    const ask = (action: string) => callAlone(agentOf(flavour, name), action, validParams[name]);
    expect(await ask('no_cmd')).toMatchObject({ code: 3 });
    expect(await ask('usage')).toMatchObject({ code: 0, stderr: '' });
    expect(await ask('')).toMatchObject({ code: 3, stdout: '' });
  });
});
