import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { drbd as agent } from '../../../agents/drbd/agent.ts';
import { parseProcDrbd } from '../../../lib/host/drbd/drbd84.ts';
import { runAction } from '../../../lib/ocf/run.ts';
import { FakeMachine } from '../../fake/machine.ts';
import { silentLog } from '../../fake/story.ts';
import { clusterEnv, StockDrbd, scoreOf } from './stock.ts';

// The stock agent and ours look at the same captured states of real DRBD: same exit code, same promotion score. Ours runs on the
// fake machine, because this kernel has no DRBD.

const fixtures = join(import.meta.dirname, '../../fixtures/drbd');
const text = (file: string) => readFileSync(join(fixtures, file), 'utf8');
const stock = new StockDrbd();
afterAll(() => stock.remove());

async function theirs(generation: string, state: string, action = 'monitor', env: NodeJS.ProcessEnv = {}) {
  const modern = generation === 'drbd9';
  const { code, score } = await stock.run(action, {
    env,
    kernel: modern ? '0x090303' : '0x08040b',
    state: modern ? text(`${generation}/${state}.events2.txt`) : shStatus(state),
  });
  return { code, score };
}

/** What 8.4's sh-status says of the minors in /proc/drbd. */
const shStatus = (state: string): string =>
  parseProcDrbd(text(`drbd84/${state}.proc-drbd.txt`))
    .map(
      ({ minor, cstate, role, peerRole, disk, peerDisk }) =>
        `_minor=${minor}\n_res_name=data\n_volume=0\n_known=Configured\n_cstate=${cstate}\n_role=${role}\n_peer=${peerRole}\n_disk=${disk}\n_pdsk=${peerDisk}\n_sh_status_process\n`,
    )
    .join('');

async function ours(generation: string, state: string, action = 'monitor', env: NodeJS.ProcessEnv = {}) {
  const proc = generation === 'drbd9' ? 'drbd9/proc-drbd.txt' : `drbd84/${state}.proc-drbd.txt`;
  const machine = new FakeMachine({ ...clusterEnv, ...env })
    .on('drbdsetup', () => text(`${generation}/${state}.events2.txt`))
    .on('drbdadm', (args) => (args.includes('sh-dev') ? '/dev/drbd1\n' : ''));
  for (const command of ['crm_master', 'crm_resource', 'attrd_updater', 'dmesg'])
    machine.on(command, () => '');
  machine.files.set('/proc/drbd', text(proc));
  const { code } = await runAction(agent, action, machine, silentLog);
  return { code, score: scoreOf(machine.ran.filter((line) => line.startsWith('crm_master'))) };
}

describe.each(['drbd9', 'drbd84'])('%s', (generation) => {
  const states = readdirSync(join(fixtures, generation))
    .filter((file) => file.endsWith('.events2.txt'))
    .map((file) => file.replace('.events2.txt', ''));
  test.each(states)('%s', async (state) => {
    const expected = await theirs(generation, state);
    expect(expected.code).toBe(
      /^(down|unconfigured)/.test(state) ? 7 : /^(\w+-)?primary/.test(state) ? 8 : 0,
    );
    expect(await ours(generation, state)).toEqual(expected);
  });
});

describe('the other actions, where nothing changes', () => {
  const notice = (type: string, operation: string, more: NodeJS.ProcessEnv = {}) => ({
    OCF_RESKEY_CRM_meta_notify_type: type,
    OCF_RESKEY_CRM_meta_notify_operation: operation,
    ...more,
  });
  const all = ['primary-uptodate', 'secondary-uptodate-both', 'secondary-connecting-peer-unknown', 'down'];
  const running = all.slice(0, 3);
  const calls: readonly (readonly [action: string, env: NodeJS.ProcessEnv, states: readonly string[]])[] = [
    ['status', {}, all],
    ['promote', {}, all.slice(0, 1)],
    ['demote', {}, all.slice(1, 3)],
    ['stop', {}, ['down']],
    ['reload', {}, all],
    ['validate-all', {}, running],
    ...(['stop', 'promote', 'demote'] as const).flatMap((operation) => [
      ['notify', notice('pre', operation), all] as const,
      ['notify', notice('post', operation), all] as const,
    ]),
    ['notify', notice('pre', 'start'), all],
    ['monitor', { OCF_RESKEY_CRM_meta_interval: '0' }, all],
    [
      'monitor',
      { OCF_RESKEY_remove_master_score_if_peer_primary: 'true' },
      ['secondary-uptodate-peer-primary'],
    ],
    ['monitor', { OCF_RESKEY_adjust_master_score: '1 2 3 4' }, all],
    ['start', { OCF_RESKEY_CRM_meta_clone_node_max: '2' }, all],
    ['start', { OCF_RESKEY_CRM_meta_master_max: '3' }, all],
    ['start', { OCF_RESKEY_CRM_meta_notify: 'false' }, all],
    ['start', { OCF_RESKEY_drbd_resource: 'a b' }, all],
    ['start', { OCF_RESKEY_require_drbd_module_version_ge: '9.2' }, all],
  ];
  const rows = calls.flatMap(([action, env, states]) => states.map((state) => [action, env, state] as const));
  test.each(rows)('%s %j: %s', async (action, env, state) => {
    expect(await ours('drbd9', state, action, env)).toEqual(await theirs('drbd9', state, action, env));
  });
});
