import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drbd as agent } from '../../agents/drbd/agent.ts';
import { parseProcDrbd } from '../../lib/host/drbd/drbd84.ts';
import { runAction } from '../../lib/ocf/run.ts';
import { silent } from '../fake/drbd-actions.ts';
import { FakeMachine } from '../fake/machine.ts';

// The stock agent and ours look at the same captured states of real DRBD: same exit code, same promotion score. This kernel has
// no DRBD, so the tools print the captured text, ours runs on the fake machine, and the stock agent, a copy of the installed
// one, finds /proc/drbd and its devices where the test put them.

const stockFolder = '/usr/lib/ocf/resource.d/linbit';
const fixtures = join(import.meta.dirname, '../fixtures/drbd');
const text = (file: string) => readFileSync(join(fixtures, file), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'tsha-drbd-parity-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, body: string) =>
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });

beforeAll(() => {
  if (!existsSync(join(stockFolder, 'drbd')))
    throw new Error('the stock agent is not installed: apt-get install drbd-utils resource-agents');
  for (const name of ['drbd', 'drbd.shellfuncs.sh']) {
    const stock = readFileSync(join(stockFolder, name), 'utf8');
    const moved = stock
      .replaceAll('/proc/drbd', join(folder, 'proc-drbd'))
      .replace(/test -b \$dev/g, 'test -e $dev')
      .replaceAll(stockFolder, folder);
    writeFileSync(join(folder, name), moved, { mode: 0o755 });
  }
  script('drbdadm', `case "$*" in *--version*) cat ${folder}/version ;; *sh-dev*) echo /dev/null ;; esac`);
  script('drbdsetup', `case "$1" in events2 | sh-status) cat ${folder}/state ;; *) exit 20 ;; esac`);
  script('crm_master', `echo "$*" >> ${folder}/scores`);
  script('crm_resource', ':');
});

const env = {
  OCF_ROOT: '/usr/lib/ocf',
  OCF_RESOURCE_INSTANCE: 'p_drbd',
  OCF_RESKEY_drbd_resource: 'data',
  OCF_RESKEY_crm_feature_set: '3.7.1',
  OCF_RESKEY_CRM_meta_interval: '10000',
  OCF_RESKEY_CRM_meta_timeout: '20000',
  OCF_RESKEY_CRM_meta_clone_max: '2',
  OCF_RESKEY_CRM_meta_notify: 'true',
};

const scoreOf = (lines: readonly string[]): string => {
  const last = lines.at(-1);
  return last === undefined ? '=' : last.endsWith('-D') ? '-' : (last.split(' ').at(-1) ?? '?');
};

async function stock(generation: string, state: string) {
  const modern = generation === 'drbd9';
  writeFileSync(join(folder, 'version'), `DRBD_KERNEL_VERSION_CODE=${modern ? '0x090303' : '0x08040b'}\n`);
  writeFileSync(join(folder, 'proc-drbd'), '');
  writeFileSync(join(folder, 'drbd.conf'), '');
  writeFileSync(join(folder, 'state'), modern ? text(`${generation}/${state}.events2.txt`) : shStatus(state));
  writeFileSync(join(folder, 'scores'), '');
  const own = {
    ...env,
    OCF_RESKEY_drbdconf: join(folder, 'drbd.conf'),
    HA_SBIN_DIR: folder,
    HA_LOGFACILITY: 'none',
  };
  const { exitCode } = await execa(join(folder, 'drbd'), ['monitor'], {
    env: { ...own, PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin` },
    extendEnv: false,
    reject: false,
  });
  return {
    code: exitCode,
    score: scoreOf(readFileSync(join(folder, 'scores'), 'utf8').split('\n').filter(Boolean)),
  };
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
  const machine = new FakeMachine(env)
    .on('drbdsetup', () => text(`${generation}/${state}.events2.txt`))
    .on('crm_master', () => '')
    .on('crm_resource', () => '')
    .on('attrd_updater', () => '')
    .on('dmesg', () => '');
  machine.files.set('/proc/drbd', text(proc));
  const { code } = await runAction(agent, 'monitor', machine, silent);
  return { code, score: scoreOf(machine.ran.filter((line) => line.startsWith('crm_master'))) };
}

describe.each(['drbd9', 'drbd84'])('%s', (generation) => {
  const states = readdirSync(join(fixtures, generation))
    .filter((file) => file.endsWith('.events2.txt'))
    .map((file) => file.replace('.events2.txt', ''));
  test.each(states)('%s', async (state) => {
    const theirs = await stock(generation, state);
    expect(theirs.code).toBe(/^(down|unconfigured)/.test(state) ? 7 : /^(\w+-)?primary/.test(state) ? 8 : 0);
    expect(await ours(generation, state)).toEqual(theirs);
  });
});
