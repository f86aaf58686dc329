import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { readBoolean } from '../../lib/contract/params.ts';
import { projectFolder } from '../../packaging/products.ts';
import { type AgentName, agents, validParams } from './agents.ts';
import { agentOf, cluster, dummyOf, type Env, run, sandbox } from './call.ts';
import { type Flavour, flavours } from './flavours.ts';

// ocf-contract cases 1-17.

type Attributes = { readonly [name: string]: string };
type Parameter = Attributes & { readonly content: readonly [Attributes] };
type Agent = Attributes & {
  readonly parameters: readonly [{ readonly parameter: readonly Parameter[] }];
  readonly actions: readonly [{ readonly action: readonly Attributes[] }];
};

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  isArray: (_name, path, _isLeaf, isAttribute) => !isAttribute && path !== 'resource-agent',
});

function read(xml: string) {
  const agent = parser.parse(xml)['resource-agent'] as Agent;
  const parameters = new Map(
    agent.parameters[0].parameter.map((parameter) => [parameter['name'] ?? '', parameter]),
  );
  return { agent, parameters, actions: agent.actions[0].action };
}

const fileOf = (flavour: Flavour, name: 'Dummy' | AgentName) =>
  name === 'Dummy' ? dummyOf(flavour) : agentOf(flavour, name);
const cases = flavours.flatMap((flavour) =>
  (['Dummy', ...agents] as const).map((name) => [flavour, name] as const),
);

