import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { statusData } from '../../../cli/commands/status.ts';
import { type Facts, gather } from '../../../cli/facts/gather.ts';
import { findingsNow } from '../../../cli/findings/now.ts';
import { endingFor } from '../../../cli/output/findings.ts';
import { envelope } from '../../../cli/output/json.ts';
import { envelopeShape } from '../../../cli/output/schema.ts';
import { statusScreen } from '../../../cli/output/status-screen.ts';
import { terminalFor } from '../../../cli/output/terminal.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { type Captured, captured } from '../../fake/captured.ts';
import { hangs } from '../../fake/machine.ts';

process.env['TZ'] = 'UTC';
const terminal = terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false });

const look = ({ machine, time }: Captured): Promise<Facts> => gather(hostOn(machine, 60_000), time);

/** The first line and the codes: what an operator acts on. */
async function seen(captured: Captured) {
  const facts = await look(captured);
  const findings = findingsNow(facts);
  const [first = '', ...rest] = statusScreen(facts, findings, terminal);
  const { time, node } = facts;
  const json = envelope({ kind: 'status', time, node, findings, data: statusData(facts) });
  expect(envelopeShape.parse(json)).toEqual(json);
  return { first, rest, codes: findings.map(({ code }) => code), ending: endingFor(findings) };
}

// biome-ignore format: a table
describe('status of a cluster of the lab', () => {
  test.each([
    ['healthy.node1',     /^lab {2}OK {2}node2 serves 10\.77\.0\.20 since [\d:]+, with a second copy/, [], 'well'],
    ['healthy.node2',     /^lab {2}OK {2}node2 serves/, [], 'well'],
    ['degraded.node1',    /^lab {2}DEGRADED .*without a second copy/, ['DISCONNECTED'], 'attention'],
    ['degraded.node2',    /^lab {2}DEGRADED .*without a second copy/, ['DISCONNECTED'], 'attention'],
    ['syncing.node1',     /^lab {2}DEGRADED .*without a second copy/, ['SYNCING'], 'attention'],
    ['syncing.node2',     /^lab {2}DEGRADED .*without a second copy/, ['SYNCING'], 'attention'],
    ['standby.node1',     /^lab {2}DEGRADED .*without a second copy/, ['NODE_STANDBY'], 'attention'],
    ['standby.node2',     /^lab {2}DEGRADED .*without a second copy/, ['NODE_STANDBY'], 'attention'],
    ['maintenance.node2', /^lab {2}DEGRADED .*without a second copy/, ['NODE_STANDBY_UNTIL_REBOOT'], 'attention'],
    ['failed.node1',      /^lab {2}DEGRADED .*with a second copy/, ['RESOURCE_FAILED'], 'attention'],
    ['moving.node1',      /^lab {2}MOVING {2}10\.77\.0\.20 is on its way/, ['NOT_SERVING', 'SWITCH_UNFINISHED'], 'broken'],
    ['split.node1',       /^lab {2}DEGRADED .*without a second copy/, ['SPLIT_BRAIN'], 'broken'],
    ['split.node2',       /^lab {2}DEGRADED .*without a second copy/, ['SPLIT_BRAIN'], 'broken'],
  ] as const)('%s', async (name, first, codes, ending) => {
    const status = await seen(captured(name));
    expect(status).toMatchObject({ codes, ending });
    expect(status.first).toMatch(first);
  });

  test('healthy: both nodes, their data, the service, and nothing to do', async () => {
    const { rest } = await seen(captured('healthy.node2'));
    expect(rest).toEqual([
      '',
      '  NODE     CLUSTER     DATA       DISK      STANDBY',
      '  node1    online, DC  Secondary  UpToDate  no',
      '  node2 *  online      Primary    UpToDate  no',
      '',
      '  REPLICATION  node2 ✓ node1  in sync',
      '  SERVICE      NFS ✓  nfs-daemon ✓  nfs-root ✓  nfs_ip ✓  nfs-notify ✓',
      '  CLIENTS      0 NFSv4, 0 others   grace: over',
      '',
      'Nothing to do.',
    ]);
  });

  test('syncing: a bar, the rate, the time left', async () => {
    const { rest } = await seen(captured('syncing.node1'));
    expect(rest.join('\n')).toMatch(/REPLICATION {2}node1 ← node2 {2}█+░+ [\d.]+ % {2}\d+ MiB\/s {2}\d+ s left/);
  });
});

describe('the first line, where the data are safe and nobody could take over', () => {
  test.each([
    ['is offline', { online: false }],
    ['is in standby', { standby: 'forever' }],
    ['is in maintenance', { maintenance: true }],
    ['is about to join', { pending: true }],
  ] as const)('the other node %s', async (_what, change) => {
    const facts = await look(captured('healthy.node2'));
    if (facts.cluster.is !== 'known') throw new Error('this capture has a cluster');
    const { value } = facts.cluster;
    const nodes = value.nodes.map((node) => (node.name === 'node1' ? { ...node, ...change } : node));
    const changed: Facts = { ...facts, cluster: { is: 'known', value: { ...value, nodes } } };
    const [first] = statusScreen(changed, findingsNow(changed), terminal);
    expect(first).toMatch(/^lab {2}DEGRADED .*, but no other node that could take over/);
  });
});

