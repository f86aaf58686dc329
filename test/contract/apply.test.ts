import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandName } from '../../packaging/products.ts';
import { pairYaml } from '../unit/cli/configuration/pair.yaml.ts';
import { agentOf, type Env, run, sandbox } from './call.ts';

// `tsha apply` with Pacemaker's real tools on a CIB file, which they take for the cluster: no daemon, and the same patches, checks and
// simulations. What runs is in the file, too: crm_simulate has written it there.

const path = '/usr/sbin:/usr/bin:/sbin:/bin';
/** Each row calls tools dozens of times, and a busy machine lets them wait. */
const patience = 3_600_000;

const yaml = pairYaml.replace('name: nfs\n', 'name: nfs\nprovider: stock\n');
const withExport = yaml.replace(
  'fencing:',
  '  - { directory: /srv/nfs/new, clients: ["*"], options: rw, fsid: 7 }\nfencing:',
);
const withAddress = withExport.replace('ip: 10.0.0.9/24', 'ip: 10.0.0.10/24');

type Folder = { readonly at: (name: string) => string; readonly cib: () => string };

function folder(cib: string, config: string): Folder {
  const dir = sandbox();
  const at = (name: string) => join(dir, name);
  mkdirSync(at('tmp'));
  writeFileSync(at('cib.xml'), cib);
  writeFileSync(at('tsha.yaml'), config);
  return { at, cib: () => readFileSync(at('cib.xml'), 'utf8') };
}

const tsha = ({ at }: Folder, args: readonly string[], env: Env = {}, killedAfterMs?: number) =>
  run(
    [agentOf('script', commandName), 'apply', '-c', at('tsha.yaml'), ...args],
    { PATH: path, LC_ALL: 'C.UTF-8', TMPDIR: at('tmp'), CIB_file: at('cib.xml'), ...env },
    killedAfterMs === undefined ? {} : { timeout: killedAfterMs, killSignal: 'SIGKILL' },
  );

/** A tool whose caller was killed works on: until none is left that has this folder's file for its cluster. */
async function untilQuiet({ at }: Folder): Promise<void> {
  const isTool = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`CIB_file=${at('cib.xml')}\0`);
    } catch {
      return false;
    }
  };
  while (readdirSync('/proc').some((name) => /^\d+$/.test(name) && isTool(name))) await setTimeout(20);
}

/** The configuration alone: versions and status are counted by whoever looks. */
const configuration = (cib: string): string => /<configuration>.*<\/configuration>/s.exec(cib)?.[0] ?? cib;

async function tool(argv: readonly string[], cib: string): Promise<string> {
  const answer = await run(argv, { PATH: path, CIB_file: cib });
  expect(answer, answer.stderr).toMatchObject({ code: 0 });
  return answer.stdout;
}

/** Two nodes, no fencing, nothing else. */
let empty = '';
/** The pair of `yaml`, all of it running on alpha. */
let running = '';

beforeAll(async () => {
  const bare = (await run(['cibadmin', '--empty'], { PATH: path })).stdout.replace(
    /<nodes ?\/>/,
    '<nodes><node id="1" uname="alpha"/><node id="2" uname="beta"/></nodes>',
  );
  const dir = mkdtempSync('/tmp/tsha-apply-test-');
  const file = join(dir, 'cib.xml');
  writeFileSync(file, bare);
  await tool(['crm_attribute', '-t', 'crm_config', '-n', 'stonith-enabled', '-v', 'false'], file);
  empty = readFileSync(file, 'utf8');
  writeFileSync(join(dir, 'tsha.yaml'), yaml);
  const made = await run([agentOf('script', commandName), 'apply', '-y', '-c', join(dir, 'tsha.yaml')], {
    PATH: path,
    CIB_file: file,
  });
  expect(made, made.stderr).toMatchObject({ code: 0 });
  const simulate = (...more: string[]) =>
    tool(['crm_simulate', '-x', file, '-S', '-O', file, '-Q', ...more], file);
  await simulate('-u', 'alpha', '-u', 'beta', '-q', '1');
  for (const node of ['alpha', 'beta'])
    await tool(
      ['crm_attribute', '--node', node, '--name', 'master-nfs-drbd', '-l', 'reboot', '-v', '10000'],
      file,
    );
  await simulate();
  running = readFileSync(file, 'utf8');
  rmSync(dir, { recursive: true });
}, patience);

