import { describe, expect, test } from 'vitest';
import { fenceHandlerSeconds } from '../../../../lib/host/drbd/fencing.ts';
import { FakeDrbd } from '../../../fake/drbd.ts';
import { act, isAlone, isSecondary, meta, param, type Setup } from '../../../fake/drbd-actions.ts';

// validate-all at level 10: what works until the day of a failure.

const section = (name: string, ...options: readonly string[]) =>
  `<section name="${name}">${options
    .map((option) => option.split('='))
    .map(([key, value]) => `<option name="${key}" value="${value}"/>`)
    .join('')}</section>`;
const handler = '/usr/lib/drbd/crm-fence-peer.9.sh';
const fencing = section('net', 'fencing=resource-and-stonith');
const handlers = (...more: readonly string[]) => section('handlers', `fence-peer=${handler}`, ...more);
const whole = fencing + handlers('unfence-peer=/usr/lib/drbd/crm-unfence-peer.9.sh');
const promoteOf = (timeout: string) =>
  `xml:\n<primitive id="p_drbd"><operations><op id="a" name="promote" interval="0s" timeout="${timeout}"/></operations></primitive>`;

function node(options: string, setup: Setup = {}): FakeDrbd {
  const drbd = new FakeDrbd({ state: isSecondary, ...setup, env: { OCF_CHECK_LEVEL: '10', ...setup.env } });
  drbd.options = options;
  for (const program of [handler, '/usr/lib/drbd/crm-unfence-peer.9.sh']) drbd.machine.on(program, () => '');
  drbd.answer('crm_resource', promoteOf('180s'));
  return drbd;
}

describe('a finding is a warning', () => {
  const constraint = '<rsc_location id="drbd-fence-by-handler-r0-p_drbd-clone" rsc="p_drbd-clone"/>';
  test.each<readonly [string, FakeDrbd, string]>([
    ['neither fencing nor quorum', node(''), 'neither quorum nor fencing is on'],
    ['no fencing, DRBD 8.4', node('', { generation: 8 }), 'fencing is off'],
    ['fencing without its handler', node(fencing), 'fence-peer "/usr/lib/drbd/crm-fence-peer.9.sh"'],
    [
      'fencing without its handler, DRBD 8.4',
      node(section('disk', 'fencing=resource-only'), { generation: 8 }),
      'fence-peer "/usr/lib/drbd/crm-fence-peer.sh"',
    ],
    ['a handler that nobody undoes', node(fencing + handlers()), 'but no unfence-peer'],
    [
      'the same in 8.4',
      node(section('disk', 'fencing=resource-only') + handlers(), { generation: 8 }),
      'but no after-resync-target',
    ],
    [
      'a handler that is not installed',
      node(`${whole}${section('handlers', 'split-brain=/opt/notify --loud root')}`),
      'handler split-brain of r0 is not there: /opt/notify [DRBD_HANDLER_MISSING]: ls -l /opt/notify',
    ],
    [
      'a promote timeout below that of the handler',
      node(whole).answer('crm_resource', promoteOf('90s')),
      'promote of r0 may take 90 s, its fence-peer handler alone 90 s [DRBD_PROMOTE_TOO_SHORT]: pcs resource update p_drbd op promote timeout=120s',
    ],
    [
      'two Primaries without need',
      node(whole + section('net', 'allow-two-primaries=yes')),
      'allow-two-primaries is on for r0, although',
    ],
    [
      'other names than the cluster’s',
      node(whole).answer('crm_node', '1 me.example.org member\n2 beta member\n'),
      'DRBD host me of r0 is no node of this cluster (me.example.org, beta)',
    ],
    [
      'a constraint that was left behind',
      node(whole).answer('cibadmin', `<constraints>${constraint}</constraints>`),
      'all data of r0 is UpToDate, but drbd-fence-by-handler-r0-p_drbd-clone still forbids a node to be promoted',
    ],
  ])('%s', async (_what, drbd, finding) => {
    const { code, lines, did, score, state } = await act('validate-all', drbd);
    expect({ code, did, score, state }).toEqual({ code: 0, did: [], score: '=', state: '=' });
    expect(lines).toEqual([expect.stringContaining(finding)]);
  });

  test.each<readonly [string, FakeDrbd]>([
    ['fencing with all its handlers', node(whole)],
    ['quorum alone', node(section('options', 'quorum=majority'))],
    ['a handler that is a shell command', node(whole + section('handlers', 'pri-lost=echo b'))],
    [
      'a cluster that cannot be asked',
      node(whole).answer('crm_', { code: 102 }).answer('cibadmin', { code: 102 }),
    ],
    [
      'two Primaries, as the cluster wants it',
      node(whole + section('net', 'allow-two-primaries=yes'), { env: meta('promoted_max', '2') }),
    ],
    [
      'a constraint that protects something',
      node(whole, { state: isAlone }).answer('cibadmin', `<constraints>${constraint}</constraints>`),
    ],
    [
      'a handler that is quick',
      node(
        fencing +
          section(
            'handlers',
            `fence-peer=${handler} --timeout 30`,
            'unfence-peer=/usr/lib/drbd/crm-unfence-peer.9.sh',
          ),
      ).answer('crm_resource', promoteOf('1min')),
    ],
  ])('nothing to say about %s', async (_what, drbd) => {
    // Without the cluster's word the declared timeout counts, which the handler's own default equals.
    const { code, lines } = await act('validate-all', drbd);
    expect(code).toBe(0);
    expect(lines.filter((line) => !line.includes('promote of r0 may take 90 s'))).toEqual([]);
  });
});

test('check_config=fail refuses, off does not look', async () => {
  const refused = await act('validate-all', node('', { env: param('check_config', 'fail') }));
  expect(refused).toMatchObject({ code: 6, reason: expect.stringContaining('neither quorum nor fencing') });
  const off = node('', { env: param('check_config', 'off') });
  expect(await act('validate-all', off)).toMatchObject({ code: 0, lines: [] });
  expect(off.machine.ran.some((line) => line.includes('dump-xml'))).toBe(false);
});

test.each([
  [handler, 90],
  [`${handler} --timeout 60 --dc-timeout=75`, 75],
  [`${handler} -t 30`, 30],
  ['/usr/lib/drbd/stonith_admin-fence-peer.sh', undefined],
])('how long %s may take', (command, seconds) => expect(fenceHandlerSeconds(command)).toBe(seconds));
