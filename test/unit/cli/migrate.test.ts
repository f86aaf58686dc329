import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Call } from '../../../cli/command.ts';
import { CommandError } from '../../../cli/exit.ts';
import { gather } from '../../../cli/facts/gather.ts';
import {
  intoMaintenance,
  isInMaintenance,
  outOfMaintenance,
  type Provider,
} from '../../../cli/facts/migration.ts';
import { parseXml, within } from '../../../cli/facts/xml.ts';
import { findingsNow } from '../../../cli/findings/now.ts';
import { migrate } from '../../../cli/migrate/command.ts';
import { envelopeShape } from '../../../cli/output/schema.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { type FakePacemaker, pacemakerBelow } from '../../fake/pacemaker.ts';
import { FakePair } from '../../fake/pair.ts';

// What Pacemaker is made to do, and what not; test/unit/cli/kills.test.ts ends it at every point, the lab's campaign `migrate` plays it on a
// real cluster.

const said = vi.hoisted(() => [] as string[]);
vi.mock('../../../cli/output/print.ts', () => ({
  print: (_: number, text: string) => void said.push(text),
  printLines: (lines: readonly string[]) => void said.push(`${lines.join('\n')}\n`),
}));

const kept: FakePair[] = [];
beforeEach(() => void said.splice(0));
afterEach(() => {
  for (const { lockDirs } of kept.splice(0))
    for (const dir of Object.values(lockDirs)) rmSync(dir, { recursive: true, force: true });
});

async function cluster(provider: Provider): Promise<{ pair: FakePair; pacemaker: FakePacemaker }> {
  const pair = new FakePair('healthy');
  kept.push(pair);
  return { pair, pacemaker: await pacemakerBelow(pair, provider) };
}

type Wishes = Partial<Parameters<typeof migrate>[1]> & { readonly json?: boolean };
const go = (pair: FakePair, to: Provider, { json = false, ...more }: Wishes = {}) => {
  const call: Call = { ...pair.call('node2'), json };
  return migrate(call, { to, dryRun: false, yes: true, although: [], ...more });
};

const refusalOf = (work: Promise<unknown>): Promise<CommandError> =>
  work.then(
    (ending) => {
      throw new Error(`it ended ${ending}: ${said.join('')}`);
    },
    (error: unknown) => {
      if (error instanceof CommandError) return error;
      throw error;
    },
  );

const codesOn = async ({ machines: { node1 } }: FakePair) =>
  findingsNow(await gather(hostOn(node1, node1.clock + 60_000), Date.now())).map(({ code }) => code);

describe('the set of properties that counts', () => {
  const cibOf = (...sets: readonly string[]) =>
    parseXml(`<cib><configuration><crm_config>${sets.join('')}</crm_config></configuration></cib>`);
  const set = (id: string, value: string | null, more = '', rule = '') =>
    `<cluster_property_set id="${id}"${more}>${rule}${value === null ? '' : `<nvpair id="${id}-m" name="maintenance-mode" value="${value}"/>`}</cluster_property_set>`;
  const ruled = (value: string) => set('at-night', value, ' score="9"', '<rule id="r"/>');

  // biome-ignore format: a table
  test.each<readonly [string, readonly string[], is: boolean, into: string]>([
    ['the only one',                        [set('a', 'true')], true, 'a'],
    ['none',                                [], false, 'cib-bootstrap-options'],
    ['not one with a rule',                 [ruled('true'), set('a', null)], false, 'a'],
    ['not one with a rule, be it the only', [ruled('true')], false, 'cib-bootstrap-options'],
    ['the one that Pacemaker puts first',   [set('a', 'false', ' score="INFINITY"'), set('cib-bootstrap-options', 'true')], true, 'cib-bootstrap-options'],
    ['the one with the higher score',       [set('a', 'false'), set('b', 'true', ' score="5"')], true, 'b'],
    ['of equal ones the first',             [set('a', 'false'), set('b', 'true')], false, 'a'],
  ])('%s', (_, sets, is, into) => {
    const cib = cibOf(...sets);
    expect(isInMaintenance(cib)).toBe(is);
    const on = intoMaintenance(cib, { to: 'tsha', node: 'n' });
    expect(isInMaintenance(on)).toBe(true);
    const holder = within(on, 'cluster_property_set').find((one) => within(one, 'nvpair').some(({ attributes }) => attributes['id']?.startsWith('tsha-')));
    expect(holder?.attributes['id']).toBe(into);
    // what a rule decides about is somebody else's
    expect(within(outOfMaintenance(on), 'nvpair').map(({ attributes }) => attributes['id'])).toEqual(sets.some((one) => one.includes('<rule')) ? ['at-night-m'] : []);
  });
});

