import { describe, expect, test } from 'vitest';
import { drbd as agent } from '../../agents/drbd/agent.ts';
import { allowsTwoPrimaries } from '../../agents/drbd/two-primaries.ts';
import { blockDeviceUsers } from '../../lib/host/block-device-users.ts';
import { promotedInText, promotedInXml } from '../../lib/host/cluster.ts';
import { hostOn } from '../../lib/host/host.ts';
import type { Log } from '../../lib/ocf/log.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { FakeDrbd, resource, volumes } from '../fake/drbd.ts';
import { FakeMachine } from '../fake/machine.ts';

const silent: Log = { crit() {}, error() {}, warn() {}, info() {}, debug() {} };
const meta = (name: string, value: string | undefined) => ({ [`OCF_RESKEY_CRM_meta_${name}`]: value });
const param = (name: string, value: string) => ({ [`OCF_RESKEY_${name}`]: value });
const isSecondary = resource('Secondary', volumes('UpToDate'), ['beta Connected Secondary UpToDate']);
const twoPrimaries = (value: string) => `<resource name="r0">
    <connection><section name="net"><option name="_name" value="beta"/></section></connection>
    <section name="net"><option name="protocol" value="C"/>${value}</section></resource>`;

type Setup = ConstructorParameters<typeof FakeDrbd>[0];
const act = async (action: string, drbd: FakeDrbd) => {
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const result = await runAction(agent, action, drbd.machine, {
    ...silent,
    warn: note,
    error: note,
    info: note,
  });
  return { ...result, lines };
};

describe('a start is refused, a stop is not', () => {
  test.each<readonly [string, Setup, number, string]>([
    ['no resource', { env: param('drbd_resource', '') }, 6, 'drbd_resource is not set'],
    ['a name with a blank', { env: param('drbd_resource', 'a b') }, 6, 'not a name DRBD allows'],
    ['a name like an option', { env: param('drbd_resource', '--help') }, 6, 'not a name DRBD allows'],
    ['a file name with a blank', { env: param('drbdconf', '/etc/my drbd.conf') }, 6, 'drbdconf'],
    ['ge without patch level', { env: param('require_drbd_module_version_ge', '9.2') }, 6, 'x.y.z'],
    ['module too old', { env: param('require_drbd_module_version_ge', '9.2.10') }, 5, '9.2.9 is older than'],
    [
      'module too new',
      { env: param('require_drbd_module_version_lt', '9.0.0') },
      5,
      '9.2.9 is not older than',
    ],
    ['a word for yielding', { env: param('remove_master_score_if_peer_primary', 'maybe') }, 6, 'unexpected'],
    ['clone-node-max=2', { env: meta('clone_node_max', '2') }, 6, 'clone-node-max'],
    ['promoted-node-max=2', { env: meta('promoted_node_max', '2') }, 6, 'promoted-node-max'],
    ['master-node-max=2', { env: meta('master_node_max', '2') }, 6, 'promoted-node-max'],
    ['promoted-max=3', { env: meta('promoted_max', '3') }, 6, 'promoted-max'],
    ['master-max=3', { env: meta('master_max', '3') }, 6, 'promoted-max'],
    [
      'two Primaries of three',
      { env: { ...meta('promoted_max', '2'), ...meta('clone_max', '3') } },
      6,
      'clone-max=2',
    ],
    [
      'two Primaries of who knows',
      { env: { ...meta('promoted_max', '2'), ...meta('clone_max', undefined) } },
      6,
      'clone-max=2',
    ],
    ['three nodes, DRBD 8.4', { generation: 8, env: meta('clone_max', '3') }, 6, 'for two nodes only'],
    ['notify off', { env: meta('notify', 'false') }, 6, 'pcs resource meta p_drbd-clone notify=true'],
    [
      'no clone',
      { env: { ...meta('notify', undefined), ...meta('clone', undefined), ...meta('clone_max', undefined) } },
      6,
      'pcs resource promotable p_drbd notify=true',
    ],
  ])('%s', async (_what, setup, code, reason) => {
    const start = await act('start', new FakeDrbd(setup));
    expect(start).toMatchObject({ code, reason: expect.stringContaining(reason) });
    expect((await act('stop', new FakeDrbd(setup))).code).toBe(0);
    expect((await act('notify', new FakeDrbd(setup))).code).toBe(0);
  });

  test.each<readonly [string, Setup]>([
    ['ge empty: not checked', { env: param('require_drbd_module_version_ge', '') }],
    ['lt empty: not checked', { env: param('require_drbd_module_version_lt', '') }],
    ['three nodes', { env: meta('clone_max', '3') }],
    ['promoted-max=0', { env: meta('promoted_max', '0') }],
    [
      'notify off and ignored',
      { env: { ...meta('notify', 'false'), ...param('ignore_missing_notifications', 'yes') } },
    ],
    ['notified, if of nobody', { env: { ...meta('notify', undefined), ...meta('notify_start_uname', ' ') } }],
    ['a score nobody understands', { env: param('adjust_master_score', 'high') }],
  ])('accepted: %s', async (_what, setup) => {
    expect((await act('start', new FakeDrbd(setup))).code).toBe(0);
  });

  test('whatever became of the clone, what runs is watched and demoted', async () => {
    const env = { ...meta('clone_node_max', '2'), ...meta('notify', 'false') };
    const state = { ...isSecondary, role: 'Primary' };
    expect((await act('monitor', new FakeDrbd({ env, state }))).code).toBe(8);
    expect((await act('demote', new FakeDrbd({ env, state }))).code).toBe(0);
    expect((await act('promote', new FakeDrbd({ env, state: isSecondary }))).code).toBe(6);
  });
});

