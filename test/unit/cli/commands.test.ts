import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Call } from '../../../cli/command.ts';
import { codeInWords, metaWords, parametersIn, timeoutOf } from '../../../cli/commands/agent.ts';
import { checkScreen, findAll } from '../../../cli/commands/check.ts';
import { explanationOf } from '../../../cli/commands/explain.ts';
import { metricsText } from '../../../cli/commands/metrics.ts';
import { connectionsOf } from '../../../cli/commands/reunite.ts';
import { proposal, type Split, splitsIn, unmetIn } from '../../../cli/commands/sides.ts';
import { wouldDecide } from '../../../cli/commands/split-brain.ts';
import { createConstraint, moveFor, preconditions } from '../../../cli/commands/switch.ts';
import { readCib } from '../../../cli/facts/cib.ts';
import type { Cluster } from '../../../cli/facts/cluster.ts';
import { type Facts, gather } from '../../../cli/facts/gather.ts';
import { comparable } from '../../../cli/facts/machine.ts';
import { askLook, type LookAnswer } from '../../../cli/facts/other-node.ts';
import { parseXml } from '../../../cli/facts/xml.ts';
import { acceptances, withAcceptances } from '../../../cli/findings/accepted.ts';
import { findingsBetween } from '../../../cli/findings/comparison.ts';
import { findingsNow } from '../../../cli/findings/now.ts';
import { endingFor } from '../../../cli/output/findings.ts';
import { envelope } from '../../../cli/output/json.ts';
import { envelopeShape } from '../../../cli/output/schema.ts';
import { terminalFor } from '../../../cli/output/terminal.ts';
import { wordsIn } from '../../../cli/output/words.ts';
import { catalogue } from '../../../lib/findings/catalogue.ts';
import { finding } from '../../../lib/findings/finding.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { agentConf } from '../../../lib/host/nfs/conf.ts';
import { type Captured, captured } from '../../fake/captured.ts';

process.env['TZ'] = 'UTC';
const english = wordsIn('en');
const terminal = terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false });

const look = ({ machine, time }: Captured): Promise<Facts> => gather(hostOn(machine, 60_000), time);
function clusterOf({ cluster }: Facts): Cluster {
  if (cluster.is === 'unknown') throw new Error(cluster.why);
  return cluster.value;
}

/** The captured configuration with a change, as cibadmin and crm_mon would both tell it. */
async function changed(name: string, change: (cib: string) => string): Promise<Captured> {
  const one = captured(name);
  const { stdout } = await one.machine.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 });
  const after = change(stdout);
  expect(after).not.toBe(stdout);
  one.machine.on('cibadmin', () => after);
  return one;
}

async function check(one: Captured) {
  const facts = await look(one);
  const call = { host: hostOn(one.machine, 60_000) } as Call;
  const { findings } = await findAll(call, facts, []);
  const { time, node } = facts;
  const json = envelope({ kind: 'check', time, node, findings, data: { losses: [] } });
  expect(envelopeShape.parse(json)).toEqual(json);
  expect(checkScreen(findings, terminal, node).join('\n')).not.toMatch(/\{\w+\}|undefined/);
  return findings.map(({ code }) => code);
}

/** What the lab's own cluster is told. */
const ofTheLab = [
  'FENCING_OFF',
  'INFODIR_EXPORTED',
  'NO_ALERT',
  'SPLIT_BRAIN_SILENT',
  'DRBD_UNPROTECTED',
  'RANDOM_PORTS',
  'AFTER_SB_DISCARDS',
  'DETECTION_SLOW',
  'LOCKD_GRACE_LONG',
];

