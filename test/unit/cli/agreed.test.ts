import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { apply } from '../../../cli/apply/command.ts';
import type { Call } from '../../../cli/command.ts';
import { maintenance } from '../../../cli/commands/maintenance.ts';
import { switchOver } from '../../../cli/commands/switch.ts';
import { CommandError } from '../../../cli/exit.ts';
import { migrate } from '../../../cli/migrate/command.ts';
import { remove } from '../../../cli/remove/command.ts';
import { type FakePacemaker, pacemakerBelow } from '../../fake/pacemaker.ts';
import { FakePair } from '../../fake/pair.ts';
import { pairFile, pairFileIn } from '../../fake/pair-file.ts';

// A question stands for as long as nobody answers it. What has changed in the meantime is seen before anything is done.

vi.mock('../../../cli/output/print.ts', () => ({ print: () => {}, printLines: () => {} }));

const kept: string[] = [];
afterEach(() => {
  for (const dir of kept.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function configured(text = pairFile): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsha-agreed-'));
  kept.push(folder);
  return pairFileIn(folder, text);
}
/** A further export: served ahead where the service runs. */
const withExport = pairFile.replace(
  'ids: [nfs-root] }',
  'ids: [nfs-root] }, { directory: /srv/nfs/new, clients: ["*"], options: rw, fsid: 7, ids: [nfs-new] }',
);

type Meanwhile = (pair: FakePair, pacemaker: FakePacemaker | null) => void;
type Work = (call: Call) => Promise<unknown>;

const commands: { readonly [name: string]: Work } = {
  switch: (call) => switchOver(call, { to: 'node1', service: null, dryRun: false, yes: false, although: [] }),
  'maintenance on': (call) => maintenance(call, { to: 'on', node: 'node1', dryRun: false, yes: false }),
  migrate: (call) => migrate(call, { to: 'tsha', dryRun: false, yes: false, although: [] }),
  apply: (call) => apply(call, { config: configured(), dryRun: false, yes: false }),
  'apply of an export': (call) => apply(call, { config: configured(withExport), dryRun: false, yes: false }),
  remove: (call) => remove(call, { config: configured(), dryRun: false, yes: false }),
};

/** With the Pacemaker that it takes; its restart of the address, unless the new export is served ahead. */
async function pairFor(name: string): Promise<{ pair: FakePair; pacemaker: FakePacemaker | null }> {
  const pair = new FakePair('healthy');
  kept.push(...Object.values(pair.lockDirs));
  if (!/^(migrate|apply|remove)/.test(name)) return { pair, pacemaker: null };
  const pacemaker = await pacemakerBelow(pair, name === 'migrate' ? 'stock' : 'tsha');
  const { node2 } = pair.machines;
  node2.on('crm_verify', () => '').on('/usr/lib/ocf/resource.d/tsha/exportfs', () => '');
  if (name === 'apply of an export') {
    const started = '<resource id="nfs-new" role="Started" active="true"><node name="node2"/></resource>';
    answered('crm_mon', /(?=<\/group>)/, started)(pair, pacemaker);
    const simulate = node2.handler('crm_simulate');
    node2.on('crm_simulate', (args, command) => {
      const [, save] =
        /^--save-output=(.*)$/.exec(args.find((word) => word.startsWith('--save')) ?? '') ?? [];
      if (save === undefined) {
        pacemaker.wish = args.some((word) => word.endsWith('ahead-0.xml')) ? null : 'nfs_ip';
        return simulate(args, command);
      }
      copyFileSync(args[args.indexOf('--xml-file') + 1] ?? '', save);
      return '';
    });
  }
  return { pair, pacemaker };
}

/** As a person answers; before, something else happens. */
async function asked(name: string, answer: string, meanwhile: Meanwhile) {
  const { pair, pacemaker } = await pairFor(name);
  const ran = () => [...pair.machines.node1.ran, ...pair.machines.node2.ran];
  const ask = async (): Promise<string> => {
    meanwhile(pair, pacemaker);
    return answer;
  };
  const ending = await commands[name]?.({ ...pair.call('node2'), ask }).catch((error: unknown) => {
    if (error instanceof CommandError) return error;
    throw error;
  });
  const isChanged = ran().some((line) =>
    /cibadmin --(create|patch|modify)|^crm_standby|--set-parameter|^\/usr\/lib\/ocf/.test(line),
  );
  return { ending, isChanged };
}

const all = Object.keys(commands);
const nothing: Meanwhile = () => {};
const answered =
  (program: string, from: RegExp, to: string): Meanwhile =>
  ({ machines }) => {
    for (const machine of Object.values(machines)) {
      const before = machine.handler(program);
      machine.on(program, async (args, command) => {
        const output = await before?.(args, command);
        const text = typeof output === 'string' ? output : (output?.stdout ?? '');
        return text.replace(from, to);
      });
    }
  };

describe('asked', () => {
  test.each(all)('%s: yes, and all is as it was', async (name) => {
    expect(await asked(name, 'y', nothing)).toEqual({ ending: 'well', isChanged: true });
  });

  test.each(all)('%s: anything but a yes', async (name) => {
    for (const answer of ['', 'n', 'yep'])
      expect(await asked(name, answer, nothing)).toMatchObject({
        ending: { ending: 'broken' },
        isChanged: false,
      });
  });

  // biome-ignore format: a table
  test.each<readonly [what: string, command: string, Meanwhile, why: RegExp]>([
    ['the link between the copies drops', 'switch', answered('drbdsetup', /connection:Connected/g, 'connection:Connecting'), /both copies are UpToDate/],
    ['the node that it goes to leaves', 'switch', answered('crm_mon', /(<node name="node1" [^>]*online=)"true"/, '$1"false"'), /online/],
    ['somebody has moved it', 'switch', (pair) => { pair.active = 'node1'; }, /runs on node1 already/],
    ['the node has come to serve', 'maintenance on', (pair) => { pair.active = 'node1'; }, /node1 serves|serves/],
    ['the disk of the node that serves fails', 'maintenance on', answered('drbdsetup', / disk:UpToDate/g, ' disk:Diskless'), /the only current copy of data is on node1/],
    ['DRBD no longer answers', 'maintenance on', ({ machines }) => machines.node2.on('drbdsetup', () => ({ code: 20, stderr: 'no answer' })), /drbdsetup/],
    ['the other node leaves', 'maintenance on', answered('crm_mon', /(<node name="node2" [^>]*online=)"true"/, '$1"false"'), /no other node/],
    ['somebody changes the configuration', 'apply', (_, pacemaker) => { if (pacemaker) pacemaker.cib = pacemaker.cib.replace(/ epoch="/, '$&1'); }, /has changed since you were asked/],
    ['the service moves', 'apply', (pair) => { pair.active = 'node1'; }, /has changed since you were asked/],
    ['the service moves', 'apply of an export', (pair) => { pair.active = 'node1'; }, /has changed since you were asked/],
    ['the file is another cluster’s by now', 'apply', (_, pacemaker) => { if (pacemaker) pacemaker.cib = pacemaker.cib.replaceAll('uname="node1"', 'uname="alpha"'); }, /this cluster has alpha, node2/],
    ['the file is another cluster’s by now', 'remove', (_, pacemaker) => { if (pacemaker) pacemaker.cib = pacemaker.cib.replaceAll('uname="node1"', 'uname="alpha"'); }, /this cluster has alpha, node2/],
    ['somebody adds a member to the group', 'remove', (_, pacemaker) => { if (pacemaker) pacemaker.cib = pacemaker.cib.replace('<group id="nfsshare">', '$&<primitive id="own" class="ocf" provider="pacemaker" type="Dummy"/>'); }, /own is in the group/],
    ['somebody adds a constraint', 'remove', (_, pacemaker) => { if (pacemaker) pacemaker.cib = pacemaker.cib.replace('<constraints>', '$&<rsc_location id="wish" rsc="nfsshare" node="node1" score="1"/>'); }, /has changed since you were asked/],
    ['Pacemaker has something to do', 'migrate', (_, pacemaker) => { if (pacemaker) pacemaker.wish = 'nfsshare'; }, /something to do/],
  ])('%s while the question of %s stands', async (_what, name, meanwhile, why) => {
    const { ending, isChanged } = await asked(name, 'y', meanwhile);
    expect(ending).toMatchObject({ ending: expect.stringMatching(/broken|unknown/), message: expect.stringMatching(why) });
    expect(isChanged).toBe(false);
  });
});

test.each(all)('%s: nobody can be asked', async (name) => {
  const { pair } = await pairFor(name);
  await expect(commands[name]?.(pair.call('node2'))).rejects.toMatchObject({
    ending: 'unknown',
    message: expect.stringMatching(/--yes/),
  });
});