const change = ['patch', 'patch', 'refresh DataClone', 'refresh nfsshare', 'patch'];

describe('the agents change', () => {
  test.each(['tsha', 'stock'] as const)(
    'to %s, and back: nothing restarts, nothing else changes',
    async (to) => {
      const from = to === 'tsha' ? 'stock' : 'tsha';
      const { pair, pacemaker } = await cluster(from);
      const before = pacemaker.cib;
      expect(await go(pair, to)).toBe('well');
      expect(pacemaker).toMatchObject({ provider: to, restarted: [], isInMaintenance: false, done: change });
      expect(said.join('')).toMatch(/nfsshare is in the hands of/);
      expect(await go(pair, from)).toBe('well');
      expect(pacemaker.restarted).toEqual([]);
      const counted = (text: string) => text.replace(/(epoch|num_updates)="\d+"/g, '');
      expect(counted(pacemaker.cib)).toBe(counted(before));
    },
  );

  test('to whose they are already: nothing to do', async () => {
    const { pair, pacemaker } = await cluster('tsha');
    expect(await go(pair, 'tsha')).toBe('well');
    expect(pacemaker.done).toEqual([]);
    expect(said.join('')).toMatch(/already\. Nothing to do/);
  });

  test('-n shows the commands, and changes nothing', async () => {
    const { pair, pacemaker } = await cluster('stock');
    const before = pacemaker.cib;
    expect(await go(pair, 'tsha', { dryRun: true })).toBe('well');
    expect(pacemaker.cib).toBe(before);
    expect(said.join('')).toMatch(/~ Data {2}ocf:linbit:drbd → ocf:tsha:drbd/);
    expect(said.join('')).toContain(
      `cibadmin --modify --scope resources --xml-text '<resources><clone id="DataClone"><primitive id="Data" class="ocf" type="drbd" provider="tsha"/></clone><group id="nfsshare">`,
    );
  });

  test('an administrator who said maintenance-mode=false', async () => {
    const { pair, pacemaker } = await cluster('stock');
    pacemaker.set('maintenance-mode', 'false');
    expect(await go(pair, 'tsha')).toBe('well');
    expect(pacemaker).toMatchObject({ provider: 'tsha', restarted: [], isInMaintenance: false });
  });

  test('maintenance mode that is on already stays on', async () => {
    const { pair, pacemaker } = await cluster('stock');
    pacemaker.set('maintenance-mode', 'true');
    expect(await go(pair, 'tsha')).toBe('attention');
    expect(pacemaker).toMatchObject({ provider: 'tsha', isInMaintenance: true });
    expect(pacemaker.cib).toContain('id="own-maintenance-mode"');
    expect(said.join('')).toMatch(/maintenance mode stays on, as it was/);
    expect(await codesOn(pair)).toContain('MAINTENANCE_MODE');
  });

  test('a node that could not be asked is told, and no obstacle', async () => {
    const { pair, pacemaker } = await cluster('stock');
    pacemaker.missingThere = null;
    expect(await go(pair, 'tsha')).toBe('well');
    expect(said.join('')).toMatch(/! node1 could not be asked for the agents/);
  });

  test('every step in JSON, by the schema', async () => {
    const { pair } = await cluster('stock');
    expect(await go(pair, 'tsha', { json: true })).toBe('well');
    const steps = said.map((line) => envelopeShape.parse(JSON.parse(line)));
    expect(steps.map(({ data }) => 'event' in data && data.event)).toEqual([
      ...['plan', 'begun', 'seen', 'seen', 'seen', 'done'],
    ]);
    expect(steps.every(({ kind }) => kind === 'migrate')).toBe(true);
  });

  test('the file that says otherwise is named', async () => {
    const { pair } = await cluster('stock');
    pair.machines.node2.files.set('/etc/tsha/tsha.yaml', 'version: 1\nprovider: stock\n');
    expect(await go(pair, 'tsha')).toBe('well');
    expect(said.join('')).toMatch(/tsha\.yaml says provider: stock/);
  });
});