describe('what cannot be found out is said, and is never taken for absent', () => {
  test('no cluster on this node', async () => {
    const one = captured('healthy.node1');
    one.machine.on('cibadmin', () => ({
      code: 102,
      stderr: 'cibadmin: Could not connect to the CIB: Transport endpoint is not connected\n',
    }));
    const { first, rest, codes, ending } = await seen(one);
    expect({ codes, ending }).toEqual({ codes: ['COULD_NOT_FIND_OUT'], ending: 'unknown' });
    expect(first).toMatch(/^tsha {2}UNKNOWN/);
    expect(rest.join('\n')).toContain('the cluster does not run on this node');
  });

  test('cibadmin hangs', async () => {
    const one = captured('healthy.node1');
    one.machine.on('cibadmin', (_, command) => hangs(command, one.machine));
    const { rest, ending } = await seen(one);
    expect(ending).toBe('unknown');
    expect(rest.join('\n')).toContain('cibadmin did not answer within 10 s');
  });

  test('DRBD does not answer: a member of haclient relies on what the agents have published', async () => {
    const one = captured('healthy.node2');
    one.machine.on('drbdsetup', () => ({ code: 20, stderr: 'Operation not permitted\n' }));
    const { first, codes, ending } = await seen(one);
    expect({ codes, ending }).toEqual({ codes: [], ending: 'well' });
    expect(first).toContain('with a second copy');
  });

  test('DRBD does not answer, and nothing is published', async () => {
    const one = captured('healthy.node2');
    const whole = one.machine.on.bind(one.machine);
    const cib = (await one.machine.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 })).stdout;
    whole('cibadmin', () => cib.replace(/<nvpair [^>]*name="tsha-drbd-data"[^>]*\/>/g, ''));
    whole('drbdsetup', () => ({ code: 20, stderr: 'Operation not permitted\n' }));
    const { first, codes, ending } = await seen(one);
    expect({ codes, ending }).toEqual({ codes: ['COULD_NOT_FIND_OUT'], ending: 'unknown' });
    expect(first).toContain('whether there is a second copy is unknown');
  });
});

describe('where it is shown', () => {
  test('Chinese', async () => {
    const facts = await look(captured('standby.node2'));
    const chinese = terminalFor({ LANG: 'zh_CN.UTF-8' }, { isTTY: false });
    const lines = statusScreen(facts, findingsNow(facts), chinese);
    expect(lines[0]).toMatch(/^lab {2}降级 {2}node2 提供 10\.77\.0\.20，自 [\d:]+，没有第二份数据/);
    expect(lines.join('\n')).toContain('node1 处于 standby');
  });

  test.each([
    [{ LANG: 'C' }, { isTTY: true, columns: 60 }],
    [{ LANG: 'en_US.ISO-8859-1' }, { isTTY: false }],
  ])('marks in ASCII with %j', async (env, stream) => {
    const facts = await look(captured('degraded.node1'));
    const lines = statusScreen(facts, findingsNow(facts), terminalFor(env, stream));
    expect(lines.join('\n')).toMatch(/^\p{ASCII}*$/u);
  });

  test.each([
    [{ NO_COLOR: '1' }, true, false],
    [{ TERM: 'dumb' }, true, false],
    [{}, true, true],
    [{}, false, false],
  ])('colours with %j, terminal %s: %s', (env, isTTY, coloured) => {
    expect(terminalFor(env, { isTTY }).paint.bad('x') !== 'x').toBe(coloured);
  });

  test('a name that would write to the terminal is made harmless', async () => {
    const one = captured('healthy.node1');
    const { stdout } = await one.machine.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 });
    one.machine.on('cibadmin', () =>
      stdout.replace(/name="cluster-name" value="lab"/, 'name="cluster-name" value="l&#x1b;[2J"'),
    );
    const facts = await look(one);
    expect(statusScreen(facts, [], terminal)[0]).not.toContain('\x1b');
  });
});

test('every finding has a Chinese text with the same facts', async () => {
  const { catalogue } = await import('../../../lib/findings/catalogue.ts');
  const { chinese } = await import('../../../lib/findings/zh-CN.ts');
  const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort();
  for (const [code, { what }] of Object.entries(catalogue))
    expect(holes(chinese[code as keyof typeof chinese].what), code).toEqual(holes(what));
});

test('every finding has its chapter in docs/operating.md', async () => {
  const { catalogue } = await import('../../../lib/findings/catalogue.ts');
  const chapters = new Set(
    [...readFileSync('docs/operating.md', 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    ),
  );
  for (const [code, { see }] of Object.entries(catalogue)) expect(chapters, code).toContain(see);
});

test('the schema that is shipped is the one that outputs are tested by', async () => {
  const { jsonSchema } = await import('../../../cli/output/schema.ts');
  await expect(`${JSON.stringify(jsonSchema(), null, 2)}\n`).toMatchFileSnapshot(
    '../../../docs/tsha.schema.json',
  );
});