describe('check', () => {
  test('the lab: what is known of it, and nothing else', async () => {
    const codes = await check(captured('healthy.node2'));
    expect([...codes].sort()).toEqual([...ofTheLab].sort());
  });

  // biome-ignore format: a table
  test.each([
    ['no monitor for the promoted role', 'NO_PROMOTED_MONITOR', (cib: string) => cib.replace(/ role="Promoted" id="Data-monitor/, ' id="Data-monitor')],
    ['no monitor for the unpromoted role', 'NO_UNPROMOTED_MONITOR', (cib: string) => cib.replace(/<op name="monitor" interval="30s" role="Unpromoted"[^>]*>/, '')],
    ['no monitor at all', 'NO_MONITOR', (cib: string) => cib.replace(/<op name="monitor" interval="30s" id="nfs_ip-monitor[^>]*>/, '')],
    ['no notify', 'NO_NOTIFY', (cib: string) => cib.replace(/(name="notify" value=)"true"/, '$1"false"')],
    ['two promoted', 'TOO_MANY_PROMOTED', (cib: string) => cib.replace(/(name="promoted-max" value=)"1"/, '$1"2"')],
    ['no colocation', 'NOT_WITH_PROMOTED', (cib: string) => cib.replace(/<rsc_colocation [^>]*>/, '')],
    ['colocation with any instance', 'NOT_WITH_PROMOTED', (cib: string) => cib.replace(' with-rsc-role="Promoted"', '')],
    ['no order', 'NOT_AFTER_PROMOTE', (cib: string) => cib.replace(/<rsc_order [^>]*>/, '')],
    ['no fsid', 'NO_FSID', (cib: string) => cib.replace(/<nvpair [^>]*name="fsid"[^>]*>/, '')],
    ['fencing on, no device', 'NO_FENCING_DEVICE', (cib: string) => cib.replace(/(name="stonith-enabled" value=)"false"/, '$1"true"')],
    ['quorum ignored', 'QUORUM_IGNORED', (cib: string) => cib.replace(/name="stonith-enabled" value="false"/, 'name="no-quorum-policy" value="ignore"')],
    ['a ban', 'BAN_LEFT_BEHIND', (cib: string) => cib.replace('<constraints>', '<constraints><rsc_location id="cli-ban-nfsshare-on-node1" rsc="nfsshare" node="node1" score="-INFINITY"/>')],
    ['a move', 'MOVE_LEFT_BEHIND', (cib: string) => cib.replace('<constraints>', '<constraints><rsc_location id="cli-prefer-DataClone" rsc="DataClone" role="Promoted" node="node1" score="INFINITY"/>')],
    ['a fence of a healthy pair', 'FENCE_LEFT_BEHIND', (cib: string) => cib.replace('<constraints>', '<constraints><rsc_location id="drbd-fence-by-handler-data-DataClone" rsc="DataClone"><rule role="Promoted" score="-INFINITY" id="r"><expression attribute="#uname" operation="ne" value="node2" id="e"/></rule></rsc_location>')],
    ['a resource switched off', 'RESOURCE_DISABLED', (cib: string) => cib.replace('<instance_attributes id="nfs_ip-instance', '<meta_attributes id="m"><nvpair id="n" name="target-role" value="Stopped"/></meta_attributes><instance_attributes id="nfs_ip-instance')],
  ] as const)('%s: %s', async (_, code, change) => {
    expect(await check(await changed('healthy.node2', change))).toContain(code);
  });

  test.each([
    ['/etc/fstab', '/dev/drbd1 /nfsdata xfs defaults 0 0\n', 'FSTAB'],
    [
      '/etc/corosync/corosync.conf',
      'nodelist {\n  node {\n  }\n  node {\n  }\n}\nquorum {\n}\n',
      'NO_TWO_NODE',
    ],
    ['/etc/corosync/corosync.conf', 'quorum {\n two_node: 1\n wait_for_all: 0\n}\n', 'NO_WAIT_FOR_ALL'],
    ['/etc/systemd/system/multi-user.target.wants/nfs-server.service', '', 'NFS_SERVER_AT_BOOT'],
    ['/etc/systemd/system/multi-user.target.wants/drbd.service', '', 'DRBD_AT_BOOT'],
    ['/lib/modules/9.9.9/x', '', 'KERNEL_WITHOUT_DRBD'],
    ['/etc/systemd/system/remote-fs.target.wants/nfs-server.service', '', 'NFS_SERVER_AT_BOOT'],
    ['/etc/rc3.d/S20nfs-kernel-server', '', 'SCRIPT_AT_BOOT'],
    ['/etc/rc2.d/S70drbd', '', 'SCRIPT_AT_BOOT'],
    ['/etc/systemd/system/nfsdata.mount', '[Mount]\nWhat=/dev/vdb\nWhere=/nfsdata\n', 'MOUNT_UNIT'],
    ['/etc/nfs.conf.d/zz.conf', '[nfsd]\ngrace-time=90\n', 'GRACE_DEFAULT'],
    ['/etc/nfs.conf.d/zz.conf', '[nfsd]\ngrace-time=5\n', 'GRACE_BELOW_LEASE'],
    ['/proc/sys/fs/nfs/nlm_grace_period', '10\n', 'LOCKD_GRACE_LONG'], // rpc.nfsd gives lockd nfs.conf's 15
    ['/etc/corosync/corosync.conf', 'totem {\n  version: 2\n}\n', 'DETECTION_SLOW'],
    ['/etc/corosync/corosync.conf', 'totem {\n  token: 500\n}\n', 'DETECTION_HASTY'],
  ] as const)('%s: %j: %s', async (path, text, code) => {
    const one = captured('healthy.node2');
    one.machine.files.set(path, text);
    expect(await check(one)).toContain(code);
  });

  test.each([
    ['heartbeat', '1', '6.12.57+deb13-amd64', true],
    ['heartbeat', '1', '7.2.1', true],
    ['heartbeat', '1', '6.1.0-40-amd64', false],
    ['heartbeat', '0', '7.2.1', false],
    ['tsha', '1', '7.2.1', false],
  ] as const)(
    'the server of %s, leases %s, Linux %s: CLAIMS_DELEGATED %s',
    async (provider, on, linux, is) => {
      const one =
        provider === 'tsha'
          ? captured('healthy.node2')
          : await changed('healthy.node2', (cib) =>
              cib.replace('type="nfsserver" provider="tsha"', `type="nfsserver" provider="${provider}"`),
            );
      one.machine.files.set('/proc/sys/fs/leases-enable', `${on}\n`);
      one.machine.files.set('/proc/sys/kernel/osrelease', `${linux}\n`);
      expect((await check(one)).includes('CLAIMS_DELEGATED')).toBe(is);
    },
  );

  const beside =
    (device: string, ...constraints: readonly string[]) =>
    (cib: string) =>
      cib
        .replace(
          '</resources>',
          `<clone id="WebClone"><primitive id="Web" class="ocf" type="drbd" provider="linbit"><instance_attributes id="wi"><nvpair id="w1" name="drbd_resource" value="web"/></instance_attributes></primitive><meta_attributes id="wm"><nvpair id="w2" name="promotable" value="true"/></meta_attributes></clone>
         <primitive id="fs" class="ocf" type="Filesystem" provider="heartbeat"><instance_attributes id="fi"><nvpair id="f1" name="device" value="${device}"/><nvpair id="f2" name="directory" value="/web"/></instance_attributes></primitive></resources>`,
        )
        .replace('</constraints>', `${constraints.join('')}</constraints>`);
  const withClone = (clone: string) =>
    `<rsc_colocation id="c-${clone}" rsc="fs" with-rsc="${clone}" with-rsc-role="Promoted" score="INFINITY"/>`;
  const withNext = (rsc: string, next: string, role = '') =>
    `<rsc_colocation id="c-${rsc}-${next}" rsc="${rsc}" with-rsc="${next}"${role} score="INFINITY"/>`;
  const setsUpTo = (clone: string, role: string) =>
    `<rsc_colocation id="s" score="INFINITY">${[
      ['fs', ''],
      ['nfs_ip2', ''],
      [clone, role],
    ]
      .map(([id, more]) => `<resource_set id="s-${id}"${more}><resource_ref id="${id}"/></resource_set>`)
      .join('')}</rsc_colocation>`;
  const promotedThere = ' with-rsc-role="Promoted"';
  const afterClone = (clone: string) =>
    `<rsc_order id="o-${clone}" first="${clone}" first-action="promote" then="fs" then-action="start"/>`;
  // biome-ignore format: a table
  test.each<readonly [string, device: string, constraints: readonly string[], clone: string | null]>([
    ['of the other DRBD, and tied to it',            '/dev/drbd2', [withClone('WebClone'), afterClone('WebClone')], null],
    ['of the other DRBD by name, and tied to it',    '/dev/drbd/by-res/web/0', [withClone('WebClone'), afterClone('WebClone')], null],
    ['of the other DRBD, and tied to nothing',       '/dev/drbd2', [], 'WebClone'],
    ['of the other DRBD, and tied to the first',     '/dev/drbd/by-res/web/0', [withClone('DataClone'), afterClone('DataClone')], 'WebClone'],
    ['of the first DRBD, and tied to the other',     '/dev/drbd1', [withClone('WebClone'), afterClone('WebClone')], 'DataClone'],
    ['of one of them, and tied to one',              '/dev/drbd_something', [withClone('DataClone'), afterClone('DataClone')], null],
    ['of one of them, and tied to nothing',          '/dev/drbd_something', [], 'DataClone | WebClone'],
    ['tied to it by what runs between them',         '/dev/drbd2', [withNext('fs', 'nfs_ip2'), withNext('nfs_ip2', 'WebClone', promotedThere), afterClone('WebClone')], null],
    ['tied to it by three sets',                     '/dev/drbd2', [setsUpTo('WebClone', ' role="Promoted"'), afterClone('WebClone')], null],
    ['tied to the first by three sets',              '/dev/drbd2', [setsUpTo('DataClone', ' role="Promoted"')], 'WebClone'],
    ['tied to any instance by three sets',           '/dev/drbd2', [setsUpTo('WebClone', '')], 'WebClone'],
    ['tied to any instance of what is promoted with it', '/dev/drbd2', [withNext('fs', 'DataClone'), withNext('DataClone', 'WebClone', ` rsc-role="Promoted"${promotedThere}`)], 'WebClone'],
    ['of a disk',                                    '/dev/vdb', [], null],
    ['of another server',                            '10.0.0.5:/backup', [], null],
  ])('a filesystem %s', async (_, device, constraints, clone) => {
    const one = await changed('healthy.node2', beside(device, ...constraints));
    const { findings } = await findAll({ host: hostOn(one.machine, 60_000) } as Call, await look(one), []);
    const told = findings.filter(({ code }) => /^NOT_(WITH|AFTER)_PROMOTED?$/.test(code));
    expect(told.map(({ code, facts }) => [code, facts['resource'], facts['clone']])).toEqual(
      clone === null ? [] : [['NOT_WITH_PROMOTED', 'fs', clone], ['NOT_AFTER_PROMOTE', 'fs', clone]],
    );
  });

  // biome-ignore format: a table
  test.each<readonly [string, role: string | null, lost: readonly string[]]>([
    ['with the promoted DRBD',         promotedThere, ['adm']],
    ['with DRBD, promoted or not',     '', ['adm']],
    ['with nothing',                   null, []],
  ])('what an administrator keeps on one node is missed where it runs %s', async (_, role, lost) => {
    const one = await changed('healthy.node2', (cib) =>
      cib
        .replace('</resources>', '<primitive id="adm" class="ocf" provider="heartbeat" type="Dummy"/></resources>')
        .replace('</constraints>', `<rsc_location id="l" rsc="adm" node="node1" score="-INFINITY"/>${role === null ? '' : withNext('adm', 'DataClone', role)}</constraints>`),
    );
    const runs = (is: string) => `<cluster_status><resources><resource id="adm" role="${is}" active="${is === 'Started'}"><node name="node2"/></resource></resources></cluster_status>`;
    one.machine.on('crm_simulate', () => `<pacemaker-result>${runs('Started')}<modifications/><transition/>${runs('Stopped').replaceAll('cluster_status', 'revised_cluster_status')}</pacemaker-result>`);
    const { losses } = await findAll({ host: hostOn(one.machine, 60_000) } as Call, await look(one), ['node2']);
    expect(losses.flatMap((each) => each.lost)).toEqual(lost);
  });

  const device = 'quorum {\n  device {\n    model: net\n  }\n  wait_for_all: 0\n}\n';
  test('a quorum device takes the place of two_node and wait_for_all', async () => {
    const one = captured('healthy.node2');
    one.machine.files.set(
      '/etc/corosync/corosync.conf',
      `nodelist {\n  node {\n  }\n  node {\n  }\n}\n${device}`,
    );
    const codes = await check(one);
    expect(codes).not.toContain('NO_TWO_NODE');
    expect(codes).not.toContain('NO_WAIT_FOR_ALL');
  });

  test.each<readonly [string, agent: string, alert: string, isSilent: boolean]>([
    [
      'one that hears attributes',
      'tsha',
      '<alert id="a" path="/x"><select><select_attributes/></select></alert>',
      false,
    ],
    ['one that hears none', 'tsha', '<alert id="a" path="/x"/>', true],
    [
      'no attribute of a stock agent’s',
      'linbit',
      '<alert id="a" path="/x"><select><select_attributes/></select></alert>',
      true,
    ],
  ])('who is told of a split brain by an alert: %s', async (_, provider, alert, isSilent) => {
    const one = await changed('healthy.node2', (cib) =>
      cib
        .replace('</configuration>', `<alerts>${alert}</alerts></configuration>`)
        .replace('type="drbd" provider="tsha"', `type="drbd" provider="${provider}"`),
    );
    expect((await check(one)).includes('SPLIT_BRAIN_SILENT')).toBe(isSilent);
  });

  test('nothing that is advised stops what serves', () => {
    const all = Object.values(catalogue).flatMap(({ fix }): readonly string[] => fix);
    for (const command of all)
      expect(command.replace(/ # .*/, '')).not.toMatch(/systemctl .*--now|systemctl stop/);
  });

  test('the server as a unit of systemd’s is one, too', async () => {
    const one = await changed('healthy.node2', (cib) =>
      cib.replace('class="ocf" type="nfsserver" provider="tsha"', 'class="systemd" type="nfs-server"'),
    );
    one.machine.files.set('/etc/systemd/system/multi-user.target.wants/nfs-server.service', '');
    expect(await check(one)).toContain('NFS_SERVER_AT_BOOT');
    one.machine.files.set('/proc/net/rpc/nfsd', 'th 0 0\n');
    expect(findingsNow(await look(one)).map(({ code }) => code)).toContain('NFSD_DEAD');
  });

  test.each([
    ['/etc/nfs.conf.d/zz.conf', '[nfsd]\ngrace-time=20\n', 'LOCKD_GRACE_LONG'],
    ['/etc/corosync/corosync.conf', 'totem {\n  token: 1000\n}\n', 'DETECTION_SLOW'],
    ['/etc/corosync/corosync.conf', 'totem {\n  token: 1000\n}\n', 'DETECTION_HASTY'],
  ] as const)('%s: %j: not %s', async (path, text, code) => {
    const one = captured('healthy.node2');
    one.machine.files.set(path, text);
    expect(await check(one)).not.toContain(code);
  });

  const withParameters = (...pairs: readonly (readonly [name: string, value: string])[]) => {
    const nvpairs = pairs.map(
      ([name, value], index) => `<nvpair id="p${index}" name="${name}" value="${value}"/>`,
    );
    return (cib: string) => cib.replace(/<nvpair [^>]*name="nfs_no_notify"[^>]*>/, `$&${nvpairs.join('')}`);
  };
  const fixed = [
    ['mountd_port', '20048'],
    ['statd_port', '662'],
    ['lockd_tcp_port', '32803'],
  ] as const;

  test.each<readonly [string, readonly (readonly [string, string])[], absent: string, present: string]>([
    ['ports', fixed, 'RANDOM_PORTS', 'FENCING_OFF'],
    ['NFSv4 only', [['nfsv4_only', 'true']], 'RANDOM_PORTS', 'FENCING_OFF'],
    ['a port too few', fixed.slice(1), 'GRACE_DEFAULT', 'RANDOM_PORTS'],
    ['a grace', [['nfs_grace_time', '5']], 'GRACE_DEFAULT', 'GRACE_BELOW_LEASE'],
  ])(
    'what the agent will set counts where its server does not run: %s',
    async (_, pairs, absent, present) => {
      const codes = await check(await changed('healthy.node2', withParameters(...pairs)));
      expect(codes).not.toContain(absent);
      expect(codes).toContain(present);
    },
  );

  test('what the agent has set where its server runs is no difference between the nodes', async () => {
    const digests = async (one: Captured) =>
      (await comparable(hostOn(one.machine, 60_000), await look(one))).configurations;
    const serving = captured('healthy.node2');
    serving.machine.files.set(agentConf, '[mountd]\nport=20048\n[nfsd]\nscope=x\n');
    expect(await digests(serving)).toEqual(await digests(captured('healthy.node2')));
    serving.machine.files.set('/etc/nfs.conf.d/own.conf', '[mountd]\nport=20048\n');
    expect(await digests(serving)).not.toEqual(await digests(captured('healthy.node2')));
  });

  test.each([
    ['/lib/modules/0.0.1/x', 'KERNEL_WITHOUT_DRBD', 'an older kernel is not the next one'],
    ['/run/systemd/system/x', 'SCRIPT_AT_BOOT', 'systemd has no use for init scripts of its units'],
  ] as const)('%s: not %s: %s', async (path, code, _) => {
    const one = captured('healthy.node2');
    one.machine.files.set(path, '').set('/etc/rc3.d/S20nfs-kernel-server', '');
    if (code === 'KERNEL_WITHOUT_DRBD') one.machine.files.delete('/etc/rc3.d/S20nfs-kernel-server');
    expect(await check(one)).not.toContain(code);
  });

  test.each([
    ['DRBD 9 is loaded: its own module', 'version: 9.2.12 (api:2/proto:118-122)\n', true],
    ['DRBD 8.4 is loaded: the kernel’s does', 'version: 8.4.11 (api:1/proto:86-101)\n', false],
    ['nothing is loaded, nobody knows which: any does', undefined, false],
  ] as const)('%s', async (_, proc, is) => {
    const one = captured('healthy.node2');
    if (proc === undefined) one.machine.files.delete('/proc/drbd');
    else one.machine.files.set('/proc/drbd', proc);
    const module = '/lib/modules/9.9.9/kernel/drivers/block/drbd/drbd.ko';
    one.machine.files.set(module, '');
    one.machine.on('find', () => `${module}\n`);
    expect((await check(one)).includes('KERNEL_WITHOUT_DRBD')).toBe(is);
  });

  const chain = (policy: string, ...rules: readonly string[]) =>
    `table inet f {\n chain input {\n  type filter hook input priority filter; policy ${policy};\n${rules.map((rule) => `  ${rule}\n`).join('')} }\n}\n`;
  test.each([
    ['accepts everything', chain('accept'), ['RANDOM_PORTS']],
    ['drops, and knows no port', chain('drop'), ['FIREWALL_RANDOM_PORTS', 'FIREWALL_CLOSED']],
    [
      'rejects at the end, and knows all that is fixed',
      chain('accept', 'tcp dport { 22, 111, 2000-2100 } accept', 'reject with icmpx admin-prohibited'),
      ['FIREWALL_RANDOM_PORTS'],
    ],
  ] as const)('a firewall that %s', async (_, ruleset, codes) => {
    const one = captured('healthy.node2');
    one.machine.on('nft', () => ruleset);
    expect((await check(one)).filter((code) => /FIREWALL|PORTS/.test(code)).sort()).toEqual(
      [...codes].sort(),
    );
  });

  test('automatic policies: what nobody has changed is no loss', async () => {
    const one = captured('healthy.node2');
    const honest = one.machine.handler('drbdadm');
    one.machine.on('drbdadm', async (args, command) => {
      const output = await honest(args, command);
      const text = typeof output === 'string' ? output : (output?.stdout ?? '');
      return text.replaceAll('discard-secondary', 'disconnect');
    });
    expect(await check(one)).not.toContain('AFTER_SB_DISCARDS');
  });

  test('an fstab line with noauto is none of them', async () => {
    const one = captured('healthy.node2');
    one.machine.files.set('/etc/fstab', '/dev/drbd1 /nfsdata xfs noauto 0 0\n');
    expect(await check(one)).not.toContain('FSTAB');
  });
});

describe('the other node', () => {
  const look = {
    clock: 10_000,
    versions: { tsha: '1.0.0', DRBD: '9.3.3' },
    configurations: { 'corosync.conf': 'aa', 'nfs.conf': 'bb' },
    findings: [],
  };
  const between = (theirs: Partial<LookAnswer>) => [
    ...findingsBetween({
      ...{ node: 'alpha', peer: 'beta', own: look, askedAt: 9000, answeredAt: 11_000 },
      theirs: { is: 'known', value: { ...look, ...theirs } },
    }),
  ];

  test.each<readonly [string, Partial<LookAnswer>, readonly string[]]>([
    ['alike', {}, []],
    ['a clock within the time of the answer', { clock: 11_900 }, []],
    ['a clock that is behind', { clock: 6900 }, ['CLOCKS_DIFFER']],
    ['a clock that is ahead', { clock: 13_100 }, ['CLOCKS_DIFFER']],
    ['another DRBD', { versions: { ...look.versions, DRBD: '8.4.11' } }, ['VERSIONS_DIFFER']],
    ['versions that nobody told', { versions: {} }, []],
    ['no DRBD', { versions: { ...look.versions, DRBD: null } }, ['VERSIONS_DIFFER']],
    ['a version that this one does not ask for', { versions: { ...look.versions, more: '1' } }, []],
    [
      'another corosync.conf',
      { configurations: { ...look.configurations, 'corosync.conf': 'cc' } },
      ['CONFIGURATIONS_DIFFER'],
    ],
    [
      'what it finds by itself',
      { findings: [{ code: 'FSTAB', facts: { device: '/dev/drbd1', resource: 'fs' }, evidence: [] }] },
      ['FSTAB'],
    ],
    ['what only a newer one knows', { findings: [{ code: 'OF_TOMORROW', facts: {}, evidence: [] }] }, []],
  ])('%s', (_, theirs, codes) => {
    expect(between(theirs).map(({ code }) => code)).toEqual(codes);
  });

  test('that it lets nobody in is said, and is no alarm', () => {
    const theirs = { is: 'unknown', why: 'Permission denied (publickey).' } as const;
    const found = [
      ...findingsBetween({ node: 'alpha', peer: 'beta', own: look, theirs, askedAt: 0, answeredAt: 0 }),
    ];
    expect(found.map(({ code }) => code)).toEqual(['NODE_NOT_LOOKED_AT']);
    expect(endingFor(found)).toBe('well');
  });

  test.each([
    [{ code: 255, stderr: 'ssh: connect to host beta port 22: No route to host\n' }, 'No route to host'],
    [{ code: 127, stderr: 'sh: 1: /usr/sbin/tsha: not found\n' }, 'beta has no /usr/sbin/tsha'],
    [{ code: 127, missing: true }, 'ssh is not installed'],
    [{ code: 124, hung: 'pid 77' }, 'did not end'],
    [{ code: 0, stdout: '{"clock":1}' }, 'another version?'],
    [{ code: 0, stdout: 'Welcome!' }, 'another version?'],
  ] as const)('ssh answers %j: %s', async (output, why) => {
    const { machine } = captured('healthy.node1');
    machine.on('ssh', () => output);
    expect(await askLook(hostOn(machine, 60_000), 'beta')).toMatchObject({
      is: 'unknown',
      why: expect.stringContaining(why),
    });
  });

  test('it is asked without a question, within five seconds, for one thing of a fixed list', async () => {
    const { machine } = captured('healthy.node1');
    await askLook(hostOn(machine, 60_000), 'beta');
    expect(machine.ran).toEqual([
      'ssh -o BatchMode=yes -o ConnectTimeout=5 -- beta /usr/sbin/tsha node look',
    ]);
  });
});

describe('a file that only accepts', () => {
  const one = '  - { code: FENCING_OFF, why: two switches, until: 2999-01-01 }';
  const dir = mkdtempSync(join(tmpdir(), 'tsha-accept-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const written = (text: string): string => {
    const file = join(dir, 'tsha.yaml');
    writeFileSync(file, text);
    return file;
  };
  test.each([
    ['alone', `accept:\n${one}\n`],
    ['with a version', `version: 1\naccept:\n${one}\n`],
  ])('%s', async (_, text) => {
    expect(await acceptances(written(text), 'en')).toMatchObject([{ code: 'FENCING_OFF' }]);
  });
  test.each([
    [
      'an unknown code',
      'accept:\n  - { code: FENCING, why: x, until: 2999-01-01 }\n',
      /:2:13: .*did you mean/i,
    ],
    ['no day', 'accept:\n  - { code: FENCING_OFF, why: x }\n', /"until" is missing/],
    ['a code twice', `accept:\n${one}\n${one}\n`, /accepted twice/],
    ['another version', `version: 2\naccept:\n${one}\n`, /version/],
    ['half a pair', `accept:\n${one}\nnodes: {}\n`, /"drbd" is missing/],
    ['nothing', '', /empty|holds nothing/],
  ])('%s: an error', async (_, text, says) => {
    await expect(acceptances(written(text), 'en')).rejects.toThrow(says);
  });
});

describe('accepted', () => {
  const found = [finding('FENCING_OFF', { value: 'false' }), finding('RANDOM_PORTS', { daemons: 'statd' })];
  const accept = (until: string, code = 'FENCING_OFF') =>
    withAcceptances(found, [{ code, why: 'two power switches', until }], Date.UTC(2026, 10, 29), () => false);

  test.each([
    ['2026-11-29', ['ACCEPTED', 'RANDOM_PORTS']],
    ['2026-11-28', ['FENCING_OFF', 'RANDOM_PORTS']],
  ])('until %s', (until, codes) => {
    expect(accept(until).map(({ code }) => code)).toEqual(codes);
  });

  test('what is accepted no longer decides how the command ends', () => {
    expect([endingFor(found), endingFor(accept('2027-01-01'))]).toEqual(['attention', 'well']);
  });

  test('danger to data cannot be accepted', () => {
    const accepted = [{ code: 'FENCING_OFF', why: 'x', until: '2027-01-01' }];
    expect(withAcceptances(found, accepted, 0, () => true)).toEqual(found);
  });
});

describe('switch', () => {
  const moved = async (name: string) => {
    const facts = await look(captured(name));
    const move = moveFor(clusterOf(facts), { to: null, service: null }, english);
    if (move === 'there') throw new Error('there');
    return {
      move,
      unmet: preconditions(facts, clusterOf(facts), move, english).filter(({ holds }) => !holds),
    };
  };

  test('a healthy pair: to the other node, by promotion', async () => {
    const { move, unmet } = await moved('healthy.node1');
    expect(move).toMatchObject({ from: 'node2', to: 'node1', resource: 'DataClone', role: 'Promoted' });
    expect(unmet).toEqual([]);
  });

  test.each([
    ['degraded.node2', ['both copies are UpToDate']],
    ['syncing.node1', ['both copies are UpToDate']],
    ['split.node1', ['both copies are UpToDate']],
    ['standby.node2', ['node1 is online and in service', 'both copies are UpToDate']],
  ] as const)('%s is refused: %j', async (name, what) => {
    expect((await moved(name)).unmet.map((one) => one.what)).toEqual(what);
  });

  test('a constraint in the way is named', async () => {
    const one = await changed('healthy.node1', (cib) =>
      cib.replace(
        '<constraints>',
        '<constraints><rsc_location id="cli-ban-DataClone-on-node1" rsc="DataClone" node="node1" score="-INFINITY"/>',
      ),
    );
    const facts = await look(one);
    const move = moveFor(clusterOf(facts), { to: 'node1', service: null }, english);
    if (move === 'there') throw new Error('there');
    const unmet = preconditions(facts, clusterOf(facts), move, english).filter(({ holds }) => !holds);
    expect(unmet.map(({ what }) => what)).toEqual(['in the way: cli-ban-DataClone-on-node1']);
  });

  /** The captured cluster with another resource, which runs where it is said. */
  function withService(cluster: Cluster, id: string, node: string): Cluster {
    const [one] = cluster.cib.primitives.filter(({ type }) => type === 'IPaddr2');
    const [instance] = cluster.instances.filter((each) => each.id === one?.id);
    if (!one || !instance) throw new Error('no address');
    return {
      ...cluster,
      cib: { ...cluster.cib, primitives: [{ ...one, id, group: null }, ...cluster.cib.primitives] },
      instances: [{ ...instance, id, node }, ...cluster.instances],
    };
  }

  test('an address for administrators is not taken for the service', async () => {
    const cluster = withService(clusterOf(await look(captured('healthy.node1'))), 'admin-ip', 'node1');
    expect(moveFor(cluster, { to: 'node1', service: null }, english)).toMatchObject({
      service: { id: 'nfsshare' },
      resource: 'DataClone',
    });
    expect(moveFor(cluster, { to: 'node2', service: 'admin-ip' }, english)).toMatchObject({
      ...{ from: 'node1', resource: 'admin-ip', role: null },
    });
  });

  test.each([
    ['prefers where it is', 'node2', 'INFINITY', true],
    ['is kept from there', 'node1', '-INFINITY', true],
    ['has a preference', 'node2', '100', false],
  ])('a service that %s: in the way %s', async (_what, node, score, isFirm) => {
    const one = await changed('healthy.node1', (cib) =>
      cib.replace(
        '<constraints>',
        `<constraints><rsc_location id="mine" rsc="nfsshare" node="${node}" score="${score}"/>`,
      ),
    );
    const facts = await look(one);
    const move = moveFor(clusterOf(facts), { to: 'node1', service: null }, english);
    if (move === 'there') throw new Error('there');
    const unmet = preconditions(facts, clusterOf(facts), move, english).filter(({ holds }) => !holds);
    expect(unmet.map(({ what }) => what)).toEqual(isFirm ? ['in the way: mine'] : []);
  });

  test('where it is already there is nothing to do, and there is no such node', async () => {
    const facts = await look(captured('healthy.node1'));
    expect(moveFor(clusterOf(facts), { to: 'node2', service: null }, english)).toBe('there');
    expect(() => moveFor(clusterOf(facts), { to: 'node9', service: null }, english)).toThrow(
      'there is no node node9',
    );
  });

  test('the role is in the word of the cluster’s schema', async () => {
    const one = await changed('healthy.node1', (cib) =>
      cib.replace('validate-with="pacemaker-3.9"', 'validate-with="pacemaker-3.2"'),
    );
    const move = moveFor(clusterOf(await look(one)), { to: 'node1', service: null }, english);
    if (move === 'there') throw new Error('there');
    expect(createConstraint(move, 600_000).at(-1)).toContain(' role="Master">');
  });

  test('the constraint is one that ends, whatever the names hold', async () => {
    const { move } = await moved('healthy.node1');
    const [, , , , , xml = ''] = createConstraint({ ...move, to: 'a"<&b' }, 600_000);
    const { locations } = readCib(
      parseXml(`<cib><configuration><constraints>${xml}</constraints></configuration></cib>`),
    );
    expect(locations).toEqual([
      {
        id: 'cli-prefer-DataClone',
        resource: 'DataClone',
        node: 'a"<&b',
        score: 'INFINITY',
        endsAt: 600_000,
        role: 'Promoted',
      },
    ]);
  });
});

/** The kernel's log has been written over, or never told. */
function withoutLog(one: Captured, state: string): Captured {
  const events = one.machine.handler('drbdsetup');
  one.machine.on('dmesg', () => '');
  one.machine.on('drbdsetup', async (args, command) => {
    const output = await events?.(args, command);
    return (typeof output === 'string' ? output : (output?.stdout ?? '')).replaceAll('StandAlone', state);
  });
  return one;
}

describe('split brain', () => {
  test('both sides, as each node sees them: amounts, generations, a proposal', async () => {
    const [first] = splitsIn(await look(captured('split.node1')), null);
    const [second] = splitsIn(await look(captured('split.node2')), 'data');
    const sides = (split: Split | undefined) =>
      (split?.sides ?? []).map(({ node, role, changedKiB, generation }) => [
        node,
        role,
        changedKiB,
        generation,
      ]);
    expect(sides(first)).toEqual([
      ['node1', 'Primary', 320, '66E668E21AEF629B'],
      ['node2', 'Secondary', 80, '28E7CAF8E33CF5A8'],
    ]);
    expect(sides(second)).toEqual([...sides(first)].reverse());
    for (const split of [first, second]) expect(split && proposal(split.sides)?.node).toBe('node2');
  });

  test('a healthy pair has none; a resource that is not there is said', async () => {
    const facts = await look(captured('healthy.node1'));
    expect(splitsIn(facts, null)).toEqual([]);
    expect(() => splitsIn(facts, 'other')).toThrow('DRBD has no resource other');
  });

  test.each([
    [false, { ofVictim: 'data', ofSurvivor: 'data' }],
    [true, { ofVictim: 'data:node1', ofSurvivor: 'data:node2' }],
  ])('of several connections %s: only that one is touched', async (isOneOfSeveral, connections) => {
    const [split] = splitsIn(await look(captured('split.node1')), null);
    if (!split) throw new Error('none');
    expect(connectionsOf({ ...split, isOneOfSeveral }, 'node2')).toEqual(connections);
  });

  test.each(['StandAlone', 'Connecting'])(
    'a side that is %s and whose log tells of none is not at peace',
    async (state) => {
      const facts = await look(withoutLog(captured('split.node1'), state));
      expect(splitsIn(facts, null)).toEqual([]);
      expect(unmetIn(facts, null).map(({ peer }) => peer.connection)).toEqual([state]);
      expect(unmetIn(await look(captured('healthy.node1')), null)).toEqual([]);
    },
  );

  test.each([
    ['after-sb-0pri discard-younger-primary', 'Secondary', 8, true],
    ['after-sb-0pri discard-younger-primary', 'Primary', 8, false],
    ['after-sb-0pri discard-younger-primary', null, 8, true],
    ['after-sb-0pri disconnect', 'Secondary', 8, false],
    ['after-sb-0pri discard-zero-changes', 'Secondary', 8, false],
    ['after-sb-0pri discard-zero-changes', 'Secondary', 0, true],
    ['after-sb-0pri discard-zero-changes', 'Secondary', null, true],
    ['after-sb-1pri discard-secondary', 'Primary', 8, false],
    ['after-sb-1pri consensus', 'Primary', 8, false],
    ['after-sb-1pri violently-as0p', 'Primary', 8, true],
    ['after-sb-1pri call-pri-lost-after-sb', 'Primary', 8, true],
    ['after-sb-1pri violently-as0p', 'Secondary', 8, false],
    ['after-sb-2pri call-pri-lost-after-sb', 'Primary', 8, false],
  ])('%s, the side that stays %s with %s KiB: it would decide: %s', (policy, role, changedKiB, does) => {
    const side = {
      node: 'node1',
      host: 'node1',
      isHere: true,
      role,
      changedKiB,
      generation: null,
      own: null,
    };
    expect(wouldDecide(policy, side)).toBe(does);
  });

  test('two Primaries, or none: no proposal', async () => {
    const [split] = splitsIn(await look(captured('split.node1')), null);
    if (!split) throw new Error('none');
    const [here, there] = split.sides;
    expect(proposal([here, { ...there, role: 'Primary' }])).toBeNull();
    expect(proposal([{ ...here, role: 'Secondary' }, there])).toBeNull();
    expect(proposal([here, { ...there, role: null }])).toBeNull();
  });
});

describe('explain', () => {
  test.each([
    ['nfs_ip', /nfs_ip {2}ocf:tsha:IPaddr2\n {2}Started on node2/, ['RESOURCE_FAILED']],
    ['nfsshare', /NFS {2}ocf:tsha:Filesystem[\s\S]*nfs-notify/, ['RESOURCE_FAILED']],
    ['DataClone', /Data {2}ocf:tsha:drbd/, []],
    ['data', /Data {2}ocf:tsha:drbd/, []],
    ['node2', /node2: online, standby no; runs .*nfs_ip \(Started\)/, ['RESOURCE_FAILED']],
  ] as const)('%s', async (word, text, codes) => {
    const facts = await look(captured('failed.node1'));
    const { lines, findings } = explanationOf(word, facts, clusterOf(facts), findingsNow(facts), terminal);
    expect(lines.join('\n')).toMatch(text);
    expect(findings.map(({ code }) => code)).toEqual(codes);
  });

  test('the last failure in the agent’s own words', async () => {
    const facts = await look(captured('failed.node1'));
    const [failure] = explanationOf('nfs_ip', facts, clusterOf(facts), findingsNow(facts), terminal).findings;
    expect(failure?.facts['reason']).toBe('10.77.0.20 is not configured');
  });
});

describe('an agent by hand', () => {
  test('parameters go into its environment, unknown ones are refused', () => {
    expect(parametersIn(['--ip=10.0.0.9', '--meta_interval=10000'], 'IPaddr2', ['ip'])).toEqual({
      OCF_RESKEY_ip: '10.0.0.9',
      OCF_RESKEY_CRM_meta_interval: '10000',
    });
    expect(() => parametersIn(['--ipp=1'], 'IPaddr2', ['ip'])).toThrow('IPaddr2 has no parameter ipp');
    expect(() => parametersIn(['ip=1'], 'IPaddr2', ['ip'])).toThrow('parameters are written --name=value');
  });

  test('a check level, and of Pacemaker’s own words those that an agent reads', () => {
    expect(parametersIn(['--OCF_CHECK_LEVEL=20', '--meta_notify_stop_uname=beta'], 'drbd', [])).toEqual({
      OCF_CHECK_LEVEL: '20',
      OCF_RESKEY_CRM_meta_notify_stop_uname: 'beta',
    });
    for (const word of ['--OCF_CHECK_LEVEL=deep', '--meta_timeout=20s', '--meta_interval='])
      expect(() => parametersIn([word], 'drbd', [])).toThrow('whole number');
    expect(() => parametersIn(['--meta_timout=20000'], 'drbd', [])).toThrow('no agent reads meta_timout');
  });

  test('every word of Pacemaker’s that an agent reads can be given', () => {
    const sources = ['agents', 'lib'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => readFileSync(join(folder, file), 'utf8')),
    );
    const read = sources.flatMap((source) =>
      [...source.matchAll(/\bmeta\('(\w+)'\)/g)].map(([, name = '']) => name),
    );
    expect(read).toContain('on_node');
    expect(read.filter((name) => !Object.hasOwn(metaWords, name))).toEqual([]);
  });

  test.each([
    ['start', { OCF_RESKEY_CRM_meta_timeout: '240000' }],
    ['status', { OCF_RESKEY_CRM_meta_timeout: '20000' }],
    ['meta-data', {}],
  ])('%s has the time that the agent advertises', (action, expected) => {
    expect(timeoutOf({ start: { timeout: '240s' }, monitor: { timeout: '20s' } }, action)).toEqual(expected);
  });

  test.each([
    [0, '0, done, or running (ok)'],
    [7, '7, not running (notRunning)'],
    [137, '137, ended by signal 9'],
    [77, '77, no code of OCF'],
  ])('%i in words', (code, words) => {
    expect(codeInWords(code)).toBe(words);
  });
});

describe('metrics', () => {
  test.each(['healthy.node1', 'split.node2', 'syncing.node1', 'moving.node1'])(
    '%s is Prometheus text',
    async (name) => {
      const text = metricsText(await look(captured(name)), 'lab');
      const line = /^(# (HELP|TYPE) tsha_\w+ .+|tsha_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?\d+(\.\d+)?)$/;
      for (const each of text.trimEnd().split('\n')) expect(each).toMatch(line);
      const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, metric]) => metric);
      expect(new Set(names).size).toBe(names.length);
    },
  );

  test('split brain without any handler; what is unknown has no sample', async () => {
    const split = metricsText(await look(captured('split.node2')), 'lab');
    expect(split).toContain('tsha_drbd_split_brain{cluster="lab",resource="data",peer="node1"} 1');
    expect(split).toContain('tsha_finding{cluster="lab",code="SPLIT_BRAIN"} 1');
    const one = captured('healthy.node2');
    one.machine.on('cibadmin', () => ({ code: 102 }));
    const without = metricsText(await look(one), null);
    expect(without).toContain('tsha_cluster_up 0');
    expect(without).not.toContain('tsha_service_up');
  });
});

describe('clusters of other people', () => {
  test('stock agents are told as truly', async () => {
    const one = await changed('healthy.node2', (cib) =>
      cib.replace(/provider="tsha"/g, 'provider="heartbeat"'),
    );
    const facts = await look(one);
    expect(endingFor(findingsNow(facts))).toBe('well');
  });

  test('without DRBD and NFS there is nothing to say about copies', async () => {
    const cib = `<cib><configuration><crm_config/><nodes><node id="1" uname="node1"/></nodes><resources>
      <primitive id="web &amp; &quot;more&quot;" class="ocf" provider="heartbeat" type="apache"/></resources><constraints/></configuration></cib>`;
    const mon = `<pacemaker-result><summary><current_dc name="node1" with_quorum="true"/></summary><nodes><node name="node1" online="true"/></nodes>
      <resources><resource id="web &amp; &quot;more&quot;" resource_agent="ocf:heartbeat:apache" role="Started" active="true" managed="true"><node name="node1"/></resource></resources></pacemaker-result>`;
    const one = captured('healthy.node1');
    one.machine.files.delete('/proc/drbd');
    one.machine.on('cibadmin', () => cib).on('crm_mon', () => mon);
    const facts = await look(one);
    expect(findingsNow(facts)).toEqual([]);
    expect(clusterOf(facts).instances[0]?.id).toBe('web & "more"');
  });
});
