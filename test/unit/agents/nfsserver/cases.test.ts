import { expect, test } from 'vitest';
import { nfsserver } from '../../../../agents/nfsserver/agent.ts';
import { catalogue } from '../../../../metadata/catalogue.ts';
import { metadataXml } from '../../../../metadata/xml.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { recurring, run, shared, started, stateMount } from '../../../fake/nfsserver-machine.ts';

type Row = {
  readonly what: string;
  readonly action: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly given?: (machine: NfsMachine) => void;
  readonly running?: true;
  readonly code: number;
  readonly reason?: RegExp;
  readonly after?: (machine: NfsMachine) => void;
};

/** A unit that runs although systemd stops it, with a process that no signal ends. */
const undying = (unit: string, process: string) => (machine: NfsMachine) => {
  machine.stopUnit(unit);
  machine.spawn(process, 800);
  const onSignal = machine.onSignal;
  machine.onSignal = (pid, signal) => pid !== 800 && onSignal(pid, signal);
};

const rows: readonly Row[] = [
  {
    what: 'nfsserver#2: the program for notifications is not installed',
    action: 'start',
    env: { OCF_RESKEY_nfs_notify_cmd: 'no_such_program' },
    code: 5,
    reason: /no_such_program is not installed/,
  },
  { what: 'nfsserver#9: an unknown action', action: 'no_cmd', code: 3, reason: /not supported/ },
  {
    what: 'nfsserver#15: the program for notifications is another one',
    action: 'validate-all',
    env: { OCF_RESKEY_nfs_notify_cmd: '/bin/true' },
    code: 6,
    reason: /neither sm-notify nor rpc.statd/,
  },
  {
    what: 'nfsserver#21: a probe where no unit and no script is',
    action: 'monitor',
    given: (machine) => machine.files.delete('/lib/systemd/system/nfs-server.service'),
    code: 7,
  },
  { what: 'nfsserver#25: status of a server that runs', action: 'status', running: true, code: 0 },
  {
    what: 'nfsserver#25: status of one that does not',
    action: 'status',
    env: { OCF_RESKEY_nfs_no_notify: '1' },
    code: 7,
    reason: /no nfsd threads/,
  },
  {
    what: 'nfsserver#26: no threads, while the unit is active',
    action: 'monitor',
    env: { OCF_RESKEY_nfs_no_notify: '1', ...recurring },
    running: true,
    given: (machine) => machine.files.set('/proc/net/rpc/nfsd', 'th 0 0\n'),
    code: 7,
    reason: /no nfsd threads/,
  },
  {
    what: 'nfsserver#27: no statistics of threads, while the unit is active and the state directory mounted',
    action: 'monitor',
    running: true,
    given: (machine) => machine.files.delete('/proc/net/rpc/nfsd'),
    code: 1,
    reason: /no nfsd threads, but \/nfsdata is still mounted/,
  },
  {
    what: 'nfsserver#33: rpc.statd is gone',
    action: 'monitor',
    env: { ...shared, ...recurring },
    running: true,
    given: (machine) => machine.stopUnit('rpc-statd.service'),
    code: 1,
    reason: /rpc.statd \(rpc-statd.service\) is not running/,
  },
  {
    what: 'nfsserver#35: a probe finds nfsdcld dead below a server that runs',
    action: 'monitor',
    running: true,
    given: (machine) => machine.stopUnit('nfsdcld.service'),
    code: 1,
    reason: /nfsdcld/,
  },
  {
    what: 'nfsserver#38: nfsdcld is about to start: its first process is in its control group',
    action: 'monitor',
    env: { ...shared, ...recurring },
    running: true,
    given: (machine) => {
      machine.stopUnit('nfsdcld.service');
      machine.files.set('/sys/fs/cgroup/system.slice/nfsdcld.service/cgroup.procs', '4711\n');
    },
    code: 0,
  },
  {
    what: 'nfsserver#49: the shared directory does not exist yet',
    action: 'start',
    env: { ...shared, OCF_RESKEY_nfs_shared_infodir: '/nfsdata/info' },
    code: 0,
    after: (machine) => {
      expect(machine.disk.has('/nfsdata/info/')).toBe(true);
      expect(stateMount(machine)).toMatchObject([{ root: '/info' }]);
    },
  },
  {
    what: 'nfsserver#51: the shared directory is in its place already',
    action: 'start',
    given: (machine) => machine.bindBySomeone('/'),
    code: 0,
    after: (machine) => expect(stateMount(machine)).toHaveLength(1),
  },
  {
    what: 'nfsserver#59: nfsdcld outlives its unit, TERM and KILL',
    action: 'stop',
    running: true,
    given: undying('nfsdcld.service', 'nfsdcld'),
    code: 1,
    reason: /nfsdcld \(pid 800\) cannot be ended/,
  },
  {
    what: 'S10: a user has processes that are called as helpers and never end',
    action: 'stop',
    running: true,
    given: (machine) => {
      machine.imposter('nfsdcltrack', 800).imposter('rpc.statd', 801).onSignal = () => {};
    },
    code: 0,
    after: (machine) => {
      expect(machine.journal.filter((line) => line.startsWith('signal '))).toEqual([]);
      expect(stateMount(machine)).toEqual([]);
    },
  },
  {
    what: 'nfsserver#60: the stop of nfs-server.service fails and its threads stay',
    action: 'stop',
    env: { ...shared, OCF_RESKEY_CRM_meta_timeout: '20000' },
    running: true,
    given: (machine) => {
      machine.stuckThreads = 8;
      machine.on('systemctl', () => ({ code: 1, stderr: 'Job for nfs-server.service failed' }));
    },
    code: 1,
    reason: /8 of 8 nfsd threads do not end/,
    after: (machine) => expect(stateMount(machine)).toHaveLength(1),
  },
  {
    what: 'nfsserver#61: rpc.statd does not die',
    action: 'stop',
    running: true,
    given: undying('rpc-statd.service', 'rpc.statd'),
    code: 1,
    reason: /rpc.statd \(pid 800\) cannot be ended/,
  },
  {
    what: 'nfsserver#62: rpc.idmapd does not die',
    action: 'stop',
    running: true,
    given: undying('nfs-idmapd.service', 'rpc.idmapd'),
    code: 1,
    reason: /rpc.idmapd \(pid 800\) cannot be ended/,
  },
  {
    what: 'nfsserver#65: with NFSv4 only a statd that runs nevertheless does not keep the directory',
    action: 'stop',
    env: { ...shared, OCF_RESKEY_nfsv4_only: 'true' },
    running: true,
    given: (machine) => void machine.startUnit('rpc-statd.service'),
    code: 0,
    after: (machine) => {
      expect(machine.isUp('rpc-statd.service')).toBe(false);
      expect(stateMount(machine)).toEqual([]);
    },
  },
  {
    what: 'nfsserver#73: rpc.statd cannot start',
    action: 'start',
    given: (machine) => machine.failing.add('rpc-statd.service'),
    code: 1,
    reason: /rpc-statd.service failed/,
  },
  {
    what: 'nfsserver#74: the stop after a server that could not start',
    action: 'stop',
    given: (machine) =>
      machine.bindBySomeone('/').startUnit('nfsdcld.service').failing.add('nfs-server.service'),
    code: 0,
    after: (machine) => expect(stateMount(machine)).toEqual([]),
  },
  {
    what: 'nfsserver#82: a pid file of sm-notify from before',
    action: 'start',
    given: (machine) => machine.files.set('/run/sm-notify.pid', '77\n'),
    code: 0,
    after: (machine) => expect(machine.files.get('/run/sm-notify.pid')).toBe('4242\n'),
  },
];

