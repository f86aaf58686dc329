import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../metadata/catalogue.ts';
import { agents, validParams } from './agents.ts';
import { agentOf, call, callAlone, dummyOf, type Env, probing, sandbox } from './call.ts';
import { flavours } from './flavours.ts';

// ocf-contract cases 28-40: what an agent makes of its parameters.

/** What Pacemaker says of a promotable clone with notify=true; the others do not care. */
const promotable: Env = Object.fromEntries(
  Object.entries({
    clone_max: '2',
    clone_node_max: '1',
    promoted_max: '1',
    promoted_node_max: '1',
    notify: 'true',
  })
    .concat([
      ['master_max', '1'],
      ['master_node_max', '1'],
      ['promotable', 'true'],
      ['globally_unique', 'false'],
    ])
    .map(([name, value]) => [`OCF_RESKEY_CRM_meta_${name}`, value]),
);
const unset: Env = { OCF_RESKEY_state: undefined };

describe.each(flavours)('%s: parameters', (flavour) => {
  const dummy = () => dummyOf(flavour);

  test.each([
    ['start', {}, 6],
    ['validate-all', {}, 6],
    ['monitor', {}, 6],
    ['reload-agent', {}, 6],
    ['monitor', probing, 7],
    ['stop', {}, 0],
  ])('%s without the required one %j: %i', async (action, env, code) => {
    const answer = await call(dummy(), action, { ...unset, ...env });
    expect(answer.code).toBe(code);
    expect(answer.stdout).toBe('');
    if (code === 6) expect(answer.reason).toBe('required parameter state is not set');
    if (action === 'validate-all') expect(answer.stderr.trim().split('\n')).toHaveLength(1);
  });

  test('stop without parameters ends what was started with them', async () => {
    const dir = sandbox();
    expect(await call(dummy(), 'start', {}, dir)).toMatchObject({ code: 0 });
    expect(await call(dummy(), 'stop', unset, dir)).toMatchObject({ code: 0 });
    expect(existsSync(join(dir, 'state'))).toBe(false);
  });

  test.each(['abc', '', '0', '5', '9'])(
    'validate-all at level "%s" looks at no host and says nothing',
    async (level) => {
      const noTools = { OCF_TESTER_FAIL_HAVE_BINARY: '1', OCF_CHECK_LEVEL: level };
      expect(await call(dummy(), 'validate-all', noTools)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    },
  );

  test.each(['10', '15', '20', '100'])('validate-all at level %s looks at this host', async (level) => {
    const noTools = { OCF_TESTER_FAIL_HAVE_BINARY: '1', OCF_CHECK_LEVEL: level };
    const { code, reason } = await call(dummy(), 'validate-all', noTools);
    expect([code, reason]).toEqual([5, 'command touch is not installed']);
  });

  test.each([
    ...['yes', 'true', '1', 'YES', 'TRUE', 'True', 'ja', 'on', 'ON'].map((word) => [word, 0] as const),
    ...['no', 'false', '0', 'NO', 'off', ''].map((word) => [word, 0] as const),
    ['perhaps', 6] as const,
    ['secret-value', 6] as const,
  ])('a boolean "%s": validate-all %i', async (word, code) => {
    expect(await call(dummy(), 'validate-all', { OCF_RESKEY_eager: word })).toMatchObject({ code });
  });

  test.each([
    ['a number out of range', { OCF_RESKEY_count: '77' }, /count/],
    ['not a number', { OCF_RESKEY_count: '1e3' }, /count/],
    ['not an option', { OCF_RESKEY_mischief: 'other' }, /mischief/],
    ["a rule of the agent's own", { OCF_RESKEY_count: '7' }, /bad luck/],
    ['two problems at once', { OCF_RESKEY_count: '77', OCF_RESKEY_eager: 'perhaps' }, /count.*eager/],
  ])(
    '%s: 6 from validate-all and start, never from a monitor, nothing from a stop',
    async (_what, env, reason) => {
      const dir = sandbox();
      for (const action of ['validate-all', 'start']) {
        const answer = await call(dummy(), action, env, dir);
        expect(answer.code).toBe(6);
        expect(answer.reason).toMatch(reason);
      }
      expect(await call(dummy(), 'monitor', env, dir)).toMatchObject({ code: 1 });
      expect(await call(dummy(), 'monitor', { ...env, ...probing }, dir)).toMatchObject({ code: 7 });
      expect(await call(dummy(), 'stop', env, dir)).toMatchObject({ code: 0 });
    },
  );

  test('a reloadable one that is wrong stops nothing that runs', async () => {
    const dir = sandbox();
    const odd = { OCF_RESKEY_eager: 'perhaps' };
    expect(await call(dummy(), 'start', {}, dir)).toMatchObject({ code: 0 });
    for (const action of ['reload-agent', 'monitor'])
      expect(await call(dummy(), action, odd, dir)).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('eager="perhaps" is not a yes or a no: going on with eager="false"'),
      });
    expect(await call(dummy(), 'start', odd, dir)).toMatchObject({ code: 6 });
    expect(await call(dummy(), 'stop', odd, dir)).toMatchObject({ code: 0 });
  });

  test.each([
    'with blank',
    "apo'strophe",
    'quo"te',
    '$(touch evil)',
    '`touch evil`',
    'a;touch evil',
    'line\nbreak',
    '*',
    'ünïcode',
    '-rf',
    '$HOME',
    'back\\slash',
  ])('a value is never evaluated: %j', async (name) => {
    const dir = sandbox();
    const env = { OCF_RESKEY_state: join(dir, name) };
    expect(await call(dummy(), 'start', env, dir)).toMatchObject({ code: 0 });
    expect(existsSync(join(dir, name))).toBe(true);
    expect(existsSync(join(dir, 'evil')) || existsSync('/evil') || existsSync('evil')).toBe(false);
    expect(await call(dummy(), 'monitor', env, dir)).toMatchObject({ code: 0 });
    expect(await call(dummy(), 'stop', env, dir)).toMatchObject({ code: 0 });
  });

  test('an empty value is an unset one, an unknown parameter is nobody’s', async () => {
    const env = { OCF_RESKEY_count: '', OCF_RESKEY_eager: '', OCF_RESKEY_foo: 'bar' };
    expect(await call(dummy(), 'validate-all', env)).toMatchObject({ code: 0, stderr: '' });
    expect(await call(dummy(), 'start', { OCF_RESKEY_state: '' })).toMatchObject({ code: 6 });
  });

  test('a command gets exactly the value, the C locale, and nothing of the runtime’s', async () => {
    const dir = sandbox();
    const fake = join(dir, 'touch');
    writeFileSync(fake, `#!/bin/sh\nprintf '%s|' "$#" "$@" >${dir}/args\nenv >${dir}/env\n`);
    chmodSync(fake, 0o755);
    const env = {
      PATH: `${dir}:/usr/bin:/bin`,
      LANG: 'de_DE.UTF-8',
      LC_MESSAGES: 'zh_CN.UTF-8',
      LANGUAGE: 'de',
      NODE_ENV: 'x',
      BUN_JSC_x: 'y',
      OCF_RESKEY_state: `${dir}/a b'"$x`,
    };
    expect(await call(dummy(), 'start', env, dir)).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(dir, 'args'), 'utf8')).toBe(`1|${dir}/a b'"$x|`);
    const seen = readFileSync(join(dir, 'env'), 'utf8');
    expect(seen).toMatch(/^LC_ALL=C$/m);
    expect(seen).not.toMatch(/^(LANG|LANGUAGE|LC_MESSAGES|NODE_|BUN_)/m);
  });

  test.each(agents)('%s: a secret-value placeholder crashes nothing', async (name) => {
    const keys = Object.keys(validParams[name]);
    const env = Object.fromEntries(keys.map((key) => [key, 'secret-value']));
    const { code } = await callAlone(agentOf(flavour, name), 'validate-all', env);
    expect([0, 6]).toContain(code);
  });

  test.each(agents)('%s: valid parameters of something that is not here', async (name) => {
    const file = agentOf(flavour, name);
    const ask = (action: string, env: Env) => callAlone(file, action, { ...validParams[name], ...env });
    // As pcs and crm_resource call it: no interval, clone or notify options, no check level.
    const tool = { OCF_RESKEY_CRM_meta_interval: undefined };
    expect(await ask('validate-all', tool)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await ask('validate-all', { ...tool, OCF_TESTER_FAIL_HAVE_BINARY: '1' })).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await ask('monitor', probing), 'probe').toMatchObject({ code: 7, stderr: '' });
    expect([5, 7]).toContain((await ask('monitor', { ...probing, OCF_TESTER_FAIL_HAVE_BINARY: '1' })).code);
    expect(await ask('stop', {}), 'stop').toMatchObject({ code: 0 });
    expect(await ask('stop', { OCF_TESTER_FAIL_HAVE_BINARY: '1' }), 'stop, no tools').toMatchObject({
      code: 0,
    });
    const needy = catalogue.some(({ agent }) => agent.name === name && agent.needs.length > 0);
    const start = await ask('start', { ...promotable, OCF_TESTER_FAIL_HAVE_BINARY: '1' });
    expect(needy ? [5] : [1, 5], `start, no tools: ${start.reason}`).toContain(start.code);
  });

  test.each(agents.filter((name) => readFileSync(agentOf(flavour, name), 'utf8').includes('required="1"')))(
    '%s: without its parameters start is 6, a probe 7, stop 0',
    async (name) => {
      const ask = (action: string, env: Env) => callAlone(agentOf(flavour, name), action, env);
      const { code, reason } = await ask('start', {});
      expect(code).toBe(6);
      expect(reason).toMatch(/^required parameter [\w, ]+ (is|are) not set$/);
      expect(await ask('validate-all', {})).toMatchObject({ code: 6, stdout: '' });
      expect(await ask('monitor', probing)).toMatchObject({ code: 7 });
      expect(await ask('stop', {})).toMatchObject({ code: 0 });
    },
  );
});
