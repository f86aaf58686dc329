import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cachedRunner, cachedRunnerSource } from '../../packaging/code-cache.ts';
import { nativeProgram, setPlaces } from '../../packaging/launcher.ts';
import { projectFolder } from '../../packaging/products.ts';
import { validParams } from './agents.ts';
import { agentOf, call, callAlone, sandbox } from './call.ts';

// While a package is unpacked, launchers of one version meet the program of another, for a moment and in either direction: what one
// says to the other must stay what it was. `test/fixtures/launchers/VERSION` has the launchers of every version whose words were other;
// a change that breaks these tests needs a way for both.

const old = (name: string): string => join(projectFolder, 'test/fixtures/launchers/0.1.0', name);
const params = validParams.exportfs;

/** An executable of a text, with what the installation writes into it. */
function executable(
  dir: string,
  name: string,
  text: string,
  places: Parameters<typeof setPlaces>[1] = {},
): string {
  const file = join(dir, name);
  writeFileSync(file, setPlaces(text, places));
  chmodSync(file, 0o755);
  return file;
}

describe('native', () => {
  const program = agentOf('native', nativeProgram);

  test.each([
    ['monitor', 7],
    ['validate-all', 0],
    ['no_cmd', 3],
  ])('the launcher of 0.1.0 with the program of today: %s is %i', async (action, code) => {
    const launcher = executable(sandbox(), 'exportfs', readFileSync(old('native.sh'), 'utf8'), {
      runtime: program,
    });
    expect(await callAlone(launcher, action, params)).toMatchObject({ code });
  });

  test('the launcher of today tells a program of 0.1.0 what that understands', async () => {
    const dir = sandbox();
    const runtime = executable(dir, 'program', '#!/bin/sh\necho "$# $1 $2 $BUN_JSC_useJIT"\nexit 7\n');
    const told = async (text: string) =>
      await call(executable(dir, 'exportfs', text, { runtime }), 'monitor', {
        ...params,
        NODE_OPTIONS: '--bogus',
      });
    const today = await told(readFileSync(agentOf('native', 'exportfs'), 'utf8'));
    expect(today).toMatchObject({ code: 7, stdout: '2 exportfs monitor 0\n', stderr: '' });
    expect((await told(readFileSync(old('native.sh'), 'utf8'))).stdout).toBe(today.stdout);
  });
});

describe('script', () => {
  test.each([
    ['monitor', 7],
    ['validate-all', 0],
    ['no_cmd', 3],
  ])('what ran the agents of 0.1.0 runs those of today: %s is %i', async (action, code) => {
    const dir = sandbox();
    const runner = join(dir, cachedRunner);
    copyFileSync(old('cached.cjs'), runner);
    const text = readFileSync(agentOf('script', 'exportfs'), 'utf8');
    const agent = executable(dir, 'exportfs', text, { runtime: process.execPath, runner });
    expect(await callAlone(agent, action, params)).toMatchObject({ code });
  });

  test.each(['', 'of another version, left behind'])(
    'what runs the agents of today runs one of 0.1.0; its cache: %s',
    async (cache) => {
      const dir = sandbox();
      const runner = join(dir, cachedRunner);
      copyFileSync(cachedRunnerSource, runner);
      if (cache) writeFileSync(join(dir, 'exportfs.v8'), cache);
      const text = readFileSync(old('script.sh'), 'utf8');
      const agent = executable(dir, 'exportfs', text, { runtime: process.execPath, runner });
      expect(await call(agent, 'monitor', params)).toMatchObject({
        code: 7,
        stdout: `["${agent}","monitor"]\n`,
        stderr: '',
      });
    },
  );

  test('the native flavour takes its place while Node starts: that one answers', async () => {
    const dir = sandbox();
    const runner = join(dir, cachedRunner);
    copyFileSync(cachedRunnerSource, runner);
    const next = executable(dir, 'next', '#!/bin/sh\necho "$0 $*"\nexit 7\n');
    const runtime = executable(
      dir,
      'node',
      `#!/bin/sh\nmv ${next} ${join(dir, 'exportfs')}\nexec ${process.execPath} "$@"\n`,
    );
    const text = readFileSync(agentOf('script', 'exportfs'), 'utf8');
    const agent = executable(dir, 'exportfs', text, { runtime, runner });
    expect(await call(agent, 'monitor', params)).toMatchObject({
      code: 7,
      stdout: `${agent} monitor\n`,
      stderr: '',
    });
  });
});
