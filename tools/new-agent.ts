import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectFolder } from '../packaging/products.ts';

// The skeleton of an agent: a resource that is a file, with everything around it that an agent has, so that the types, the linter and
// a first test pass before the first line is changed.

const agent = (name: string, variable: string): Readonly<Record<string, string>> => ({
  [`agents/${name}/params.ts`]: `import { paramTable } from '../../lib/contract/params.ts';
import type { Context } from '../../lib/ocf/agent.ts';
import { traceParams } from '../../lib/ocf/trace.ts';

export const params = paramTable({
  state: { type: 'string', required: true, uniqueGroup: 'state', short: 'The file that exists while it runs' },
  ...traceParams,
});

export type Ctx = Context<typeof params>;
`,
  [`agents/${name}/wanted.ts`]: `import type { Ctx } from './params.ts';

/** What the parameters ask for. */
export type Wanted = { readonly state: string };

export const wanted = ({ params: { state } }: Ctx): Wanted => ({ state });
`,
  [`agents/${name}/seen.ts`]: `import { isThere } from '../../lib/host/local-files.ts';
import type { Ctx } from './params.ts';
import { type Wanted, wanted } from './wanted.ts';

/** What the machine shows. Throws \`Failure\` where it cannot be found out. */
export type Seen = { readonly is: 'running' } | { readonly is: 'absent' };

export const look = async (ctx: Ctx): Promise<Seen> =>
  (await isThere(ctx.host, wanted(ctx).state)) ? { is: 'running' } : { is: 'absent' };

/** The same for a person. */
export const sentence = ({ state }: Wanted, seen: Seen): string =>
  seen.is === 'running' ? \`\${state} exists\` : \`\${state} does not exist\`;
`,
  [`agents/${name}/monitor.ts`]: `import { type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import type { Ctx } from './params.ts';
import { look, sentence } from './seen.ts';
import { wanted } from './wanted.ts';

export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const seen = await look(ctx);
  return seen.is === 'running' ? 'ok' : notRunning(sentence(wanted(ctx), seen));
}
`,
  [`agents/${name}/start.ts`]: `import { Failure } from '../../lib/contract/outcome.ts';
import type { Ctx } from './params.ts';
import { look, sentence } from './seen.ts';
import { wanted } from './wanted.ts';

export async function start(ctx: Ctx): Promise<void> {
  if ((await look(ctx)).is === 'running') return;
  const want = wanted(ctx);
  await ctx.host.sys.write(want.state, '');
  const seen = await look(ctx);
  if (seen.is !== 'running') throw new Failure('failed', sentence(want, seen));
}
`,
  [`agents/${name}/stop.ts`]: `import { Failure } from '../../lib/contract/outcome.ts';
import type { Ctx } from './params.ts';
import { look, sentence } from './seen.ts';
import { wanted } from './wanted.ts';

/** Nothing there is success: Pacemaker repeats stops, and a stop that fails gets this node fenced. */
export async function stop(ctx: Ctx): Promise<void> {
  if ((await look(ctx)).is === 'absent') return;
  const want = wanted(ctx);
  await ctx.host.sys.remove(want.state);
  const seen = await look(ctx);
  if (seen.is !== 'absent') throw new Failure('failed', sentence(want, seen));
}
`,
  [`agents/${name}/rules.ts`]: `import type { Params } from '../../lib/contract/params.ts';
import type { params } from './params.ts';

/** What is wrong with these parameters on any machine, a sentence each. */
export const rules = ({ state }: Params<typeof params>): readonly string[] =>
  state.startsWith('/') ? [] : [\`state=\${state} is not an absolute path\`];
`,
  [`agents/${name}/agent.ts`]: `import { defineAgent } from '../../lib/ocf/agent.ts';
import { monitor } from './monitor.ts';
import { params } from './params.ts';
import { rules } from './rules.ts';

export const ${variable} = defineAgent({
  name: '${name}',
  short: 'What it looks after, in a few words',
  params,
  needs: [],
  rules,
  actions: {
    start: { timeout: '20s', run: async (ctx) => (await import('./start.ts')).start(ctx) },
    stop: { timeout: '20s', run: async (ctx) => (await import('./stop.ts')).stop(ctx) },
    monitor: { timeout: '20s', interval: '10s', run: monitor },
    'validate-all': { timeout: '5s' },
    'reload-agent': { timeout: '20s', run: async () => {} }, // only the trace parameters can change
  },
});
`,
  [`agents/${name}/main.ts`]: `import { main } from '../../lib/ocf/main.ts';
import { ${variable} } from './agent.ts';

main(${variable});
`,
  [`metadata/en/${name}.ts`]: `import type { params } from '../../agents/${name}/params.ts';
import type { EnglishProse } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  long: 'What it does, what "running" means, what must be there before it.',
  params: { state: 'What it is for, what happens when it is not set.', ...traceProse },
} satisfies EnglishProse<typeof params>;
`,
  [`metadata/zh-CN/${name}.ts`]: `import type { params } from '../../agents/${name}/params.ts';
import type { Prose } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  short: '用几个字说明它负责什么',
  long: '它做什么，“运行中”是什么意思，之前必须先有什么。',
  params: {
    state: { short: '运行期间存在的文件', long: '用途，以及不设置时的行为。' },
    ...traceProse,
  },
} satisfies Prose<typeof params>;
`,
  [`test/unit/agents/${name}/life.test.ts`]: `import { expect, test } from 'vitest';
import { ${variable} } from '../../../../agents/${name}/agent.ts';
import { FakeMachine } from '../../../fake/machine.ts';
import { type Call, checkCalls, silentLog } from '../../../fake/story.ts';
import { runAction } from '../../../../lib/ocf/run.ts';

test.each([
  ['its life', {}, 'probe 7, start 0, start 0, rec 0, stop 0, stop 0, rec 7'],
  ['a relative path', { state: 'x' }, 'validate-all 6, start 6, stop 0'],
  ['no parameter', { state: '' }, 'start 6, probe 7, stop 0'],
])('%s', async (_what, params, calls) => {
  const given = { state: '/run/it', ...params };
  const machine = new FakeMachine({ OCF_RESKEY_state: given.state });
  const call = ({ action, env }: Call) => {
    Object.assign(machine.env, env);
    return runAction(${variable}, action, machine, silentLog);
  };
  await checkCalls(calls, call);
  expect(machine.files.has('/run/it')).toBe(false);
});
`,
  [`docs/differences/${name}.md`]: `# ${name}: where it deliberately differs from ocf:heartbeat:${name}

| Situation | stock | tsha | why |
|---|---|---|---|
`,
});

