import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../cli/command.ts';
import { findAll } from '../../cli/commands/check.ts';
import { explanationOf } from '../../cli/commands/explain.ts';
import { gather } from '../../cli/facts/gather.ts';
import { findingsNow } from '../../cli/findings/now.ts';
import { commandsOf, endingFor } from '../../cli/output/findings.ts';
import { statusScreen } from '../../cli/output/status-screen.ts';
import { terminalFor } from '../../cli/output/terminal.ts';
import type { Finding } from '../../lib/findings/finding.ts';
import { hostOn } from '../../lib/host/host.ts';
import { type Captured, captured } from '../fake/captured.ts';
import { run, sandbox } from './call.ts';

// The lab's pair with a changed configuration, as Pacemaker's own programs tell of it: what they make of a CIB is not for us to guess.

process.env['TZ'] = 'UTC';
const terminal = terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false });

type Change = (cib: string) => string;

async function clusterOf(...changes: readonly Change[]): Promise<Captured> {
  const one = captured('healthy.node2');
  const { stdout } = await one.machine.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 });
  const cib = changes.reduce((text, change) => {
    const after = change(text);
    expect(after, `${change}`).not.toBe(text);
    return after;
  }, stdout);
  const file = join(sandbox(), 'cib.xml');
  writeFileSync(file, cib);
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', CIB_file: file, TZ: 'UTC', LC_ALL: 'C' };
  for (const program of ['cibadmin', 'crm_mon', 'crm_simulate'])
    one.machine.on(program, async (args) => {
      const { code, ...output } = await run([program, ...args], env);
      return { ...output, code: code ?? 1 };
    });
  return one;
}

async function seen(one: Captured) {
  const facts = await gather(hostOn(one.machine, 60_000), one.time);
  const findings = findingsNow(facts);
  const [first = ''] = statusScreen(facts, findings, terminal);
  return { facts, findings, first, codes: findings.map(({ code }) => code), ending: endingFor(findings) };
}

const inFrontOf =
  (tag: string, xml: string): Change =>
  (cib) =>
    cib.replace(tag, () => `${xml}${tag}`);
const resources = (xml: string): Change => inFrontOf('</resources>', xml);
const constraint = (xml: string): Change => inFrontOf('</constraints>', xml);
const property = (name: string, value: string): Change =>
  inFrontOf('</cluster_property_set>', `<nvpair id="p-${name}" name="${name}" value="${value}"/>`);
const replaced =
  (from: string | RegExp, to: string): Change =>
  (cib) =>
    cib.replace(from, to);
const meta = (id: string, name: string, value: string): string =>
  `<meta_attributes id="${id}-m"><nvpair id="${id}-m1" name="${name}" value="${value}"/></meta_attributes>`;
const onNode1 = (name: string, value: string): Change =>
  replaced(
    /<node ([^>]*)uname="node1"\/>/,
    `<node $1uname="node1"><instance_attributes id="na"><nvpair id="na1" name="${name}" value="${value}"/></instance_attributes></node>`,
  );

/** What an executor has written down: the end of an action. */
function done(node: string, id: string, agent: string, action: string, code: number, call = 90): Change {
  const [type = '', provider] = agent.split(':').reverse();
  const who = `class="${agent.split(':')[0]}"${agent.startsWith('ocf:') ? ` provider="${provider}"` : ''}`;
  const key = `${call}:3:0:d28fc6dd-8bdb-4bd7-a71c-3f7fe8a3b1cc`;
  const ends = `transition-key="${key}" transition-magic="0:${code};${key}" on_node="${node}" call-id="${call}" rc-code="${code}" op-status="0"`;
  const op = `<lrm_rsc_op id="${id}_last_0" operation_key="${id}_${action}_0" operation="${action}" ${ends} interval="0" last-rc-change="1795894400" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/>`;
  const record = `<lrm_resource id="${id}" type="${type}" ${who}>${op}</lrm_resource>`;
  return (cib) =>
    cib.replace(
      new RegExp(`(<node_state [^>]*uname="${node}".*?)(</lrm_resources>)`, 's'),
      (_, head: string, tail: string) => `${head}${record}${tail}`,
    );
}

