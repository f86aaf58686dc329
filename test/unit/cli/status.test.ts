import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { statusData } from '../../../cli/commands/status.ts';
import { type Facts, gather } from '../../../cli/facts/gather.ts';
import { barredNodes } from '../../../cli/findings/barred.ts';
import { findingsNow } from '../../../cli/findings/now.ts';
import { endingFor } from '../../../cli/output/findings.ts';
import { envelope } from '../../../cli/output/json.ts';
import { envelopeShape } from '../../../cli/output/schema.ts';
import { statusScreen } from '../../../cli/output/status-screen.ts';
import { terminalFor } from '../../../cli/output/terminal.ts';
import { hostOn } from '../../../lib/host/host.ts';
import type { Output } from '../../../lib/host/sys/sys.ts';
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

test.each([['before'], ['behind']])(
  'clients of a service that does not answer, another one %s it in the configuration',
  async (place) => {
    const one = captured('healthy.node2');
    one.machine.files.set('/proc/net/rpc/nfsd', 'th 0 0\n');
    const facts = await look(one);
    if (facts.cluster.is !== 'known') throw new Error('this capture has a cluster');
    const { value } = facts.cluster;
    const [primitive] = value.cib.primitives;
    const [instance] = value.instances;
    if (!primitive || !instance) throw new Error('this capture has resources');
    const web = { ...primitive, id: 'web', agent: 'ocf:heartbeat:apache', type: 'apache', clone: null };
    const there = { ...instance, id: 'web', role: 'Started', node: 'node1' };
    const { primitives } = value.cib;
    const cib = {
      ...value.cib,
      primitives: place === 'before' ? [web, ...primitives] : [...primitives, web],
    };
    const changed: Facts = {
      ...facts,
      cluster: { is: 'known', value: { ...value, cib, instances: [...value.instances, there] } },
    };
    expect(statusScreen(changed, findingsNow(changed), terminal)[0]).toMatch(
      /^lab {2}DOWN {2}node2 has 10\.77\.0\.20, but clients wait/,
    );
  },
);

describe('a node that the cluster has lost, and DRBD has not', () => {
  test.each([
    [
      'offline, and Primary',
      { online: false },
      'Primary',
      /^lab {2}UNKNOWN {2}node2 has the data and may serve 10\.77\.0\.20/,
      ['PRIMARY_UNSEEN', 'NODE_OFFLINE'],
    ],
    [
      'offline, and Secondary',
      { online: false },
      'Secondary',
      /^lab {2}DOWN/,
      ['NOT_SERVING', 'NODE_OFFLINE'],
    ],
    ['a member, and Primary', {}, 'Primary', /^lab {2}DOWN/, ['NOT_SERVING']],
  ] as const)('%s', async (_what, change, role, line, codes) => {
    const one = captured('healthy.node1');
    const drbd = one.machine.handler('drbdsetup');
    one.machine.on('drbdsetup', async (args, command) => {
      const output = await drbd(args, command);
      const text = typeof output === 'string' ? output : (output?.stdout ?? '');
      return text.replace('role:Primary', `role:${role}`);
    });
    const facts = await look(one);
    if (facts.cluster.is !== 'known') throw new Error('this capture has a cluster');
    const { value } = facts.cluster;
    const nodes = value.nodes.map((node) => (node.name === 'node2' ? { ...node, ...change } : node));
    const instances = value.instances.map((is) =>
      is.node === 'node2' ? { ...is, node: null, role: 'Stopped' } : is,
    );
    const changed: Facts = { ...facts, cluster: { is: 'known', value: { ...value, nodes, instances } } };
    const findings = findingsNow(changed);
    expect(findings.map(({ code }) => code)).toEqual(codes);
    expect(endingFor(findings)).toBe('broken');
    expect(statusScreen(changed, findings, terminal)[0]).toMatch(line);
  });
});

