import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { call, cluster, dummyOf, type Env, probing, run, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// ocf-contract cases 41-54: what a resource's life looks like from outside.

const noTools: Env = { OCF_TESTER_FAIL_HAVE_BINARY: '1' };

describe.each(flavours)('%s: life cycle', (flavour) => {
  const dummy = () => dummyOf(flavour);

  test('from nothing to nothing, every step twice', async () => {
    const dir = sandbox();
    const steps = [
      ['monitor', probing, 7],
      ['stop', {}, 0],
      ['start', {}, 0],
      ['monitor', {}, 0],
      ['monitor', probing, 0],
      ['start', {}, 0],
      ['monitor', {}, 0],
      ['monitor', { OCF_CHECK_LEVEL: '10' }, 0],
      ['monitor', { OCF_CHECK_LEVEL: '15' }, 0],
      ['reload-agent', {}, 0],
      ['stop', {}, 0],
      ['monitor', {}, 7],
      ['stop', {}, 0],
      ['monitor', { OCF_RESKEY_CRM_meta_interval: undefined }, 7],
    ] as const;
    for (const [action, env, code] of steps)
      expect((await call(dummy(), action, env, dir)).code, `${action} ${JSON.stringify(env)}`).toBe(code);
  });

  test('a recurring monitor of what runs prints nothing, of what does not run its reason', async () => {
    const dir = sandbox();
    expect(await call(dummy(), 'monitor', {}, dir)).toMatchObject({
      code: 7,
      reason: 'Dummy is not running',
    });
    expect(await call(dummy(), 'monitor', probing, dir)).toMatchObject({ code: 7, stdout: '', stderr: '' });
    await call(dummy(), 'start', {}, dir);
    expect(await call(dummy(), 'monitor', {}, dir)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['stop of nothing', 'stop', {}, [0]],
    ['a probe of nothing', 'monitor', probing, [5, 7]],
    ['start', 'start', {}, [5]],
    ['a monitor that needs a command', 'monitor', { OCF_RESKEY_mischief: 'hang' }, [1, 5]],
  ] as const)('without tools, %s', async (_what, action, env, codes) => {
    expect(codes).toContain((await call(dummy(), action, { ...env, ...noTools })).code);
  });

  test('looking leaves no trace', async () => {
    const dir = sandbox();
    for (const env of [{}, probing]) await call(dummy(), 'monitor', env, dir);
    await call(dummy(), 'validate-all', { OCF_CHECK_LEVEL: '10' }, dir);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('start by an ordinary user is 4, looking is free', async () => {
    const dir = sandbox();
    const asNobody = (action: string) =>
      run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', dummy(), action], cluster(dir));
    const { code, reason } = await asNobody('start');
    expect([code, reason]).toEqual([4, 'start needs root, not uid 65534']);
    expect(await asNobody('validate-all')).toMatchObject({ code: 0, stderr: '' });
  });

  test('a start that failed leaves nothing', async () => {
    const dir = sandbox();
    expect((await call(dummy(), 'start', { OCF_RESKEY_mischief: 'throw' }, dir)).code).toBe(1);
    expect((await call(dummy(), 'monitor', probing, dir)).code).toBe(7);
    expect((await call(dummy(), 'stop', {}, dir)).code).toBe(0);
  });

  test('instances do not disturb each other', async () => {
    const dir = sandbox();
    const instances = ['a', 'b', 'c:0', 'c:1', 'with/slash', 'ünï'].map(
      (name, n): Env => ({ OCF_RESOURCE_INSTANCE: name, OCF_RESKEY_state: join(dir, `state-${n}`) }),
    );
    const all = (action: string) =>
      Promise.all(instances.map(async (env) => (await call(dummy(), action, env, dir)).code));
    expect(await all('start')).toEqual(instances.map(() => 0));
    await call(dummy(), 'stop', instances[0], dir);
    expect(await all('monitor')).toEqual(instances.map((_, n) => (n === 0 ? 7 : 0)));
    expect(await all('stop')).toEqual(instances.map(() => 0));
  });

  test('stop ends what its parameters name, not what the latest start remembers', async () => {
    const dir = sandbox();
    const [a, b] = ['a', 'b'].map((name): Env => ({ OCF_RESKEY_state: join(dir, name) })) as [Env, Env];
    await call(dummy(), 'start', a, dir);
    await call(dummy(), 'start', b, dir);
    expect((await call(dummy(), 'stop', a, dir)).code).toBe(0);
    expect([existsSync(join(dir, 'a')), existsSync(join(dir, 'b'))]).toEqual([false, true]);
  });

  test('Pacemaker’s umask 0026 does not reach what is created', async () => {
    const dir = sandbox();
    await run(['sh', '-c', 'umask 0026; exec "$@"', 'sh', dummy(), 'start'], cluster(dir));
    expect(statSync(join(dir, 'state')).mode & 0o777).toBe(0o644);
  });

  test('stop after a reboot: the state below /run is gone', async () => {
    const dir = sandbox();
    await call(dummy(), 'start', {}, dir);
    const env = { HA_RSCTMP: join(dir, 'empty') };
    expect((await call(dummy(), 'stop', env, dir)).code).toBe(0);
    expect((await call(dummy(), 'monitor', { ...env, ...probing }, dir)).code).toBe(7);
  });
});