describe('apply', () => {
  test(
    'on an empty cluster, and a second time: nothing to do',
    async () => {
      const on = folder(empty, yaml);
      const first = await tsha(on, ['-y']);
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(first.stdout).toContain('+ nfs-with-promoted  nfs with Promoted nfs-drbd-clone');
      const after = on.cib();
      expect(configuration(after)).not.toBe(configuration(empty));
      expect(await tsha(on, ['-y'])).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/Nothing to do/),
      });
      expect(on.cib()).toBe(after);
    },
    patience,
  );

  test(
    'on a configuration whose schema is older than the roles’ words of today: in its own words',
    async () => {
      const on = folder(empty.replace(/validate-with="[^"]*"/, 'validate-with="pacemaker-3.6"'), yaml);
      const first = await tsha(on, ['-y']);
      expect(first, first.stderr).toMatchObject({ code: 0, stderr: '' });
      expect(on.cib()).toContain('with-rsc-role="Master"');
      expect(on.cib()).not.toMatch(/role="(Promoted|Unpromoted)"/);
      expect((await tsha(on, ['-y'])).stdout).toMatch(/Nothing to do/);
    },
    patience,
  );

  test(
    '-n says what differs and what stops, changes nothing, 1',
    async () => {
      const on = folder(running, withAddress);
      const answer = await tsha(on, ['-n']);
      expect(answer.code).toBe(1);
      expect(answer.stdout).toMatch(/~ nfs-ip {2}ip: 10\.0\.0\.9 → 10\.0\.0\.10/);
      expect(answer.stdout).toMatch(/THE SERVICE IS INTERRUPTED: .*restart nfs-ip/);
      expect(on.cib()).toBe(running);
    },
    patience,
  );

  test(
    'an export that runs goes',
    async () => {
      const on = folder(running, yaml.replace(/ {2}- \{ directory: \/srv\/nfs\/pub.*\n/, ''));
      const answer = await tsha(on, ['-y']);
      expect(answer, answer.stderr).toMatchObject({ code: 0, stderr: '' });
      expect(answer.stdout).toMatch(/- nfs-export-pub-all {2}exportfs/);
      expect(configuration(on.cib())).not.toContain('nfs-export-pub');
    },
    patience,
  );

  test(
    'agents of the other provider: what stops, and what changes them without that',
    async () => {
      const on = folder(running, yaml.replace('provider: stock', 'provider: tsha'));
      const answer = await tsha(on, ['-n']);
      expect(answer.stdout).toMatch(/~ nfs-ip {2}ocf:heartbeat:IPaddr2 → ocf:tsha:IPaddr2/);
      expect(answer.stdout).toMatch(/INTERRUPTED: [\s\S]*→ .*tsha migrate --to=tsha/);
      expect(on.cib()).toBe(running);
    },
    patience,
  );

  test(
    'a further export: not from here without a restart of the address, but from the node that serves',
    async () => {
      const on = folder(running, withExport);
      const answer = await tsha(on, ['-n']);
      expect(answer.stdout).toMatch(/INTERRUPTED: restart nfs-ip, /);
      expect(answer.stdout).toContain('run this on alpha');
      // on alpha the export is served first, and Pacemaker's first look finds it
      expect((await tsha(on, ['-y'])).code).toBe(0);
      await tool(
        [
          'crm_simulate',
          '-x',
          on.at('cib.xml'),
          '-S',
          '-Q',
          '--op-fail=nfs-export-new-all_monitor_0@alpha=0',
          '-O',
          on.at('served.xml'),
        ],
        on.at('cib.xml'),
      );
      const left = await tool(
        ['crm_simulate', '-x', on.at('served.xml'), '-S', '--output-as=xml'],
        on.at('served.xml'),
      );
      expect(left).not.toMatch(/<rsc_action action="(stop|restart|move|demote|recover)/);
    },
    patience,
  );

  test.each<readonly [what: string, cib: () => string, config: string, code: number, why: RegExp]>([
    ['nobody can be asked', () => running, withExport, 3, /say --yes/],
    [
      'other nodes',
      () => running.replaceAll('uname="beta"', 'uname="gamma"'),
      yaml,
      2,
      /the file names alpha, beta, and this cluster has alpha, gamma/,
    ],
    [
      'fencing that has no device',
      () => empty.replace('value="false"', 'value="true"'),
      yaml,
      2,
      /Pacemaker would not take it, nothing has been changed: .*STONITH/,
    ],
    [
      'a taken id',
      () => running.replace('type="nfsserver"', 'type="other"'),
      yaml,
      2,
      /the id nfs-server is taken: it is a other/,
    ],
    ['a wrong file', () => running, yaml.replace('type: xfs', 'type: xsf'), 3, /did you mean "xfs"/],
  ])(
    '%s: refused, nothing changed',
    async (what, cib, config, code, why) => {
      const on = folder(cib(), config);
      const before = on.cib();
      const answer = await tsha(on, what === 'nobody can be asked' ? [] : ['-y']);
      expect(answer.stderr).toMatch(why);
      expect(answer.code).toBe(code);
      expect(on.cib()).toBe(before);
    },
    patience,
  );
});

/** On alpha, with an agent that writes down what it is asked. */
const onAlpha = `
  hostname alpha
  mount -t tmpfs tmpfs /usr/lib/ocf/resource.d/heartbeat
  cp "$1" /usr/lib/ocf/resource.d/heartbeat/exportfs
  shift
  exec "$@"`;

const apply = (on: Folder, agent: string, env: Env = {}) => {
  writeFileSync(
    on.at('agent'),
    `#!/bin/sh\necho "$1 $OCF_RESOURCE_INSTANCE $OCF_RESKEY_directory $OCF_RESKEY_fsid" >> ${on.at('log')}\n${agent}\n`,
    {
      mode: 0o755,
    },
  );
  return run(
    [
      'unshare',
      '-m',
      '-u',
      'sh',
      '-ec',
      onAlpha,
      'sh',
      on.at('agent'),
      agentOf('script', commandName),
      'apply',
      '-y',
      '-c',
      on.at('tsha.yaml'),
    ],
    { PATH: path, LC_ALL: 'C.UTF-8', TMPDIR: on.at('tmp'), CIB_file: on.at('cib.xml'), ...env },
  );
};
const log = (on: Folder) => readFileSync(on.at('log'), 'utf8');
const asked = (action: string) => `${action} nfs-export-new-all /srv/nfs/new 7\n`;

describe('a further export, on the node that serves', () => {
  test(
    'is served before the cluster hears of it, and interrupts nobody',
    async () => {
      const on = folder(running, withExport);
      const answer = await apply(on, ':');
      expect(answer, answer.stderr).toMatchObject({ code: 0, stderr: '' });
      expect(answer.stdout).toContain('Nothing that runs is stopped, restarted or moved.');
      expect(log(on)).toBe(asked('start'));
      expect(on.cib()).toContain('nfs-export-new-all');
    },
    patience,
  );

  test.each<readonly [what: string, agent: string, foreign: boolean, why: RegExp]>([
    [
      'the agent cannot',
      '[ "$1" = stop ] || { echo "ocf-exit-reason:/srv/nfs/new does not exist" >&2; exit 5; }',
      false,
      /nfs-export-new-all cannot be served here, nothing has been changed: \/srv\/nfs\/new does not exist/,
    ],
    [
      'somebody changes the configuration meanwhile',
      `[ "$1" = stop ] || CIB_file=$CIB_FILE_OF_TEST crm_attribute -t crm_config -n somebody -v else`,
      true,
      /somebody has changed the configuration meanwhile/,
    ],
  ])(
    '%s: taken back, the old configuration stays',
    async (_, agent, foreign, why) => {
      const on = folder(running, withExport);
      const answer = await apply(on, agent.replace('$CIB_FILE_OF_TEST', on.at('cib.xml')));
      expect(answer.stderr).toMatch(why);
      expect(answer.code).toBe(2);
      expect(log(on)).toBe(asked('start') + asked('stop'));
      expect(on.cib()).not.toContain('nfs-export-new-all');
      if (!foreign) expect(on.cib()).toBe(running);
    },
    patience,
  );
});

describe('a push that the cluster does not answer', () => {
  test.each<readonly [what: string, patch: string, code: number, said: RegExp, isThere: boolean]>([
    [
      'taken all the same',
      '/usr/sbin/cibadmin "$@"; exit 124',
      0,
      /the configuration is in the cluster/,
      true,
    ],
    ['not taken', 'exit 124', 4, /whether the cluster has taken the new configuration is not known/, false],
  ])(
    '%s: what is served ahead stays served',
    async (_, patch, code, said, isThere) => {
      const on = folder(running, withExport);
      mkdirSync(on.at('bin'));
      writeFileSync(
        on.at('bin/cibadmin'),
        `#!/bin/sh\ncase "$*" in *--patch*) ${patch} ;; esac\nexec /usr/sbin/cibadmin "$@"\n`,
        { mode: 0o755 },
      );
      const answer = await apply(on, ':', { PATH: `${on.at('bin')}:${path}` });
      expect(answer.code, answer.stderr).toBe(code);
      expect(answer.stdout + answer.stderr).toMatch(said);
      expect(log(on)).toBe(asked('start'));
      expect(on.cib().includes('nfs-export-new-all')).toBe(isThere);
    },
    patience,
  );
});

/** Tools that do something else as well at the call of that number. */
function wrapped(on: Folder, at: number, more: { readonly before?: string; readonly after?: string }): Env {
  mkdirSync(on.at('bin'));
  for (const name of ['cibadmin', 'crm_verify', 'crm_simulate', 'crm_diff', 'crm_mon'])
    writeFileSync(
      on.at(`bin/${name}`),
      [
        '#!/bin/sh',
        // two may be called side by side
        `n=1; until mkdir ${on.at('count')}/$n 2>/dev/null; do n=$((n + 1)); done`,
        `if [ $n = ${at} ]; then ${more.before ?? ':'}; fi`,
        `/usr/sbin/${name} "$@"; code=$?`,
        `if [ $n = ${at} ]; then ${more.after ?? ':'}; fi`,
        'exit $code',
      ].join('\n'),
      { mode: 0o755 },
    );
  mkdirSync(on.at('count'));
  return { PATH: `${on.at('bin')}:${path}` };
}
const calls = (on: Folder): number => readdirSync(on.at('count')).length;

/** How many points of a kind are tried in one run; as many as wanted by hand. */
const runs = Number(process.env['TSHA_CAMPAIGN_RUNS'] ?? 8);
/** So many of them, each time others. */
const some = <T>(all: readonly T[], count = runs): readonly T[] =>
  all.length <= count
    ? all
    : [...all]
        .map((one) => ({ one, key: Math.random() }))
        .sort((a, b) => a.key - b.key)
        .slice(0, count)
        .map(({ one }) => one);
const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('a CIB of a running cluster, with its history', () => {
  const live = readFileSync(join(import.meta.dirname, '../fixtures/build/live-pair.xml'), 'utf8');
  const exported = (name: string, fsid: number) =>
    `  - { directory: /srv/nfs/${name}, clients: [10.77.0.0/24], options: "rw,sync", fsid: ${fsid} }\n`;
  const config = `version: 1
nodes: { node1: { replication: 10.77.1.11 }, node2: { replication: 10.77.1.12 } }
drbd: { resource: data, device: /dev/drbd1, disk: /dev/dm-0 }
filesystem: { directory: /srv/nfs }
state: { device: /dev/drbd2, disk: /dev/dm-1, directory: /srv/nfs-state }
address: { ip: 10.77.0.20/24 }
nfs: { lease: 15s, grace: 15s }
exports:
${exported('more', 2)}${exported('share', 1)}`;

  test(
    'as the file says: nothing to do; a further export restarts what stands behind it and nothing else',
    async () => {
      expect(await tsha(folder(live, config), ['-n'])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Nothing to do'),
      });
      const { code, stdout } = await tsha(folder(live, config + exported('new', 7)), ['-n']);
      expect(code).toBe(1);
      expect(stdout).toMatch(/INTERRUPTED: restart nfs-ip, restart nfs-notify$/m);
    },
    patience,
  );

  test(
    'removed, in one transaction, with the constraints that name it; what is not of the file stays',
    async () => {
      const [prefers, stranger] = [
        '<rsc_location id="own-wish" rsc="nfs" node="node1" score="10"/>',
        '<primitive id="other" class="ocf" provider="pacemaker" type="Dummy"/>',
      ];
      const more = live
        .replace('<constraints>', `<constraints>${prefers}`)
        .replace('<resources>', `<resources>${stranger}`);
      const on = folder(more, config);
      const remove = (...args: readonly string[]) =>
        run([agentOf('script', commandName), 'remove', '-c', on.at('tsha.yaml'), ...args], {
          PATH: path,
          LC_ALL: 'C.UTF-8',
          TMPDIR: on.at('tmp'),
          CIB_file: on.at('cib.xml'),
        });
      expect(await remove('-n')).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('THE SERVICE ENDS'),
      });
      expect(on.cib()).toBe(more);
      expect(await remove('-y')).toMatchObject({ code: 0, stderr: '' });
      expect(configuration(on.cib())).not.toMatch(/nfs-|own-wish/);
      expect(on.cib()).toContain('<primitive id="other"');
      expect(await remove('-y')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Nothing of .* is in the cluster/),
      });
    },
    patience,
  );

  const set = (id: string, more: string, ...members: readonly string[]) =>
    `<resource_set id="${id}"${more}>${members.map((one) => `<resource_ref id="${one}"/>`).join('')}</resource_set>`;
  const strangers = ['one', 'two', 'three'].map(
    (id) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy"/>`,
  );
  test(
    'removed: what constraints say of others stays, and what means nothing without the pair goes',
    async () => {
      const shared = [
        `<rsc_order id="chain" kind="Mandatory">${set('c1', '', 'one')}${set('c2', '', 'nfs-drbd-clone', 'nfs')}${set('c3', '', 'two')}</rsc_order>`,
        `<rsc_order id="row">${set('r1', '', 'one', 'nfs', 'two')}</rsc_order>`,
        `<rsc_colocation id="near" score="-INFINITY">${set('n1', '', 'one', 'two')}${set('n2', '', 'nfs')}</rsc_colocation>`,
        `<rsc_location id="here" node="node1" score="5">${set('h1', '', 'one', 'nfs')}</rsc_location>`,
        `<rsc_ticket id="ticket" ticket="t">${set('t1', '', 'nfs', 'three')}</rsc_ticket>`,
        `<rsc_order id="gone">${set('g1', '', 'one')}${set('g2', '', 'nfs')}</rsc_order>`,
        `<rsc_colocation id="gone-too" score="5">${set('o1', ' sequential="false"', 'one', 'two')}${set('o2', '', 'nfs')}</rsc_colocation>`,
      ];
      const more = live
        .replace('<constraints>', `<constraints>${shared.join('')}`)
        .replace('<resources>', `<resources>${strangers.join('')}`);
      const on = folder(more, config);
      const answer = await run([agentOf('script', commandName), 'remove', '-y', '-c', on.at('tsha.yaml')], {
        PATH: path,
        LC_ALL: 'C.UTF-8',
        TMPDIR: on.at('tmp'),
        CIB_file: on.at('cib.xml'),
      });
      expect(answer, answer.stderr).toMatchObject({ code: 0, stderr: '' });
      expect(answer.stdout).toMatch(/~ chain {2}rsc_order: stays for the others/);
      const constraints = /<constraints>[\s\S]*<\/constraints>/.exec(on.cib())?.[0] ?? '';
      const left = [...constraints.matchAll(/<(rsc_\w+|resource_set|resource_ref) [^>]*?\bid="([^"]+)"/g)];
      expect(left.map(([, , id]) => id).join(' ')).toBe(
        'chain c1 one c3 two row r1 one two near n1 one two here h1 one ticket t1 three',
      );
    },
    patience,
  );

  const own = (id: string, name: string, value: string) => (cib: string) =>
    cib.replace(
      new RegExp(`(<(?:primitive|group|clone) id="${id}"[^>]*>)`),
      `$1<meta_attributes id="own-${id}"><nvpair id="own-${id}-v" name="${name}" value="${value}"/></meta_attributes>`,
    );
  const property = (name: string, value: string) => (cib: string) =>
    cib.replace(/(<cluster_property_set [^>]*>)/, `$1<nvpair id="own-p" name="${name}" value="${value}"/>`);
  test.each<readonly [string, change: (cib: string) => string, code: number, said: RegExp]>([
    ['as it is', (cib) => cib, 1, /THE SERVICE ENDS/],
    ['DRBD has a role of its own', own('nfs-drbd', 'target-role', 'Started'), 1, /THE SERVICE ENDS/],
    ['maintenance mode', property('maintenance-mode', 'true'), 2, /would not stop nfs-/],
    [
      'one is not managed',
      own('nfs-server', 'is-managed', 'false'),
      2,
      /would not stop .*nfs-server \(node2\)/,
    ],
    ['no quorum', (cib) => cib.replace('have-quorum="1"', 'have-quorum="0"'), 2, /no quorum/],
  ])(
    'whether it would stop is played before anything is changed: %s',
    async (_, change, code, said) => {
      const on = folder(change(live), config);
      mkdirSync(on.at('bin'));
      for (const name of ['cibadmin', 'crm_mon'])
        writeFileSync(
          on.at(`bin/${name}`),
          `#!/bin/sh\nCIB_file=${on.at('cib.xml')} /usr/sbin/${name} "$@"\n`,
          {
            mode: 0o755,
          },
        );
      const before = on.cib();
      const answer = await run([agentOf('script', commandName), 'remove', '-n', '-c', on.at('tsha.yaml')], {
        PATH: `${on.at('bin')}:${path}`,
        LC_ALL: 'C.UTF-8',
        TMPDIR: on.at('tmp'),
      });
      expect(answer.code, answer.stderr).toBe(code);
      expect(answer.stdout + answer.stderr).toMatch(said);
      expect(on.cib()).toBe(before);
    },
    patience,
  );

  test.each<readonly [signal: string, back: string, code: number, said: RegExp]>([
    ['INT', ':', 130, /interrupted: the service is switched on again/],
    ['HUP', ':', 130, /interrupted: the service is switched on again/],
    ['TERM', 'exit 124', 4, /STAYS SWITCHED OFF[\s\S]*crm_resource --resource nfs --meta --delete-parameter/],
  ])(
    'not removed: SIG%s as soon as it is switched off, and the way back is "%s": exit %i',
    async (signal, back, code, said) => {
      const on = folder(own('nfs-drbd', 'target-role', 'Started')(live), config);
      mkdirSync(on.at('bin'));
      const real = `CIB_file=${on.at('cib.xml')} /usr/sbin`;
      const tools = {
        cibadmin: `${real}/cibadmin "$@"`,
        crm_mon: `${real}/crm_mon "$@"`,
        crm_resource: `case "$*" in *--delete*) ${back} ;; esac\n${real}/crm_resource "$@"; case "$*" in *Stopped) kill -${signal} $PPID; sleep 60 ;; esac`,
      };
      for (const [name, line] of Object.entries(tools))
        writeFileSync(on.at(`bin/${name}`), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
      const tsha = [agentOf('script', commandName), 'remove', '-y', '-c', on.at('tsha.yaml')];
      const answer = await run(
        ['unshare', '-m', 'sh', '-ec', 'mount -t tmpfs tmpfs /run; exec "$@"', 'sh', ...tsha],
        { PATH: `${on.at('bin')}:${path}`, LC_ALL: 'C.UTF-8', TMPDIR: on.at('tmp') },
      );
      expect(answer.stderr).toMatch(said);
      expect(answer.code).toBe(code);
      expect(on.cib().includes('value="Stopped"')).toBe(code === 4);
      expect(on.cib()).toContain('name="target-role" value="Started"');
    },
    patience,
  );

  test(
    'not removed: a member of the group that the file does not speak of',
    async () => {
      const own = '<primitive id="own" class="ocf" provider="pacemaker" type="Dummy"/>';
      const on = folder(live.replace('<group id="nfs">', `<group id="nfs">${own}`), config);
      const answer = await run([agentOf('script', commandName), 'remove', '-y', '-c', on.at('tsha.yaml')], {
        PATH: path,
        LC_ALL: 'C.UTF-8',
        TMPDIR: on.at('tmp'),
        CIB_file: on.at('cib.xml'),
      });
      expect(answer).toMatchObject({ code: 2, stderr: expect.stringContaining('own is in the group nfs') });
      expect(on.cib()).toContain('nfs-ip');
    },
    patience,
  );
});