describe.each(cases)('%s %s: meta-data', (flavour, name) => {
  const file = () => fileOf(flavour, name);
  const document = async () => (await run([file(), 'meta-data'])).stdout;

  test.each<[string, readonly string[], Env]>([
    ['the environment of pcs', [], { PATH: '/bin:/usr/bin' }],
    ['a cluster', [], cluster('/nonexistent')],
    [
      'nobody, without a home',
      ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
      { HOME: '/nonexistent' },
    ],
    ['a host without tools', [], { OCF_TESTER_FAIL_HAVE_BINARY: '1', PATH: '/nonexistent' }],
    ['text output wanted', [], { OCF_OUTPUT_FORMAT: 'text' }],
    ['HTML output wanted', [], { OCF_OUTPUT_FORMAT: 'html' }],
    ['parameters set', [], { ...(name === 'Dummy' ? {} : validParams[name]), OCF_RESKEY_trace_ra: '1' }],
    ['a runtime that cannot start', [], { NODE_OPTIONS: '--bogus', BUN_OPTIONS: '--bogus' }],
  ])('the same with %s', async (_what, prefix, env) => {
    const expected = await document(); // asked with no environment at all
    const answer = await run([...prefix, file(), 'meta-data'], env);
    expect(answer).toMatchObject({ code: 0, stdout: expected, stderr: '' });
  });

  test('no process is started for it', async () => {
    const trace = join(sandbox(), 'trace');
    const calls = 'trace=execve,fork,vfork,clone,clone3';
    await run(['strace', '-f', '-qq', '-z', '-e', calls, '-o', trace, file(), 'meta-data']);
    expect(readFileSync(trace, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  test('is what ocf-tester, crmsh, pcs and the specification accept', async () => {
    const xml = await document();
    const dir = sandbox();
    for (const check of [['--valid'], ['--relaxng', join(projectFolder, 'test/contract/ocf-1.1.rng')]])
      expect(
        await run(
          ['xmllint', '--noout', '--nonet', ...check, '-'],
          { PATH: '/usr/bin:/bin' },
          { input: xml, cwd: dir },
        ),
      ).toMatchObject({ code: 0 });
    expect(xml).toMatch(/^<\?xml version="1.0"\?>\n/); // crmsh refuses an encoding
    expect(xml).not.toMatch(/\0|private=/);
    expect(Buffer.byteLength(xml)).toBeLessThan(64 * 1024);
    expect(read(xml).agent['name']).toBe(name);
  });

  test('actions are complete and tell a monitor from another', async () => {
    const { actions } = read(await document());
    const names = actions.map((action) => action['name']);
    expect(names).toEqual(expect.arrayContaining(['start', 'stop', 'monitor', 'meta-data', 'validate-all']));
    expect(names.includes('promote')).toBe(names.includes('demote'));
    const monitors = actions.filter((action) => action['name'] === 'monitor');
    const intervals = monitors.map(({ interval }) => interval);
    expect(new Set(intervals).size).toBe(intervals.length);
    for (const monitor of monitors) {
      expect(monitor).toHaveProperty('interval');
      expect(monitor).toHaveProperty('depth');
      expect('role' in monitor).toBe(names.includes('promote'));
    }
  });

  test('English comes first', async () => {
    const languages = [...(await document()).matchAll(/<(long|short)desc lang="([\w-]+)"/g)].map(
      ([, , language]) => language,
    );
    expect(languages.length).toBeGreaterThan(0);
    for (let i = 0; i < languages.length; i += 2) expect(languages.slice(i, i + 2)).toEqual(['en', 'zh-CN']);
  });
});

test.each(cases.filter(([, name]) => name !== 'Dummy'))(
  '%s %s: prints the golden document',
  async (flavour, name) => {
    const { stdout } = await run([fileOf(flavour, name), 'meta-data']);
    await expect(stdout).toMatchFileSnapshot(join(projectFolder, 'metadata/golden', `${name}.xml`));
  },
);

/** Defaults that differ from the stock agent of Debian 12 on purpose. */
const otherDefaults: Readonly<Record<string, { readonly stock: string; readonly ours: string }>> = {
  // Not a value, but words about what happens without one.
  nfs_init_script: { stock: 'auto detected', ours: '' },
  // As in resource-agents since 4.15.
  lvs_ipv6_addrlabel: { stock: 'false', ours: 'true' },
};

describe('the stock agent’s parameters', () => {
  const stockFile = (name: string) =>
    `/usr/lib/ocf/resource.d/${name === 'drbd' ? 'linbit' : 'heartbeat'}/${name}`;
  const stockDocument = async (name: string) => {
    const { stdout } = await run([stockFile(name), 'meta-data'], {
      ...cluster('/nonexistent'),
      OCF_RESOURCE_TYPE: name,
    });
    return stdout;
  };

  test.each(agents)('%s: every name and default is here', async (name) => {
    expect(existsSync(stockFile(name)), `${stockFile(name)} is not installed`).toBe(true);
    const stock = read(await stockDocument(name)).parameters;
    const ours = read((await run([agentOf('script', name), 'meta-data'])).stdout).parameters;
    const meant = (table: typeof ours, parameter: string) => {
      const { default: value = '' } = table.get(parameter)?.content[0] ?? {};
      return ours.get(parameter)?.content[0]['type'] === 'boolean' ? (readBoolean(value) ?? value) : value;
    };
    for (const parameter of stock.keys()) {
      expect(ours.has(parameter), parameter).toBe(true);
      const [here, there] = [meant(ours, parameter), meant(stock, parameter)];
      const differs = otherDefaults[parameter];
      if (differs && String(there) === differs.stock) expect(String(here), parameter).toBe(differs.ours);
      else expect(here, parameter).toBe(there);
    }
  });

  test.each(agents)('%s: no action has less time than the stock one', async (name) => {
    const timeouts = (xml: string) =>
      new Map(
        read(xml).actions.map((action) => [action['name'], Number.parseInt(action['timeout'] ?? '0', 10)]),
      );
    const ours = timeouts((await run([agentOf('script', name), 'meta-data'])).stdout);
    for (const [action, seconds] of timeouts(await stockDocument(name)))
      if (ours.has(action) && action !== 'meta-data')
        // ours is a text in the launcher
        expect({ action, enough: (ours.get(action) ?? 0) >= seconds }).toEqual({ action, enough: true });
  });
});