describe('two Primaries', () => {
  const env = meta('promoted_max', '2');
  test.each([
    ['allowed', '<option name="allow-two-primaries" value="yes"/>', 0],
    ['allowed, without a value', '<option name="allow-two-primaries"/>', 0],
    ['forbidden', '<option name="allow-two-primaries" value="no"/>', 6],
    ['not mentioned', '', 6],
  ])('%s', async (_what, option, code) => {
    for (const action of ['start', 'promote']) {
      const drbd = new FakeDrbd({ env, state: isSecondary }).answer('drbdadm dump-xml', twoPrimaries(option));
      expect((await act(action, drbd)).code).toBe(code);
    }
    for (const action of ['monitor', 'stop'])
      expect((await act(action, new FakeDrbd({ env, state: isSecondary }))).code).toBe(0);
  });
  test('a connection’s own word counts', () => {
    const connection = (value: string) =>
      `<connection><section name="net"><option name="allow-two-primaries" value="${value}"/></section></connection>`;
    const common = (value: string) =>
      `<section name="net"><option name="allow-two-primaries" value="${value}"/></section>`;
    expect(allowsTwoPrimaries(connection('yes'))).toBe(true);
    expect(allowsTwoPrimaries(connection('yes') + connection('no'))).toBe(false);
    expect(allowsTwoPrimaries(connection('no') + common('yes'))).toBe(false);
    expect(allowsTwoPrimaries(`<connection></connection>${common('yes')}`)).toBe(true);
  });
});

describe('validate-all', () => {
  const deep = { OCF_CHECK_LEVEL: '10' };
  const noClone = {
    ...meta('notify', undefined),
    ...meta('clone', undefined),
    ...meta('clone_max', undefined),
  };
  test.each<readonly [string, Setup, number]>([
    ['before there is a clone: 0, silent, nothing run', { env: noClone, module: false }, 0],
    ['notify off', { env: meta('notify', 'false') }, 0],
    ['a clone that cannot work', { env: meta('clone_node_max', '2') }, 6],
    ['no resource', { env: { ...noClone, ...param('drbd_resource', '') } }, 6],
  ])('level 0: %s', async (_what, setup, code) => {
    const drbd = new FakeDrbd(setup);
    const result = await act('validate-all', drbd);
    expect(result).toMatchObject({ code, lines: [] });
    expect(drbd.machine.ran).toEqual([]);
  });
  test.each<readonly [string, Setup, (drbd: FakeDrbd) => unknown, number]>([
    ['all is well', {}, () => {}, 0],
    ['module not loaded, but there', { module: false }, () => {}, 0],
    [
      'not in the configuration',
      {},
      (drbd) => drbd.answer('drbdadm sh-dev', { code: 1, stderr: 'not defined\n' }),
      5,
    ],
    ['no module', { module: false }, (drbd) => drbd.answer('modinfo', { code: 1 }), 5],
  ])('level 10: %s', async (_what, setup, spoil, code) => {
    const drbd = new FakeDrbd({ ...setup, env: { ...noClone, ...deep } });
    spoil(drbd);
    expect((await act('validate-all', drbd)).code).toBe(code);
    expect(drbd.score).toBe('=');
    expect(drbd.did).toEqual([]);
  });
});