test.each(rows)('$what', async ({ action, env = shared, given, running, code, reason, after }) => {
  const machine = running ? await started(env) : new NfsMachine(env);
  given?.(machine);
  const result = await run(machine, action);
  expect(result.code).toBe(code);
  if (reason) expect(result.reason).toMatch(reason);
  after?.(machine);
});

test('nfsserver#12: the meta-data has the stock parameters, actions and timeouts', () => {
  const described = catalogue.find(({ agent }) => agent.name === 'nfsserver');
  const xml = described ? metadataXml(described.agent, described.prose) : '';
  const names = [...xml.matchAll(/<parameter name="(\w+)"/g)].map(([, name]) => name);
  for (const stock of ['nfs_init_script', 'nfsv4_only', 'nfs_no_notify', 'nfs_notify_foreground'])
    expect(names).toContain(stock);
  for (const stock of ['nfs_smnotify_retry_time', 'nfs_server_scope', 'nfs_ip', 'nfs_shared_infodir'])
    expect(names).toContain(stock);
  expect(names).toContain('rpcpipefs_dir');
  const actions = [...xml.matchAll(/<action name="([\w-]+)".*?timeout="(\w+)"/g)].map((action) =>
    action.slice(1),
  );
  for (const [action, timeout] of [
    ['start', '40s'],
    ['stop', '20s'],
    ['monitor', '20s'],
    ['validate-all', '30s'],
  ])
    expect(actions).toContainEqual([action, timeout]);
  expect(xml.match(/<action name="monitor"/g)).toHaveLength(1);
  expect(nfsserver.actions.monitor.depths).toEqual([10, 20]);
});

test('nfsserver#98: a thousand monitors leave nothing behind', async () => {
  const machine = await started({ ...shared, ...recurring });
  const [files, journal] = [[...machine.files.keys()], machine.journal.length];
  for (let time = 0; time < 1000; time++) expect((await run(machine, 'monitor')).code).toBe(0);
  expect([...machine.files.keys()]).toEqual(files);
  expect(machine.journal).toHaveLength(journal);
}, 120_000);

test('nfsserver#78: a client that cannot be told is a warning, and the server serves', async () => {
  const machine = new NfsMachine({
    OCF_RESKEY_nfs_shared_infodir: '/nfsdata',
    OCF_RESKEY_nfs_ip: '10.0.0.99',
  });
  machine.disk.set('/nfsdata/sm/10.0.0.51', 'x x x x x 10.0.0.51 node9');
  expect((await run(machine, 'start')).code).toBe(0);
  expect(machine.warnings).toEqual([expect.stringContaining('10.0.0.99 is not an address of this machine')]);
});