describe('somebody else at the same time', () => {
  const foreign = 'CIB_file=$CIB_file /usr/sbin/crm_attribute -t crm_config -n somebody -v else';
  const status = 'CIB_file=$CIB_file /usr/sbin/crm_attribute --node alpha --name pingd -l reboot -v 100';

  test(
    'a change of the configuration at any point is never overwritten; one of the status is no obstacle',
    async () => {
      const dry = folder(running, withExport);
      const env = wrapped(dry, 0, {});
      expect((await tsha(dry, ['-y'], env)).code).toBe(0);
      const all = calls(dry);
      for (const at of some(upTo(all))) {
        const on = folder(running, withExport);
        const answer = await tsha(on, ['-y'], wrapped(on, at, { before: foreign }));
        expect(on.cib(), `call ${at}`).toContain('name="somebody" value="else"');
        if (answer.code === 0) expect(on.cib()).toContain('nfs-export-new-all');
        else {
          expect(answer.stderr).toContain('somebody has changed the configuration meanwhile');
          expect(on.cib()).not.toContain('nfs-export-new-all');
        }
      }
      for (const at of some([all - 2, all - 1, all], Math.ceil(runs / 4))) {
        const on = folder(running, withExport);
        expect((await tsha(on, ['-y'], wrapped(on, at, { before: status }))).code, `call ${at}`).toBe(0);
        expect(on.cib()).toMatch(/name="pingd".* value="100"/);
        expect(on.cib()).toContain('nfs-export-new-all');
      }
    },
    patience,
  );
});

