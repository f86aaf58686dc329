import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { drbd as agent } from '../../agents/drbd/agent.ts';
import { parseProcDrbd } from '../../lib/host/drbd/drbd84.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { silent } from '../fake/drbd-actions.ts';
import { FakeMachine } from '../fake/machine.ts';
import { clusterEnv, StockDrbd, scoreOf } from './drbd-stock.ts';

// The stock agent and ours look at the same captured states of real DRBD: same exit code, same promotion score. Ours runs on the
// fake machine, because this kernel has no DRBD.

const fixtures = join(import.meta.dirname, '../fixtures/drbd');
const text = (file: string) => readFileSync(join(fixtures, file), 'utf8');
const stock = new StockDrbd();
afterAll(() => stock.remove());

async function theirs(generation: string, state: string) {
  const modern = generation === 'drbd9';
  const { code, score } = await stock.run('monitor', {
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

async function ours(generation: string, state: string) {
  const proc = generation === 'drbd9' ? 'drbd9/proc-drbd.txt' : `drbd84/${state}.proc-drbd.txt`;
  const machine = new FakeMachine(clusterEnv).on('drbdsetup', () =>
    text(`${generation}/${state}.events2.txt`),
  );
  for (const command of ['crm_master', 'crm_resource', 'attrd_updater', 'dmesg'])
    machine.on(command, () => '');
  machine.files.set('/proc/drbd', text(proc));
  const { code } = await runAction(agent, 'monitor', machine, silent);
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