describe('it is taken back where the new agents see something else', () => {
  // biome-ignore format: a table
  test.each<readonly [what: string, to: Provider, prepare: (pacemaker: FakePacemaker) => void, why: RegExp]>([
    ['nfsnotify without a mark would be started', 'stock', ({ answers }) => answers.set('node2 nfs-notify ocf:heartbeat:nfsnotify', 7), /nfs-notify on node2: ocf:heartbeat:nfsnotify says "not running", and it was running before/],
    ['an agent that the other node lacks', 'tsha', ({ answers }) => answers.set('node1 nfs_ip ocf:tsha:IPaddr2', 5), /nfs_ip on node1: ocf:tsha:IPaddr2 says "not installed", and it was not running before/],
    ['a failure', 'tsha', ({ answers }) => answers.set('node2 NFS ocf:tsha:Filesystem', 1), /NFS on node2: ocf:tsha:Filesystem says "exit 1"/],
    ['not promoted any more', 'tsha', ({ answers }) => answers.set('node2 Data ocf:tsha:drbd', 0), /Data on node2: .* says "running", and it was promoted before/],
    ['running where it was not', 'stock', ({ answers }) => answers.set('node1 nfs_ip ocf:heartbeat:IPaddr2', 0), /nfs_ip on node1/],
  ])('%s', async (_, to, prepare, why) => {
    const { pair, pacemaker } = await cluster(to === 'tsha' ? 'stock' : 'tsha');
    prepare(pacemaker);
    const error = await refusalOf(go(pair, to));
    expect(error).toMatchObject({ ending: 'broken', message: expect.stringMatching(why) });
    expect(error.message).toMatch(/nothing was stopped or started/);
    expect(pacemaker).toMatchObject({ restarted: [], isInMaintenance: false });
    expect(pacemaker.provider).not.toBe(to);
    expect(await codesOn(pair)).not.toContain('MIGRATION_UNFINISHED');
  });

  test('Pacemaker is not in maintenance mode, whatever the configuration says: no agent changes', async () => {
    const { pair, pacemaker } = await cluster('stock');
    const { node2 } = pair.machines;
    const mon = node2.handler('crm_mon');
    node2.on('crm_mon', async (args, command) => {
      const output = await mon?.(args, command);
      return (typeof output === 'string' ? output : '').replace(
        /maintenance-mode="true"/,
        'maintenance-mode="false"',
      );
    });
    const error = await refusalOf(go(pair, 'tsha'));
    expect(error).toMatchObject({
      ending: 'broken',
      message: expect.stringMatching(/Pacemaker is not in it/),
    });
    expect(pacemaker).toMatchObject({ restarted: [], isInMaintenance: false, provider: 'stock' });
    expect(pacemaker.done).toEqual(['patch', 'patch']);
  });

  test('Pacemaker would do something, and would do it with the old agents, too: it stays in maintenance mode, and says so', async () => {
    const { pair, pacemaker } = await cluster('stock');
    const { node2 } = pair.machines;
    const simulate = node2.handler('crm_simulate');
    let calls = 0;
    // the first look is that of the preconditions
    node2.on('crm_simulate', (args, command) => {
      if (calls++ > 0) pacemaker.wish = 'nfsshare';
      return simulate?.(args, command) ?? '';
    });
    const error = await refusalOf(go(pair, 'tsha'));
    expect(error).toMatchObject({ ending: 'halfway', message: expect.stringMatching(/would move nfsshare/) });
    expect(error.fix).toEqual(['tsha status', 'tsha migrate --to=tsha', 'tsha migrate --to=stock']);
    expect(pacemaker).toMatchObject({ restarted: [], isInMaintenance: true, provider: 'stock' });
    expect(await codesOn(pair)).toContain('MIGRATION_UNFINISHED');
    // once that is mended, either way comes to its end
    node2.on('crm_simulate', (args, command) => simulate?.(args, command) ?? '');
    pacemaker.wish = null;
    expect(await go(pair, 'tsha')).toBe('well');
    expect(pacemaker).toMatchObject({ restarted: [], isInMaintenance: false, provider: 'tsha' });
  });
});

test('somebody ends maintenance mode before the agents are changed: that is no success', async () => {
  const { pair, pacemaker } = await cluster('stock');
  const { node2 } = pair.machines;
  const resource = node2.handler('crm_resource');
  // the first wait is the one after maintenance mode has begun
  node2.on('crm_resource', (args, command) => {
    if (args.includes('--wait') && pacemaker.provider === 'stock')
      pacemaker.cib = pacemaker.cib.replace(/<nvpair [^>]*name="maintenance-mode"[^>]*\/>/, '');
    return resource?.(args, command) ?? '';
  });
  const error = await refusalOf(go(pair, 'tsha'));
  expect(error.message).toMatch(/somebody has ended maintenance mode meanwhile/);
  expect(pacemaker).toMatchObject({ provider: 'stock', restarted: [] });
});