const group = {
  NFS: 'Filesystem',
  'nfs-daemon': 'nfsserver',
  'nfs-root': 'exportfs',
  nfs_ip: 'IPaddr2',
  'nfs-notify': 'nfsnotify',
};
const forgotten =
  (id: string): Change =>
  (cib) =>
    cib.replace(new RegExp(`<lrm_resource [^>]*id="${id}".*?</lrm_resource>`, 'gs'), '');
/** Nothing of the group runs, and nothing has failed. */
const stopped: readonly Change[] = Object.entries(group).flatMap(([id, type]) => [
  forgotten(id),
  ...['node1', 'node2'].map((node) => done(node, id, `ocf:tsha:${type}`, 'monitor', 7)),
]);

const fencing: readonly Change[] = [
  replaced(/(name="stonith-enabled" value=)"false"/, '$1"true"'),
  ...['1', '2'].flatMap((of) => {
    const id = `fence-node${of}`;
    const host = of === '1' ? 'node2' : 'node1';
    return [
      resources(
        `<primitive id="${id}" class="stonith" type="fence_ipmilan"><instance_attributes id="${id}-i"><nvpair id="${id}-h" name="pcmk_host_list" value="node${of}"/></instance_attributes></primitive>`,
      ),
      constraint(`<rsc_location id="${id}-l" rsc="${id}" node="node${of}" score="-INFINITY"/>`),
      done(host, id, 'stonith:fence_ipmilan', 'start', 0),
      done(`node${of}`, id, 'stonith:fence_ipmilan', 'monitor', 7),
    ];
  }),
];
const web = '<primitive id="web" class="ocf" provider="heartbeat" type="apache"/>';
const keptOff = (resource: string, node: string): Change =>
  constraint(
    `<rsc_location id="off-${resource}-${node}" rsc="${resource}" node="${node}" score="-INFINITY"/>`,
  );

describe('the loss of a node', () => {
  // biome-ignore format: a table
  test.each<readonly [string, readonly Change[], lost: readonly string[]]>([
    ['the README’s fencing: each device where its node is not',  fencing, []],
    ['what is made for that node alone',                         [resources(web), keptOff('web', 'node1'), done('node2', 'web', 'ocf:heartbeat:apache', 'start', 0), done('node1', 'web', 'ocf:heartbeat:apache', 'monitor', 7)], []],
    ['what is allowed on that node only',                        [resources(web), property('symmetric-cluster', 'false'), ...['nfsshare', 'DataClone', 'web'].flatMap((rsc) => ['node1', 'node2'].filter((node) => rsc !== 'web' || node === 'node2').map((node) => constraint(`<rsc_location id="in-${rsc}-${node}" rsc="${rsc}" node="${node}" score="1"/>`))), done('node2', 'web', 'ocf:heartbeat:apache', 'start', 0)], []],
    ['a service that is kept from the other one',                [...fencing, keptOff('nfsshare', 'node1')], ['NFS']],
    ['a service that a ban was left of',                         [constraint('<rsc_location id="cli-ban-nfsshare-on-node1" rsc="nfsshare" node="node1" score="-INFINITY"/>')], ['NFS']],
    ['two of them',                                              [keptOff('nfsshare', 'node1'), resources(web), constraint('<rsc_location id="cli-ban-web-on-node1" rsc="web" node="node1" score="-INFINITY"/>'), done('node2', 'web', 'ocf:heartbeat:apache', 'start', 0), done('node1', 'web', 'ocf:heartbeat:apache', 'monitor', 7)], ['NFS', 'web']],
  ])('%s', async (_, changes, lost) => {
    const one = await clusterOf(...changes);
    const { facts } = await seen(one);
    const call = { host: hostOn(one.machine, 60_000) } as Call;
    const { findings, losses } = await findAll(call, facts, ['node2']);
    expect(losses).toHaveLength(1);
    const told = findings.filter(({ code }) => code === 'LOSS_NOT_SURVIVED').map(({ resource }) => resource);
    expect(told).toEqual(lost);
  });
});