/** The catalogue with one more entry, at the end: that is the order in which a cluster starts them. */
function withEntry(catalogue: string, name: string, variable: string): string {
  return catalogue
    .replace(/(import type \{ ParamTable)/, `import { ${variable} } from '../agents/${name}/agent.ts';\n$1`)
    .replace(/(import type \{ Languages)/, `import ${variable}En from './en/${name}.ts';\n$1`)
    .replace(/(\n\/\*\* An agent and its prose)/, `import ${variable}Zh from './zh-CN/${name}.ts';\n$1`)
    .replace(/\n\];\n/, `\n  described(${variable}, { en: ${variable}En, 'zh-CN': ${variable}Zh }),\n];\n`);
}

const [name = ''] = process.argv.slice(2);
if (!/^[A-Za-z]\w*$/.test(name)) {
  console.error('usage: ./build.sh new-agent NAME (as resources will spell it: ocf:tsha:NAME)');
  process.exit(2);
}
const variable = name.replace(/^[A-Z]+/, (capitals) => capitals.toLowerCase());
const files = agent(name, variable);
const taken = Object.keys(files).filter((file) => existsSync(join(projectFolder, file)));
if (taken.length > 0) {
  console.error(`there is a ${name} already: ${taken.join(', ')}`);
  process.exit(1);
}
for (const [file, text] of Object.entries(files)) {
  mkdirSync(dirname(join(projectFolder, file)), { recursive: true });
  writeFileSync(join(projectFolder, file), text);
}
const catalogue = join(projectFolder, 'metadata/catalogue.ts');
writeFileSync(catalogue, withEntry(readFileSync(catalogue, 'utf8'), name, variable));
console.log(`${Object.keys(files).join('\n')}\nmetadata/catalogue.ts

Next: ./build.sh golden, ./build.sh test types lint unit, then read CONTRIBUTING.md, "An agent".`);