test('what became of it cannot be looked at in the end: that is told, not taken for good', async () => {
  const { pair, pacemaker } = await cluster('stock');
  const { node2 } = pair.machines;
  const mon = node2.handler('crm_mon');
  node2.on('crm_mon', (args, command) =>
    pacemaker.provider === 'tsha' && !pacemaker.isInMaintenance
      ? { code: 102, stderr: 'crm_mon: no answer' }
      : (mon?.(args, command) ?? ''),
  );
  expect(await go(pair, 'tsha')).toBe('attention');
  expect(pacemaker).toMatchObject({ provider: 'tsha', restarted: [], isInMaintenance: false });
});

describe('refused, nothing changed', () => {
  const v4Only = (pacemaker: FakePacemaker) => {
    pacemaker.cib = pacemaker.cib.replace(
      /(<instance_attributes id="nfs-daemon-instance_attributes">)/,
      '$1<nvpair id="nfs-daemon-v4" name="nfsv4_only" value="true"/>',
    );
  };
  const seen =
    (from: string | RegExp, to: string) =>
    (_: FakePacemaker, { machines: { node2 } }: FakePair) => {
      const mon = node2.handler('crm_mon');
      node2.on('crm_mon', async (args, command) => {
        const output = await mon?.(args, command);
        const text = typeof output === 'string' ? output : (output?.stdout ?? '');
        expect(text).toMatch(from);
        return text.replace(from, to);
      });
    };
  // biome-ignore format: a table
  test.each<readonly [what: string, to: Provider, prepare: (pacemaker: FakePacemaker, pair: FakePair) => void, why: RegExp]>([
    ['agents that this node lacks', 'tsha', ({ absent }) => absent.add('ocf:tsha:exportfs'), /node2 lacks ocf:tsha:exportfs/],
    ['agents that the other node lacks', 'tsha', (pacemaker) => { pacemaker.missingThere = ['ocf:tsha:drbd']; }, /node1 lacks ocf:tsha:drbd/],
    ['parameters without a word there', 'stock', ({ unknown }) => unknown.add('nfs_no_notify'), /the stock agents ignore nfs-daemon: nfs_no_notify/],
    ['the stock nfsnotify without NFSv3', 'stock', v4Only, /nfs-notify: the stock agent needs rpc\.statd/],
    ['a cluster at work', 'tsha', (pacemaker) => { pacemaker.wish = 'nfsshare'; }, /Pacemaker has something to do: move nfsshare \(node1\)/],
    ['a node that is away', 'tsha', seen(/(<node name="node1" [^>]*online=)"true"/, '$1"false"'), /nothing has been changed: node1, node2 are online/],
    ['a failed action', 'tsha', seen('</pacemaker-result>', '<failures><failure op_key="nfs_ip_monitor_30000" node="node2" exitreason="gone"/></failures></pacemaker-result>'), /failed actions: nfs_ip \(node2\)/],
  ])('%s', async (_, to, prepare, why) => {
    const { pair, pacemaker } = await cluster(to === 'tsha' ? 'stock' : 'tsha');
    prepare(pacemaker, pair);
    const before = pacemaker.cib;
    const error = await refusalOf(go(pair, to));
    expect(error).toMatchObject({ ending: 'broken', message: expect.stringMatching(why) });
    expect(error.message).toMatch(/^refused, nothing has been changed/);
    expect(pacemaker.cib).toBe(before);
  });

  test('parameters that are ignored, accepted by their code', async () => {
    const { pair, pacemaker } = await cluster('tsha');
    pacemaker.unknown.add('nfs_no_notify');
    const error = await refusalOf(go(pair, 'stock'));
    expect(error.fix).toContain('tsha migrate --to=stock --although=PARAMETERS_IGNORED');
    expect(await go(pair, 'stock', { although: ['PARAMETERS_IGNORED'] })).toBe('well');
    expect(pacemaker).toMatchObject({ provider: 'stock', restarted: [] });
    expect(pacemaker.cib).toContain('name="nfs_no_notify"');
  });
});

test('one that was broken off on the other node is gone on with there', async () => {
  const { pair, pacemaker } = await cluster('stock');
  pacemaker.cib = pacemaker.cib.replace(
    /(<cluster_property_set [^>]*>)/,
    '$1<nvpair id="tsha-migrate-to-tsha-on-node1" name="maintenance-mode" value="true"/>',
  );
  expect(await codesOn(pair)).toContain('MIGRATION_UNFINISHED');
  const error = await refusalOf(go(pair, 'tsha'));
  expect(error.message).toMatch(/under way on node1, or was broken off there/);
  expect(error.fix).toContain('tsha migrate --to=tsha --although=MIGRATION_UNFINISHED');
  expect(await go(pair, 'tsha', { although: ['MIGRATION_UNFINISHED'] })).toBe('well');
  expect(pacemaker).toMatchObject({ provider: 'tsha', restarted: [], isInMaintenance: false });
});