/** Ends in a time that no machine's clock has reached, or has long passed. */
const until = (id: string, end: string, score = 'INFINITY', rsc = 'nfsshare') =>
  constraint(
    `<rsc_location id="${id}" rsc="${rsc}"><rule id="${id}-r" score="${score}" boolean-op="and"><expression id="${id}-e" attribute="#uname" operation="eq" value="node1"/><date_expression id="${id}-d" operation="lt" end="${end}-09-01 02:00:00Z"/></rule></rsc_location>`,
  );
const third: readonly Change[] = [
  inFrontOf('</nodes>', '<node id="3" uname="node3"/>'),
  inFrontOf(
    '</status>',
    '<node_state id="3" uname="node3" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="3"><lrm_resources/></lrm></node_state>',
  ),
  keptOff('nfsshare', 'node3'),
  keptOff('DataClone', 'node3'),
];
const remote: readonly Change[] = [
  inFrontOf('</nodes>', '<node id="r1" uname="r1" type="remote"/>'),
  resources('<primitive id="r1" class="ocf" provider="pacemaker" type="remote"/>'),
  done('node1', 'r1', 'ocf:pacemaker:remote', 'start', 0),
  inFrontOf(
    '</status>',
    '<node_state remote_node="true" id="r1" uname="r1" in_ccm="true"><lrm id="r1"><lrm_resources/></lrm></node_state>',
  ),
  keptOff('nfsshare', 'r1'),
  keptOff('DataClone', 'r1'),
];
const clone = (inside: string): string =>
  `<clone id="nfsd-clone">${inside}<primitive id="nfsd" class="systemd" type="nfs-server"/></clone>`;
const nowhere: readonly Change[] = [keptOff('nfsd-clone', 'node1'), keptOff('nfsd-clone', 'node2')];
const isUntouched: Change = (cib) => `${cib}\n`;
const withoutDrbdOnNode1: readonly Change[] = [
  replaced(/(uname="node1".*?)<lrm_resource [^>]*id="Data".*?<\/lrm_resource>/s, '$1'),
  keptOff('DataClone', 'node1'),
];