test('8.4 insists on -S for a stacked resource: asked once, kept', async () => {
  const drbd = new FakeDrbd({ generation: 8, state: isSecondary });
  const { machine } = drbd;
  machine.on('drbdadm', (args) => {
    if (!args.includes('-S'))
      return { code: 1, stderr: "'r0' is a stacked resource, and not available in normal mode.\n" };
    if (args.includes('down')) drbd.state = undefined;
    return args.includes('sh-dev') ? '/dev/drbd0\n' : '';
  });
  expect((await act('start', drbd)).code).toBe(0);
  expect(machine.ran.filter((line) => line.startsWith('drbdadm') && !line.includes('-S'))).toHaveLength(1);
  expect((await act('stop', drbd)).code).toBe(0);
});

describe('where the cluster believes it promoted', () => {
  test.each([
    [
      'Pacemaker 2.0',
      'resource p_drbd is running on: alpha Master\nresource p_drbd is running on: beta\n',
      ['alpha'],
    ],
    [
      'Pacemaker 2.1',
      'resource p_drbd is running on: alpha \nresource p_drbd is running on: beta Promoted\n',
      ['beta'],
    ],
    ['nowhere', 'resource p_drbd is NOT running\n', []],
  ])('%s', (_what, text, nodes) => expect(promotedInText(text)).toEqual(nodes));
  test('XML', () => {
    const xml = '<resource><node state="promoted">node1</node><node>node2</node></resource>';
    expect(promotedInXml(xml)).toEqual(['node1']);
  });
});

describe('who keeps a block device open', () => {
  const device = { name: 'drbd1', number: '147:1' };
  const users = async (prepare: (machine: FakeMachine) => unknown) => {
    const machine = new FakeMachine();
    machine.links.set('/proc/self/ns/mnt', 'mnt:[1]');
    prepare(machine);
    return blockDeviceUsers(hostOn(machine, 10_000), device);
  };
  const line = '31 30 147:1 / /srv/a\\040b rw - xfs /dev/drbd1 rw\n';
  test.each<readonly [string, (machine: FakeMachine) => unknown, readonly string[]]>([
    ['nobody', () => {}, []],
    ['a mount', (machine) => machine.files.set('/proc/self/mountinfo', line), ['mounted on /srv/a b']],
    [
      'a mount in a container',
      (machine) => machine.process(7, { comm: 'init\n', mountinfo: line }, { 'ns/mnt': 'mnt:[2]' }),
      ['mounted on /srv/a b in the mount namespace of init (pid 7)'],
    ],
    [
      'multipath',
      (machine) => machine.files.set('/sys/block/drbd1/holders/dm-3', ''),
      ['used by device dm-3'],
    ],
    [
      'a loop device',
      (machine) => machine.files.set('/sys/block/loop4/loop/backing_file', '/dev/drbd1\n'),
      ['used by device loop4'],
    ],
    [
      'swap',
      (machine) => machine.files.set('/proc/swaps', 'Filename Type\n/dev/drbd1 partition 1 0 -2\n'),
      ['in use as swap'],
    ],
    [
      'a process, not one of another device',
      (machine) =>
        machine
          .process(8, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd1', 'fd/4': '/dev/drbd1', 'ns/mnt': 'mnt:[1]' })
          .process(9, { comm: 'dd\n' }, { 'fd/3': '/dev/drbd10', 'ns/mnt': 'mnt:[1]' }),
      ['open in dd (pid 8)'],
    ],
  ])('%s', async (_what, prepare, found) => expect(await users(prepare)).toEqual(found));
});
