import { describe, expect, test } from 'vitest';
import { checkScreen } from '../../../cli/commands/check.ts';
import { gather } from '../../../cli/facts/gather.ts';
import { lookAtMachine } from '../../../cli/facts/machine.ts';
import type { LookAnswer } from '../../../cli/facts/other-node.ts';
import { lookAtSetup } from '../../../cli/facts/setup.ts';
import { findingsBetween } from '../../../cli/findings/comparison.ts';
import { findingsInConfiguration } from '../../../cli/findings/configuration.ts';
import { terminalFor } from '../../../cli/output/terminal.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { type Captured, captured } from '../../fake/captured.ts';
import { hangs } from '../../fake/machine.ts';

const terminal = terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false });

async function withHandler(one: Captured): Promise<void> {
  const argv = ['drbdadm', '-c', '/etc/drbd.conf', '-d', 'dump-xml', 'data'] as const;
  const { stdout } = await one.machine.run({ argv: [...argv], timeoutMs: 1 });
  const handlers =
    '<section name="handlers"><option name="fence-peer" value="/usr/lib/drbd/crm-fence-peer.9.sh"/></section>';
  const changed = stdout.replace(/<\/resource>/, `${handlers}</resource>`);
  expect(changed).not.toBe(stdout);
  one.machine.on('drbdadm', () => changed);
}
const unreadable = (path: RegExp) => (one: Captured) => {
  const [read, list] = [one.machine.read.bind(one.machine), one.machine.list.bind(one.machine)];
  const trouble = Object.assign(new Error('EIO'), { code: 'EIO' });
  one.machine.read = async (file) => (path.test(file) ? Promise.reject(trouble) : read(file));
  one.machine.list = async (dir) => (path.test(dir) ? Promise.reject(trouble) : list(dir));
};

// biome-ignore format: a table
const rows: readonly (readonly [string, (one: Captured) => unknown, RegExp])[] = [
  ['its handler has no program',        withHandler, /DRBD_HANDLER_MISSING {2}node2: .*crm-fence-peer\.9\.sh/],
  ['its kernels',                       (one) => one.machine.on('find', () => ({ code: 1, stderr: 'find: I/O error\n' })), /node2: the kernels could not/],
  ['its boot',                          unreadable(/^\/etc\/systemd\/system$/), /node2: what starts at boot could not/],
  ['its DRBD configuration',            (one) => one.machine.on('drbdadm', (_, command) => hangs(command, one.machine)), /node2: the configuration of DRBD resource data could not/],
  ['its DRBD',                          (one) => one.machine.on('drbdsetup', (_, command) => hangs(command, one.machine)), /node2: the state of DRBD could not/],
  ['its cluster',                       (one) => one.machine.on('cibadmin', (_, command) => hangs(command, one.machine)), /node2: the cluster could not/],
  ['its leases',                        unreadable(/^\/proc\/sys\/fs\/leases-enable$/), /node2: whether leases are on could not/],
  ['its NFS settings',                  unreadable(/^\/etc\/nfs\.conf$/), /node2: the settings of the NFS server could not/],
  ['its NFS server',                    unreadable(/^\/proc\/net\/rpc\/nfsd$/), /node2: the settings of the NFS server could not/],
];

describe('what the other node could not look at is told, with its name', () => {
  test.each(rows)('%s', async (_, prepare, said) => {
    const one = captured('healthy.node2');
    await prepare(one);
    const theirs = await lookAtMachine(hostOn(one.machine, 60_000));
    const own: Omit<LookAnswer, 'findings'> = { clock: theirs.clock, versions: {}, configurations: {} };
    const times = { askedAt: theirs.clock, answeredAt: theirs.clock };
    const told = findingsBetween({
      ...{ node: 'node1', own, peer: 'node2', theirs: { is: 'known', value: theirs }, ...times },
    });
    expect(checkScreen([...told], terminal, 'node1').join('\n')).toMatch(said);
  });
});

describe('what this node could not look at', () => {
  test.each(rows.slice(6))('%s', async (_, prepare, said) => {
    const one = captured('healthy.node2');
    await prepare(one);
    const host = hostOn(one.machine, 60_000);
    const facts = await gather(host, one.time);
    if (facts.cluster.is === 'unknown') throw new Error(facts.cluster.why);
    const found = findingsInConfiguration(facts, await lookAtSetup(host, facts.cluster.value));
    const screen = checkScreen(found, terminal, 'node2').join('\n');
    expect(screen).toMatch(new RegExp(said.source.replace('node2: ', '')));
    expect(screen).not.toContain('node2: ');
  });
});

test('a DRBD configuration that drbdadm did not tell is no difference', async () => {
  const one = captured('healthy.node2');
  const configurations = async () => (await lookAtMachine(hostOn(one.machine, 60_000))).configurations;
  one.machine.on('drbdadm', (_, command) => hangs(command, one.machine));
  expect(await configurations()).not.toHaveProperty('DRBD resource data');
  one.machine.on('drbdadm', () => ({
    code: 10,
    stderr: "'data' not defined in your config (for this host).\n",
  }));
  expect(await configurations()).toHaveProperty('DRBD resource data', null);
});

test.each<readonly [what: string, prepare: (one: Captured) => unknown, Pacemaker: string | null | undefined]>(
  [
    ['that answers', (one) => one.machine.on('pacemakerd', () => 'Pacemaker 2.1.5\n'), '2.1.5'],
    [
      'that hangs',
      (one) => one.machine.on('pacemakerd', (_, command) => hangs(command, one.machine)),
      undefined,
    ],
    [
      'that answers with an error',
      (one) => one.machine.on('pacemakerd', () => ({ code: 1, stderr: 'EIO\n' })),
      undefined,
    ],
    [
      'that is not installed',
      (one) => one.machine.on('pacemakerd', () => ({ code: 127, missing: true })),
      null,
    ],
  ],
)('the version of a program %s', async (_, prepare, told) => {
  const one = captured('healthy.node2');
  prepare(one);
  const { versions } = await lookAtMachine(hostOn(one.machine, 60_000));
  expect('Pacemaker' in versions ? versions['Pacemaker'] : undefined).toBe(told);
});