describe('status', () => {
  // biome-ignore format: a table
  test.each<readonly [string, readonly Change[], first: RegExp, codes: readonly string[], ending: string]>([
    ['as it was captured',                    [isUntouched], /^lab {2}OK/, [], 'well'],
    ['an outage',                             stopped, /^lab {2}DOWN/, ['NOT_SERVING'], 'broken'],
    ['an outage, and a move that ended long ago', [...stopped, until('cli-prefer-nfsshare', '2001')], /^lab {2}DOWN/, ['NOT_SERVING'], 'broken'],
    ['an outage, and a move of something else', [...stopped, resources(web), done('node1', 'web', 'ocf:heartbeat:apache', 'start', 0), until('cli-prefer-web', '2999', 'INFINITY', 'web')], /^lab {2}DOWN/, ['NOT_SERVING', 'SWITCH_UNFINISHED'], 'broken'],
    ['a move',                                [...stopped, until('cli-prefer-DataClone', '2999', 'INFINITY', 'DataClone')], /^lab {2}MOVING/, ['NOT_SERVING', 'SWITCH_UNFINISHED'], 'broken'],
    ['a move away',                           [...stopped, until('cli-ban-nfsshare-on-node1', '2999', '-INFINITY')], /^lab {2}MOVING/, ['NOT_SERVING', 'BANNED_FOR_NOW'], 'broken'],
    ['a ban with an end',                     [until('cli-ban-nfsshare-on-node1', '2999', '-INFINITY')], /^lab {2}DEGRADED/, ['BANNED_FOR_NOW'], 'attention'],
    ['a node in maintenance',                 [onNode1('maintenance', 'true')], /^lab {2}DEGRADED/, ['NODE_MAINTENANCE'], 'attention'],
    ['a resource in maintenance, though managed', [replaced(/(<primitive [^>]*id="NFS"[^>]*>)/, `$1${meta('NFS', 'maintenance', 'true')}${meta('NFSa', 'is-managed', 'true')}`)], /^lab {2}DEGRADED/, ['RESOURCE_MAINTENANCE'], 'attention'],
    ['a group in maintenance: once',          [replaced(/(<group [^>]*id="nfsshare"[^>]*>)/, `$1${meta('g', 'maintenance', 'true')}`)], /^lab {2}DEGRADED/, ['RESOURCE_MAINTENANCE'], 'attention'],
    ['a group that is not managed: once',     [replaced(/(<group [^>]*id="nfsshare"[^>]*>)/, `$1${meta('g', 'is-managed', 'false')}`)], /^lab {2}DEGRADED/, ['RESOURCE_UNMANAGED'], 'attention'],
    ['nothing is managed by default',         [inFrontOf('</rsc_defaults>', meta('d', 'is-managed', 'false'))], /^lab {2}DEGRADED/, ['UNMANAGED_BY_DEFAULT'], 'attention'],
    ['no DC, with quorum',                    [replaced(/ dc-uuid="\d+"/, '')], /^lab {2}DEGRADED/, ['NO_DC'], 'attention'],
    ['no quorum, and none asked for',         [replaced('have-quorum="1"', 'have-quorum="0"'), property('no-quorum-policy', 'ignore')], /^lab {2}DEGRADED/, ['NO_QUORUM'], 'broken'],
    ['a third node without the data',         third, /^lab {2}OK .*with a second copy/, [], 'well'],
    ['a remote node',                         remote, /^lab {2}OK .*with a second copy/, [], 'well'],
    ['a remote node takes nothing over',      [...remote, onNode1('standby', 'on')], /no other node that could take over/, ['NODE_STANDBY'], 'attention'],
    ['a resource that runs twice',            [forgotten('nfs_ip'), done('node1', 'nfs_ip', 'ocf:tsha:IPaddr2', 'start', 0), done('node2', 'nfs_ip', 'ocf:tsha:IPaddr2', 'start', 0)], /^lab {2}DEGRADED/, ['RUNS_TWICE'], 'broken'],
    ['a clone that runs nowhere',             [resources(clone('')), ...nowhere], /^lab {2}DEGRADED/, ['CLONE_DOWN'], 'broken'],
    ['a clone that is switched off',          [resources(clone(meta('c', 'target-role', 'Stopped'))), ...nowhere], /^lab {2}DEGRADED/, ['RESOURCE_DISABLED'], 'attention'],
    ['a clone that nobody manages',           [resources(clone(meta('c', 'is-managed', 'false'))), ...nowhere], /^lab {2}DEGRADED/, ['RESOURCE_UNMANAGED'], 'attention'],
    ['a bundle that runs nowhere: its nodes are none of the cluster’s', [resources('<bundle id="b"><podman image="x" replicas="2" promoted-max="2"/><network control-port="3123"/><primitive id="galera" class="ocf" provider="heartbeat" type="galera"/></bundle>')], /^lab {2}DEGRADED/, ['CLONE_DOWN'], 'broken'],
    ['the site without the ticket',           [...stopped, constraint('<rsc_ticket id="tk" ticket="siteA" rsc="nfsshare" loss-policy="stop"/>')], /^lab {2}OFF .*ticket siteA/, ['TICKET_ELSEWHERE'], 'attention'],
    ['the site with the ticket',              [constraint('<rsc_ticket id="tk" ticket="siteA" rsc="nfsshare" loss-policy="stop"/>'), inFrontOf('</status>', '<tickets><ticket_state id="siteA" granted="true"/></tickets>')], /^lab {2}OK/, [], 'well'],
    ['everything from a template, in maintenance mode', [replaced('<primitive id="NFS" class="ocf" type="Filesystem" provider="tsha">', '<primitive id="NFS" template="fs">'), replaced('<resources>', '<resources><template id="fs" class="ocf" type="Filesystem" provider="tsha"/>'), property('maintenance-mode', 'true')], /^lab {2}DEGRADED/, ['MAINTENANCE_MODE'], 'attention'],
    ['a live migration that failed',          [resources('<primitive id="vm" class="ocf" provider="heartbeat" type="VirtualDomain"/>'), done('node1', 'vm', 'ocf:heartbeat:VirtualDomain', 'migrate_to', 1)], /./, ['NOT_SERVING', 'RESOURCE_FAILED'], 'broken'],
  ])('%s', async (_, changes, first, codes, ending) => {
    const status = await seen(await clusterOf(...changes));
    expect(status).toMatchObject({ codes, ending });
    expect(status.first).toMatch(first);
  });

  test('one copy only, as a node sees it that has none: something says so', async () => {
    const one = await clusterOf(...third, ...withoutDrbdOnNode1);
    one.machine.files.set('/proc/sys/kernel/hostname', 'node3\n').delete('/proc/drbd');
    const { first, codes, ending } = await seen(one);
    expect(first).toMatch(/^lab {2}DEGRADED .*without a second copy/);
    expect({ codes, ending }).toEqual({ codes: ['NO_SECOND_COPY'], ending: 'attention' });
  });

  const told = (findings: readonly Finding[], code: string) =>
    findings.filter((one) => one.code === code).flatMap(commandsOf)[0];

  test.each<readonly [string, readonly Change[], code: string, command: string]>([
    [
      'a node',
      [onNode1('maintenance', 'true')],
      'NODE_MAINTENANCE',
      'crm_attribute --node node1 --name maintenance --delete',
    ],
    [
      'a group',
      [replaced(/(<group [^>]*id="nfsshare"[^>]*>)/, `$1${meta('g', 'maintenance', 'true')}`)],
      'RESOURCE_MAINTENANCE',
      'crm_resource --resource nfsshare --meta --delete-parameter maintenance',
    ],
  ])('what ends the maintenance of %s', async (_, changes, code, command) => {
    const one = await clusterOf(...changes);
    expect(told((await seen(one)).findings, code)).toBe(command);
  });

  test('an action of two words is none of a resource with a longer name', async () => {
    const failed = done('node1', 'vm', 'ocf:heartbeat:VirtualDomain', 'migrate_to', 1);
    const vm = resources('<primitive id="vm" class="ocf" provider="heartbeat" type="VirtualDomain"/>');
    const { findings } = await seen(await clusterOf(vm, failed));
    expect(findings.find(({ code }) => code === 'RESOURCE_FAILED')?.facts).toMatchObject({
      ...{ resource: 'vm', action: 'migrate_to' },
    });
  });
});

test('a ticket can be asked about', async () => {
  const needed = constraint('<rsc_ticket id="tk" ticket="siteA" rsc="nfsshare" loss-policy="stop"/>');
  const { facts, findings } = await seen(await clusterOf(...stopped, needed));
  if (facts.cluster.is === 'unknown') throw new Error(facts.cluster.why);
  const { value } = facts.cluster;
  const about = (word: string) => explanationOf(word, facts, value, findings, terminal);
  expect(about('siteA').lines).toEqual(['nfsshare needs ticket siteA, which this site does not have']);
  expect(about('siteA').findings.map(({ code }) => code)).toEqual(['TICKET_ELSEWHERE']);
  expect(about('nfsshare').lines.join('\n')).toContain('needs ticket siteA');
});
