import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { bundleOptions } from '../../packaging/bundle.ts';
import { projectFolder } from '../../packaging/products.ts';
import { type AgentName, agents, validParams } from './agents.ts';
import { agentOf, callAlone, type Env, sandbox } from './call.ts';

// What a monitor loads is what it costs: most of its few milliseconds go by before the first line of an agent runs. So this is
// judged by what is loaded, which is the same on every machine, not by time.

/** Of Node's own modules only what every monitor needs. In Bun, node:os takes 0.3 ms, node:net, node:tty and node:crypto 2 ms each. */
const needed = ['node:fs'];
/** And what one of them has no other way to ask for: getifaddrs(3). */
const alsoNeeded: Partial<Record<AgentName, string>> = { IPaddr2: 'node:os' };

/** Code that is loaded before the monitor begins, in bytes, and some room to grow. */
const budgets: Readonly<Record<AgentName, number>> = {
  drbd: 97_500,
  Filesystem: 77_000,
  IPaddr2: 82_000,
  nfsserver: 94_500,
  exportfs: 75_000,
  nfsnotify: 56_500,
};
/** A whole executable, with what other actions load. */
const longestScript = 312_000;
/** drbd's holds a reader of XML, which only looks at the cluster's configuration need. */
const longestWithXml = 330_000;

async function loadedAtStart(name: AgentName) {
  const entry = `agents/${name}/main.ts`;
  const { metafile } = await build({
    ...bundleOptions(join(projectFolder, entry)),
    metafile: true,
    outfile: 'x.cjs',
  });
  const [output] = Object.values(metafile.outputs);
  const { files, builtins } = statically(metafile, entry);
  const bytes = files.reduce((sum, file) => sum + (output?.inputs[file]?.bytesInOutput ?? 0), 0);
  return { files, builtins, bytes };
}

/** What an entry point imports, directly or not, without what is imported when it is needed. */
function statically({ inputs }: Metafile, entry: string) {
  const files = [entry];
  const builtins = new Set<string>();
  for (const file of files)
    for (const { path, kind, external } of inputs[file]?.imports ?? []) {
      if (kind === 'dynamic-import') continue;
      if (isBuiltin(path)) builtins.add(path);
      else if (!external && !files.includes(path)) files.push(path);
    }
  return { files, builtins: [...builtins] };
}

describe.each(agents)('%s: before its monitor begins', (name) => {
  test('only what is small and cheap is loaded', async () => {
    const { files, builtins, bytes } = await loadedAtStart(name);
    expect(builtins.filter((builtin) => !needed.includes(builtin))).toEqual([]);
    expect(files.filter((file) => file.includes('node_modules/'))).toEqual([]);
    expect(bytes).toBeLessThan(budgets[name]);
  });

  test('what start and stop do is not loaded', async () => {
    const { files } = await loadedAtStart(name);
    expect(files.filter((file) => /\/(start|stop|promote|demote|notify)\.ts$/.test(file))).toEqual([]);
  });

  test('the executable stays small', () => {
    expect(statSync(agentOf('script', name)).size).toBeLessThan(
      name === 'drbd' ? longestWithXml : longestScript,
    );
  });
});

/** Writes down what a bundle asks Node for. */
const spy = `
const { Module } = require('node:module');
const load = Module._load;
const asked = new Set();
Module._load = function (name) {
  asked.add(name);
  return load.apply(this, arguments);
};
process.on('exit', () => require('node:fs').writeFileSync(process.env.SPY, [...asked].join(' ')));
`;

/** Resources whose monitor reads all it needs from the kernel, on any machine. */
const monitored: readonly (readonly [AgentName, number, Env])[] = [
  ['Filesystem', 0, { OCF_RESKEY_device: 'proc', OCF_RESKEY_directory: '/proc', OCF_RESKEY_fstype: 'proc' }],
  ['IPaddr2', 0, { OCF_RESKEY_ip: '127.0.0.1', OCF_RESKEY_nic: 'lo' }],
  ['exportfs', 7, validParams.exportfs],
  ['nfsnotify', 7, validParams.nfsnotify],
];

test.each(monitored)(
  '%s: a monitor (%i) asks Node for nothing else while it runs',
  async (name, code, env) => {
    const dir = sandbox();
    const [spyFile, asked] = [join(dir, 'spy.cjs'), join(dir, 'asked')];
    writeFileSync(spyFile, spy);
    const node = join(dir, 'node');
    writeFileSync(
      node,
      `#!/bin/sh\nexec ${process.execPath} --require ${spyFile} ${agentOf('script', name)} "$@"\n`,
      { mode: 0o755 },
    );
    const answer = await callAlone(node, 'monitor', { ...env, SPY: asked });
    expect(answer).toMatchObject({ code });
    const list = readFileSync(asked, 'utf8')
      .split(' ')
      .filter((one) => !one.startsWith('/') && one !== 'node:module');
    expect(list).toContain('node:fs');
    expect(list.filter((one) => !needed.includes(one) && one !== alsoNeeded[name])).toEqual([]);
  },
);