describe('a node that failures have barred', () => {
  const at = 1_795_894_587;
  type Meta = { readonly [name: string]: string };
  // biome-ignore format: a table
  test.each<readonly [what: string, action: string, count: string, own: Meta, defaults: Meta, isBarred: boolean]>([
    ['a start that failed',                             'start_0', 'INFINITY', {}, { 'migration-threshold': '3' }, true],
    ['a start that failed, forgotten by now',           'start_0', 'INFINITY', {}, { 'failure-timeout': '30s' }, false],
    ['a start that failed, not forgotten yet',          'start_0', 'INFINITY', {}, { 'failure-timeout': '10min' }, true],
    ['one monitor of three',                            'monitor_30000', '1', {}, { 'migration-threshold': '3' }, false],
    ['three monitors of three',                         'monitor_30000', '3', {}, { 'migration-threshold': '3' }, true],
    ['the resource’s own threshold, before the default', 'monitor_30000', '1', { 'migration-threshold': '1' }, { 'migration-threshold': '3' }, true],
    ['many, without a threshold',                       'monitor_30000', '50', {}, {}, false],
    ['many, and a threshold of 0, which is none',       'monitor_30000', '50', {}, { 'migration-threshold': '0' }, false],
  ])('%s', async (_what, action, count, own, defaults, isBarred) => {
    const facts = await look(captured('healthy.node1'));
    if (facts.cluster.is !== 'known') throw new Error('this capture has a cluster');
    const { cib } = facts.cluster.value;
    const transient = { [`fail-count-nfs_ip#${action}`]: count, [`last-failure-nfs_ip#${action}`]: String(at) };
    const node = cib.nodes.get('node2');
    if (!node) throw new Error('this capture has a node2');
    const changed = {
      ...cib,
      defaults,
      nodes: new Map([...cib.nodes, ['node2', { ...node, transient }]]),
      primitives: cib.primitives.map((one) => (one.id === 'nfs_ip' ? { ...one, meta: own } : one)),
    };
    const found = [...barredNodes({ ...facts, time: (at + 60) * 1000 }, changed)];
    expect(found.map(({ code, facts: told }) => ({ code, ...told }))).toEqual(
      isBarred ? [{ code: 'BARRED_BY_FAILURES', resource: 'nfs_ip', node: 'node2', action: action.split('_')[0] }] : [],
    );
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
    expect({ codes, ending }).toEqual({ codes: ['CLUSTER_NOT_HERE'], ending: 'unknown' });
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

/** As root: nobody but a kernel, or a program, that does not answer. */
describe('what did not answer, and should have', () => {
  const hung = (program: string) => (one: Captured) =>
    one.machine.on(program, (_, command) => hangs(command, one.machine));
  const unreadable = (path: string, code: string) => (one: Captured) => {
    const read = one.machine.read.bind(one.machine);
    one.machine.read = async (file) => {
      if (file === path) throw Object.assign(new Error(code), { code });
      return read(file);
    };
  };
  const grep = (stderr: string) => (one: Captured) => one.machine.on('grep', () => ({ code: 2, stderr }));
  const [clients, grace] = ['/proc/fs/nfsd/clients', '/proc/fs/nfsd/v4_end_grace'];
  const none = 'No such file or directory';

  // biome-ignore format: a table
  test.each<readonly [string, string, (one: Captured) => unknown, uid: number, said: RegExp | null]>([
    ['DRBD hangs, on the node that serves',        'node2', hung('drbdsetup'), 0, /the state of DRBD .*pid 77/],
    ['DRBD hangs, on the other one',               'node1', hung('drbdsetup'), 0, /the state of DRBD .*pid 77/],
    ['DRBD hangs, and a member of haclient asks',  'node2', hung('drbdsetup'), 1000, /the state of DRBD .*pid 77/],
    ['a member of haclient may not ask DRBD',      'node2', (one) => one.machine.on('drbdsetup', () => ({ code: 10 })), 1000, null],
    ['DRBD has no answer for root',                'node2', (one) => one.machine.on('drbdsetup', () => ({ code: 10 })), 0, /the state of DRBD/],
    ['nfsd hangs, on the node that serves',        'node2', hung('grep'), 0, /the clients and the grace period of the NFS server .*nfsd does not answer/],
    ['nfsd hangs, where nobody serves',            'node1', hung('grep'), 0, null],
    ['nfsd is for root only',                      'node2', grep(`grep: ${grace}: Permission denied\n`), 1000, null],
    ['nfsd has an error',                          'node2', grep(`grep: ${grace}: Input/output error\n`), 0, /NFS server .*error/],
    ['an old kernel does not tell',                'node2', grep(`grep: ${clients}: ${none}\ngrep: ${grace}: ${none}\n`), 0, null],
    ['the table of mounts cannot be read',         'node2', unreadable('/proc/self/mountinfo', 'EIO'), 0, /what is mounted/],
    ['the threads of nfsd cannot be read',         'node2', unreadable('/proc/net/rpc/nfsd', 'EIO'), 0, /the NFS server /],
    ['the threads of nfsd are not told',           'node2', ({ machine }) => machine.files.set('/proc/net/rpc/nfsd', 'rc 0 0 0\n'), 0, /the NFS server /],
    ['the note of a command cannot be read',       'node1', unreadable('/run/tsha/at-work', 'EIO'), 0, /whether a command of tsha is at work/],
    ['the note of a command may not be read',      'node1', unreadable('/run/tsha/at-work', 'EACCES'), 1000, null],
  ])('%s', async (_, node, prepare, uid, said) => {
    const one = captured(`healthy.${node}`);
    one.machine.uid = uid;
    prepare(one);
    const { first, rest, codes, ending } = await seen(one);
    expect({ codes, ending }).toEqual(
      said ? { codes: ['COULD_NOT_FIND_OUT'], ending: 'unknown' } : { codes: [], ending: 'well' },
    );
    expect(first).toMatch(said ? /^lab {2}UNKNOWN {2}node2 serves/ : /^lab {2}OK .*with a second copy/);
    if (said) expect(rest.join(' ')).toMatch(said);
    if (said?.source.includes('DRBD')) expect(first).toContain('whether there is a second copy is unknown');
  });

  test('a client that has left meanwhile is no trouble', async () => {
    const one = captured('healthy.node2');
    one.machine.on('grep', (args) =>
      args.includes(grace ?? '')
        ? 'Y\n'
        : {
            code: 2,
            stdout: 'address: "10.0.0.9:7"\n',
            stderr: `grep: ${clients}/7/info: No such device or address\n`,
          },
    );
    const { rest, codes } = await seen(one);
    expect(codes).toEqual([]);
    expect(rest.join('\n')).toMatch(/CLIENTS +1 NFSv4, 0 others/);
  });
});

describe('the address of a service', () => {
  const parameter = (name: string, value: string) =>
    `<nvpair id="x-${name}" name="${name}" value="${value}"/>`;
  const link = (ip: string, flags: readonly string[] = ['UP']) =>
    JSON.stringify([
      {
        ...{ ifname: 'eth9', ifindex: 9, flags, operstate: 'DOWN' },
        addr_info: [{ family: 'inet6', local: ip, prefixlen: 64 }],
      },
    ]);
  const inNamespace = parameter('network_namespace', 'blue');

  // biome-ignore format: a table
  test.each<readonly [string, ip: string, more: string, running: string, ips: Partial<Output> | string, codes: readonly string[]]>([
    ['spelled otherwise',                       'FD00::0:20', '', 'fd00::20', '[]', []],
    ['on a link without carrier',               'fd00::20', '', 'fd00::1', link('fd00::20', ['UP', 'NO-CARRIER']), []],
    ['on no interface',                         'fd00::20', '', 'fd00::1', link('fd00::21'), ['ADDRESS_MISSING']],
    ['looked for in vain',                      'fd00::20', '', 'fd00::1', { code: 2, stderr: 'ip: netlink: No buffer space\n' }, ['COULD_NOT_FIND_OUT']],
    ['in another namespace',                    'fd00::20', inNamespace, 'fd00::1', link('fd00::20'), []],
    ['not in its namespace, but here',          'fd00::20', inNamespace, 'fd00::20', link('fd00::21'), ['ADDRESS_MISSING']],
    ['one of each instance',                    '10.77.0.30', parameter('unique_clone_address', 'true'), '10.77.0.31', '[]', []],
    ['no address',                              'service.example', '', '10.77.0.31', '[]', []],
  ])('%s', async (_, ip, more, running, ips, codes) => {
    const one = captured('healthy.node2');
    const { stdout } = await one.machine.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 });
    one.machine.on('cibadmin', () =>
      stdout.replace(/(<nvpair [^>]*name="ip" value=")10\.77\.0\.20("[^>]*>)/, `$1${ip}$2${more}`),
    );
    one.machine.running = [{ name: 'eth0', address: running, prefix: 64 }];
    one.machine.files.set('/run/netns/blue', '');
    one.machine.on('ip', (args) => {
      expect(args.join(' ')).toBe(`${more === inNamespace ? '-n blue ' : ''}-j address show`);
      return ips;
    });
    expect((await seen(one)).codes).toEqual(codes);
  });
});

describe('switched off on purpose', () => {
  const off = '<meta_attributes id="m"><nvpair id="n" name="target-role" value="Stopped"/></meta_attributes>';
  const all = ['NFS', 'nfs-daemon', 'nfs-root', 'nfs_ip', 'nfs-notify'];
  const last = ['nfs-notify'];
  const whole = /^lab {2}OFF {2}10\.77\.0\.20 is switched off/;
  const part = /^lab {2}DEGRADED {2}node2 runs 10\.77\.0\.20 in part: nfs-notify is switched off/;

  // biome-ignore format: a table
  test.each<readonly [string, RegExp, readonly string[], RegExp, readonly string[], ending: string]>([
    ['the group',           /<group id="nfsshare">/, all, whole, ['RESOURCE_DISABLED'], 'attention'],
    ['everything',          /<\/configuration>/, all, whole, ['DISABLED_BY_DEFAULT'], 'attention'],
    ['one, others run',     /<primitive [^>]*id="nfs-notify"[^>]*>/, last, part, ['RESOURCE_DISABLED'], 'attention'],
    ['nothing: it is down', /<constraints>/, all, /^lab {2}DOWN {2}no node serves/, ['NOT_SERVING'], 'broken'],
  ])('%s', async (what, place, stopped, first, codes, ending) => {
    const one = captured('healthy.node2');
    const ask = async (...argv: [string, ...string[]]) =>
      (await one.machine.run({ argv, timeoutMs: 1 })).stdout;
    const cib = await ask('cibadmin', '--query');
    const mon = await ask('crm_mon', '--output-as=xml', '--one-shot', '--inactive');
    const put: { readonly [what: string]: (tag: string) => string } = {
      everything: (tag) => `<rsc_defaults>${off}</rsc_defaults>${tag}`,
      'nothing: it is down': (tag) => `${tag} `,
    };
    const changed = cib.replace(place, put[what] ?? ((tag) => `${tag}${off}`));
    expect(changed).not.toBe(cib);
    one.machine.on('cibadmin', () => changed);
    one.machine.on('crm_mon', () =>
      stopped.reduce(
        (text, id) =>
          text.replace(
            new RegExp(`<resource id="${id}"[\\s\\S]*?</resource>`),
            `<resource id="${id}" resource_agent="ocf:tsha:x" role="Stopped" active="false" managed="true"/>`,
          ),
        mon,
      ),
    );
    const status = await seen(one);
    expect(status).toMatchObject({ codes, ending });
    expect(status.first).toMatch(first);
    if (stopped === last)
      expect(status.rest.join('\n')).toContain('NFS ✓  nfs-daemon ✓  nfs-root ✓  nfs_ip ✓  nfs-notify ✗');
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