test(
  'killed at any point: the old or the new configuration, nothing between, and the next run ends it',
  async () => {
    const whole = folder(running, withAddress);
    const began = performance.now();
    expect((await tsha(whole, ['-y'], wrapped(whole, 0, {}))).code).toBe(0);
    const lasted = performance.now() - began;
    const [old, made] = [configuration(running), configuration(whole.cib())];
    const all = calls(whole);
    const seen = { old: 0, new: 0 };
    const judge = async (on: Folder, what: string) => {
      await untilQuiet(on);
      const now = configuration(on.cib());
      if (now !== old) expect(now, what).toBe(made);
      seen[now === old ? 'old' : 'new']++;
    };
    const kill = 'kill -9 $PPID';
    // the last call is the one that makes the change
    const last = [
      { at: all, more: { before: kill } },
      { at: all, more: { after: kill } },
    ];
    const others = upTo(all - 1).flatMap((at) => [
      { at, more: { before: kill } },
      { at, more: { after: kill } },
    ]);
    for (const { at, more } of [...last, ...some(others)]) {
      const on = folder(running, withAddress);
      await tsha(on, ['-y'], wrapped(on, at, more));
      await judge(on, `at call ${at}, ${Object.keys(more)}`);
    }
    for (let tried = 0; tried < runs; tried++) {
      const on = folder(running, withAddress);
      const after = Math.max(1, Math.random() * lasted);
      await tsha(on, ['-y'], wrapped(on, 0, {}), after);
      await judge(on, `after ${after} ms`);
    }
    expect(seen.old).toBeGreaterThan(0);
    expect(seen.new).toBeGreaterThan(0);
    const on = folder(running, withAddress);
    await tsha(on, ['-y'], wrapped(on, all, { before: kill }));
    await untilQuiet(on);
    expect((await tsha(on, ['-y'])).code).toBe(0);
    expect(configuration(on.cib())).toBe(made);
  },
  patience,
);
