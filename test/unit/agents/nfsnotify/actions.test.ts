import { describe, expect, test } from 'vitest';
import { nfsnotify } from '../../../../agents/nfsnotify/agent.ts';
import { readArgs } from '../../../../agents/nfsnotify/wanted.ts';
import { hostOn } from '../../../../lib/host/host.ts';
import { markServer, nfsdBegun } from '../../../../lib/host/nfs/nfsd-threads.ts';
import { type Result, runAction } from '../../../../lib/ocf/run.ts';
import { hangs } from '../../../fake/machine.ts';
import { clientsOn, record } from '../../../fake/nfs-clients.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { silentLog, wordsTo } from '../../../fake/story.ts';

const run = (machine: NfsMachine, action: string): Promise<Result> =>
  runAction(nfsnotify, action, machine, silentLog);

/** A node whose NFS server runs on the shared state, with clients of the dead server that answer. */
function node(env: NodeJS.ProcessEnv = {}) {
  const machine = new NfsMachine({
    OCF_RESOURCE_INSTANCE: 'nfs-notify',
    OCF_RESKEY_source_host: '10.0.0.20',
    ...env,
  });
  machine.bindBySomeone('/').startUnit('rpcbind.service').startUnit('nfs-server.service');
  machine.disk.set('/nfsdata/sm/', '').set('/nfsdata/sm.bak/', '');
  machine.local.add('10.0.0.20');
  return Object.assign(machine, clientsOn(machine));
}

const waits = (machine: NfsMachine, client: string, file = client) =>
  machine.disk.set(`/nfsdata/sm.bak/${file}`, record(client));

describe('start', () => {
  test("nfsnotify#1,4,5,29: tells the dead server's clients from the service's address, strikes them off, and is running then", async () => {
    const machine = node();
    waits(machine, '10.0.0.51');
    waits(machine, '10.0.0.52', 'client2.example.com');
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect(await run(machine, 'start')).toEqual({ code: 0, outcome: 'ok' });
    expect(machine.told).toEqual([
      { client: '10.0.0.51', from: '10.0.0.20', name: '10.0.0.20', state: 1 },
      { client: '10.0.0.52', from: '10.0.0.20', name: '10.0.0.20', state: 1 },
    ]);
    expect([...machine.disk.keys()].filter((path) => path.startsWith('/nfsdata/sm.bak/'))).toEqual([
      '/nfsdata/sm.bak/',
    ]);
    expect(machine.files.get('/proc/sys/fs/nfs/nsm_local_state')).toBe('1');
    const before = machine.ran.length;
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.ran.slice(before)).toEqual([]);
    expect(machine.told).toHaveLength(2);
    expect(machine.disk.has('/nfsdata/statd/')).toBe(false);
  });

  test('nfsnotify#36: the state number grows with every restart that is told', async () => {
    const machine = node();
    waits(machine, '10.0.0.51');
    await run(machine, 'start');
    await run(machine, 'stop');
    machine.stopUnit('nfs-server.service');
    machine.startUnit('nfs-server.service').startUnit('rpc-statd.service');
    waits(machine, '10.0.0.51');
    await run(machine, 'start');
    expect(machine.told.map(({ state }) => state)).toEqual([1, 3]);
  });

  test('no name is made in the exported directory where the state file exists: NFSv4 delegations would hold it up', async () => {
    const machine = node();
    machine.disk.set('/nfsdata/state', new Uint8Array(new Int32Array([5]).buffer));
    waits(machine, '10.0.0.51');
    await run(machine, 'start');
    expect(machine.told.map(({ state }) => state)).toEqual([7]);
    expect(machine.ran.filter((line) => /^(mv|ln|mkdir|dd (?!.*nocreat))/.test(line))).toEqual([]);
  });

  test('old records of a server that retired none are told, young ones are not', async () => {
    const machine = node();
    machine.disk.set('/nfsdata/sm/old', record('10.0.0.51')).set('/nfsdata/sm/young', record('10.0.0.52'));
    machine.young.add('/nfsdata/sm/young');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map(({ client }) => client)).toEqual(['10.0.0.51']);
    expect(machine.disk.has('/nfsdata/sm/young')).toBe(true);
  });

  test.each([
    ['the server that runs', 0, []],
    ['another server', 1, ['10.0.0.52']],
  ])('the clock was set forward by 100 years: what nfsserver noted of %s', async (_what, later, told) => {
    const machine = node();
    machine.disk.set('/nfsdata/sm/young', record('10.0.0.52'));
    machine.young.add('/nfsdata/sm/young');
    machine.files.set('/proc/stat', 'btime 4000000000\n');
    const threadsSince = ((await nfsdBegun(hostOn(machine, 1000))) ?? 0) + later;
    const page = { bootId: 'boot-1', facts: { server: { threadsSince, at: 1_000_100 } } };
    machine.files.set('/run/resource-agents/tsha/nfsserver-bank.json', JSON.stringify(page));
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map(({ client }) => client)).toEqual(told);
  });

  test('the number of threads was changed: a start again beside the same server tells the same number', async () => {
    const machine = node();
    waits(machine, '10.0.0.51');
    await run(machine, 'start');
    await run(machine, 'stop');
    machine.resizeThreads();
    waits(machine, '10.0.0.52');
    await run(machine, 'start');
    expect(new Set(machine.told.map(({ state }) => state)).size).toBe(1);
  });

  test('the first thread has ended since: records are held against the moment that nfsserver knows', async () => {
    const machine = node();
    const server = await markServer(hostOn(machine, 1000));
    const page = { bootId: 'boot-1', facts: { server: { ...server, at: 1_000_100 } } };
    machine.files.set('/run/resource-agents/tsha/nfsserver-bank.json', JSON.stringify(page));
    machine.resizeThreads(61, 200_000_000_000);
    machine.disk.set('/nfsdata/sm/young', record('10.0.0.52'));
    machine.young.add('/nfsdata/sm/young');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toEqual([]);
  });

  test('nfsnotify#14: two addresses: every client hears from both', async () => {
    const machine = node({ OCF_RESKEY_source_host: '10.0.0.20, 10.0.1.20' });
    machine.local.add('10.0.1.20');
    waits(machine, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map(({ from }) => from).sort()).toEqual(['10.0.0.20', '10.0.1.20']);
  });

  test('nfsnotify#16,22,37: a client that is silent is left to a process of its own, which stop ends, and it alone', async () => {
    const machine = node({ OCF_RESKEY_notify_args: '-m 7' });
    waits(machine, '10.0.0.51');
    waits(machine, '10.0.0.52');
    machine.deaf.add('10.0.0.52');
    machine.spawn('sm-notify', 800);
    machine.spawn('node', 9999);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.disk.has('/nfsdata/sm.bak/10.0.0.51')).toBe(false);
    expect(machine.disk.has('/nfsdata/sm.bak/10.0.0.52')).toBe(true);
    expect(machine.journal).toContain('launch env OCF_RESKEY_CRM_meta_timeout=420000 /agent reload');
    expect((await run(machine, 'stop')).code).toBe(0);
    expect(machine.journal.filter((line) => line.startsWith('signal'))).toEqual(['signal SIGTERM 9999']);
  });

  test('nfsnotify#23: that process tells it again until it answers', async () => {
    const machine = node({ OCF_RESKEY_CRM_meta_timeout: '420000' });
    waits(machine, '10.0.0.52');
    machine.deaf.add('10.0.0.52');
    machine.onUdp = (
      (answer) =>
      (...call) => {
        if (machine.clock > 60_000) machine.deaf.clear();
        return answer(...call);
      }
    )(machine.onUdp);
    expect((await run(machine, 'reload')).code).toBe(0);
    expect(machine.told).toHaveLength(1);
    expect(machine.disk.has('/nfsdata/sm.bak/10.0.0.52')).toBe(false);
  });

  test.each<[string, NodeJS.ProcessEnv, (machine: NfsMachine) => void, number, RegExp?]>([
    ['nfsnotify#30: nobody waits', {}, () => {}, 0],
    ['nfsnotify#31: no host name for the address', {}, (machine) => waits(machine, '10.0.0.51'), 0],
    [
      'nfsnotify#32: the address is not here',
      { OCF_RESKEY_source_host: '10.0.0.99' },
      () => {},
      1,
      /10\.0\.0\.99 is not an address/,
    ],
    ['a name without address', { OCF_RESKEY_source_host: 'nowhere' }, () => {}, 1, /nowhere has no address/],
    [
      'rpc.statd is down',
      {},
      (machine) => {
        for (const unit of ['rpc-statd.service', 'nfs-server.service']) machine.stopUnit(unit);
      },
      1,
      /rpc.statd is not running/,
    ],
    ['no directory of statd', {}, (machine) => machine.disk.delete('/nfsdata/sm/'), 1, /sm is not there/],
    [
      'nfsnotify#39: NFSv4 only, without statd',
      {},
      (machine) => {
        machine.stopUnit('rpc-statd.service');
        machine.files.set('/etc/nfs.conf', '[nfsd]\nvers3=n\n');
      },
      0,
    ],
  ])('%s', async (_situation, env, change, code, reason) => {
    const machine = node(env);
    change(machine);
    const result = await run(machine, 'start');
    expect(result.code).toBe(code);
    if (reason) expect(result.reason).toMatch(reason);
    expect((await run(machine, 'monitor')).code).toBe(code === 0 ? 0 : 7);
  });

  test('nfsnotify#17,18,19,20: a failed start is not remembered as a success', async () => {
    const machine = node({ OCF_RESKEY_source_host: '10.0.0.20,10.0.0.21' });
    waits(machine, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(1);
    expect(machine.told).toHaveLength(1); // the good address is used nevertheless
    expect((await run(machine, 'monitor')).code).toBe(7);
    machine.local.add('10.0.0.21');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map(({ from }) => from)).toEqual(['10.0.0.20', '10.0.0.20', '10.0.0.21']);
  });
});

describe('monitor', () => {
  test('nfsnotify#6,7,8,9: rpc.statd ended, or another one has its number', async () => {
    for (const later of ['rpc.statd', 'sleep', undefined]) {
      const machine = node();
      expect((await run(machine, 'start')).code).toBe(0);
      const pid = Number(machine.files.get('/run/rpc.statd.pid'));
      for (const unit of ['rpc-statd.service', 'nfs-server.service']) machine.stopUnit(unit);
      if (later)
        machine.process(pid, { comm: `${later}\n`, stat: `${pid} (x) S 1 ${'0 '.repeat(17)}777777 0` });
      const result = await run(machine, 'monitor');
      expect(result).toMatchObject({ code: 1, reason: expect.stringContaining(`rpc.statd (pid ${pid})`) });
      machine.startUnit('nfs-server.service').startUnit('rpc-statd.service');
      expect((await run(machine, 'start')).code).toBe(0);
      expect((await run(machine, 'monitor')).code).toBe(0);
    }
  });

  test('N12: while the server runs without rpc.statd, it is nfsserver that fails; with the next one the clients are told', async () => {
    const machine = node();
    waits(machine, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    machine.stopUnit('rpc-statd.service');
    expect((await run(machine, 'monitor')).code).toBe(0);
    // and should Pacemaker start it anew meanwhile, this node is not banned
    expect((await run(machine, 'stop')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(0);
    waits(machine, '10.0.0.51');
    machine.startUnit('rpc-statd.service');
    expect(await run(machine, 'monitor')).toMatchObject({
      code: 1,
      reason: 'rpc.statd came up after the start: the clients must be told',
    });
    expect((await run(machine, 'stop')).code).toBe(0);
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect(machine.told.map(({ client }) => client)).toEqual(['10.0.0.51', '10.0.0.51']);
  });

  test('N12: an rpc.statd that took the place of the old one is told of', async () => {
    const machine = node();
    expect((await run(machine, 'start')).code).toBe(0);
    machine.stopUnit('rpc-statd.service');
    expect((await run(machine, 'monitor')).code).toBe(0);
    machine.startUnit('rpc-statd.service');
    expect(await run(machine, 'monitor')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('told again'),
    });
  });

  test('N12: a start waits a moment for an rpc.statd that is being started again', async () => {
    const machine = node();
    waits(machine, '10.0.0.51');
    machine.stopUnit('rpc-statd.service');
    machine.onTick = (clock) => {
      if (clock > 500) machine.startUnit('rpc-statd.service');
    };
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toHaveLength(1);
  });

  test('nfsnotify#21: of several rpc.statd the one of the pid file counts', async () => {
    const machine = node();
    machine.spawn('rpc.statd', 3);
    expect((await run(machine, 'start')).code).toBe(0);
    machine.endProcess(3);
    expect((await run(machine, 'monitor')).code).toBe(0);
  });

  test('nfsnotify#38: after a reboot nobody has been told', async () => {
    const machine = node();
    await run(machine, 'start');
    machine.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
    expect((await run(machine, 'monitor')).code).toBe(7);
  });

  test("the stock agent's mark on the same resource counts, until it is stopped", async () => {
    const machine = node();
    const file = '/run/resource-agents/nfsnotify_nfs-notify/rpc.statd_nfs-notify.pid';
    machine.files.set(file, machine.files.get('/run/rpc.statd.pid') ?? '');
    expect((await run(machine, 'monitor')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'stop')).code).toBe(0);
  });
});

describe("the stock agent's mark is left, so that it takes over what runs", () => {
  const folder = '/run/resource-agents/nfsnotify_nfs-notify';
  const file = `${folder}/rpc.statd_nfs-notify.pid`;

  test('by start, with the number of rpc.statd; taken away by stop', async () => {
    const machine = node();
    await run(machine, 'start');
    expect(machine.files.get(file)?.trim()).toBe(machine.files.get('/run/rpc.statd.pid')?.trim());
    await run(machine, 'stop');
    expect([...machine.files.keys()].filter((path) => path.startsWith(folder))).toEqual([]);
  });

  test('one that cannot be left is a warning', async () => {
    const machine = node();
    machine.files.set(folder, 'a file');
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(0);
  });

  test('ours of another boot is none; one that the stock agent wrote since then is', async () => {
    const machine = node();
    await run(machine, 'start');
    machine.files.set('/proc/sys/kernel/random/boot_id', 'boot-2\n');
    machine.files.delete('/run/resource-agents/tsha/nfsnotify-nfs-notify.json');
    expect((await run(machine, 'monitor')).code).toBe(7);
    machine.files.set(`${folder}/tsha`, '1 boot-1\n');
    expect((await run(machine, 'monitor')).code).toBe(0);
  });
});

describe("S9: a user's process is called rpc.statd", () => {
  /** As the real one has ended, with or without its number. */
  const replaced = (machine: NfsMachine, pid: number) => {
    machine.stopUnit('rpc-statd.service');
    machine.imposter('rpc.statd', pid);
  };

  test("the stock agent's mark with its number says nothing", async () => {
    const machine = node();
    const pid = Number(machine.files.get('/run/rpc.statd.pid'));
    const file = '/run/resource-agents/nfsnotify_nfs-notify/rpc.statd_nfs-notify.pid';
    machine.files.set(file, String(pid));
    replaced(machine, pid);
    machine.stopUnit('nfs-server.service');
    expect((await run(machine, 'monitor')).code).toBe(1);
  });

  test.each([4711, undefined])('start: it is none (%s)', async (pid) => {
    const machine = node();
    replaced(machine, pid ?? Number(machine.files.get('/run/rpc.statd.pid')));
    machine.stopUnit('nfs-server.service');
    expect(await run(machine, 'start')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('rpc.statd is not running'),
    });
  });
});

describe('N3: a name with several addresses', () => {
  const name = { OCF_RESKEY_source_host: 'nfs.example.com' };
  /** What getent says: each address once for each kind of socket. */
  const resolves = (machine: NfsMachine, ...addresses: readonly string[]) =>
    machine.on('getent', ([database], command) =>
      database === 'ahosts' && command.argv.at(-1) === 'nfs.example.com'
        ? addresses
            .flatMap((address) =>
              ['STREAM nfs.example.com', 'DGRAM', 'RAW'].map((kind) => `${address}  ${kind}\n`),
            )
            .join('')
        : { code: 2 },
    );
  const six = '2001:db8::20';

  test.each([
    ['the one that is here, be it not the first', [six, '10.0.0.20'], ['10.0.0.20'], ['10.0.0.20']],
    ['both', [six, '10.0.0.20'], [six, '10.0.0.20'], ['10.0.0.20']],
    [
      'several of one family',
      ['10.0.1.20', '10.0.0.20'],
      ['10.0.1.20', '10.0.0.20'],
      ['10.0.0.20', '10.0.1.20'],
    ],
    ['loopback of /etc/hosts is none', ['127.0.1.1', '10.0.0.20'], ['127.0.1.1', '10.0.0.20'], ['10.0.0.20']],
  ])('%s', async (_what, addresses, local, from) => {
    const machine = node(name);
    machine.local.clear();
    for (const address of local) machine.local.add(address);
    resolves(machine, ...addresses);
    waits(machine, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map((one) => one.from).sort()).toEqual(from.flatMap((one) => [one, one, one]));
    expect([...new Set(machine.told.map((one) => one.name))]).toEqual(
      expect.arrayContaining(['nfs.example.com', 'nfs']),
    );
    expect(machine.disk.has('/nfsdata/sm.bak/10.0.0.51')).toBe(false);
    expect(machine.clock).toBeLessThan(1000);
  });

  test('one that IPv6 still checks for duplicates is waited for', async () => {
    const machine = node(name);
    resolves(machine, six, '10.0.0.20');
    const flags = (value: string) =>
      machine.files.set('/proc/net/if_inet6', `20010db8000000000000000000000020 02 40 00 ${value} eth0\n`);
    flags('40');
    machine.onTick = (clock) => {
      if (clock < 1500) return;
      flags('80');
      machine.local.add(six);
    };
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.clock).toBeGreaterThanOrEqual(1500);
    expect(machine.clock).toBeLessThan(5000);
    expect(machine.journal.filter((line) => line.startsWith(`udp ${six} 10`))).toHaveLength(1);
  });

  test('none is here: 1, naming them', async () => {
    const machine = node(name);
    machine.local.clear();
    resolves(machine, '10.0.0.98', '10.0.0.99');
    expect(await run(machine, 'start')).toMatchObject({
      code: 1,
      reason: expect.stringMatching(/10\.0\.0\.98 is not an address.*10\.0\.0\.99/),
    });
  });

  test('the name is unknown: refused by validate-all, too', async () => {
    const machine = node({ ...name, OCF_CHECK_LEVEL: '10' });
    for (const action of ['start', 'validate-all'])
      expect(await run(machine, action)).toMatchObject({
        code: action === 'start' ? 1 : 6,
        reason: expect.stringContaining('nfs.example.com has no address'),
      });
  });
});

describe('N14: two addresses for two networks of clients, with no route between them', () => {
  function twoNetworks(env: NodeJS.ProcessEnv = {}) {
    const machine = node({ OCF_RESKEY_source_host: '10.1.0.20,10.2.0.20', ...env });
    machine.local.add('10.1.0.20').add('10.2.0.20');
    for (const [client, from] of [
      ['10.1.0.51', '10.2.0.20'],
      ['10.2.0.51', '10.1.0.20'],
    ] as const) {
      waits(machine, client);
      machine.apart.add(`${client} ${from}`);
    }
    return machine;
  }
  const left = (machine: NfsMachine) =>
    [...machine.disk.keys()].filter((path) => /sm\.bak\/./.test(path)).sort();

  test('whoever confirmed to one of them is struck off when the time is up, and the log says to which', async () => {
    const machine = twoNetworks({ OCF_RESKEY_CRM_meta_timeout: '100000' });
    waits(machine, '10.1.0.52');
    machine.deaf.add('10.1.0.52');
    const said: string[] = [];
    expect((await runAction(nfsnotify, 'reload', machine, wordsTo(said))).code).toBe(0);
    expect(left(machine)).toEqual(['/nfsdata/sm.bak/10.1.0.52']);
    expect(said.join('\n')).toMatch(
      /10\.1\.0\.51 confirmed to 10\.1\.0\.20, not to 10\.2\.0\.20, 10\.2\.0\.51 confirmed to 10\.2\.0\.20, not to 10\.1\.0\.20/,
    );
    expect(said.join('\n')).toMatch(/never confirmed the restart of the server: 10\.1\.0\.52$/m);
    expect(machine.told).toHaveLength(2); // nobody hears again from an address that was confirmed
  });

  test('what is confirmed to one address in one round and to the other in the next is confirmed', async () => {
    const machine = twoNetworks({ OCF_RESKEY_CRM_meta_timeout: '200000' });
    machine.onTick = (clock) => {
      if (clock < 40_000) return;
      machine.apart.clear();
      for (const one of ['10.1.0.51 10.1.0.20', '10.2.0.51 10.2.0.20']) machine.apart.add(one);
    };
    const said: string[] = [];
    expect((await runAction(nfsnotify, 'reload', machine, wordsTo(said))).code).toBe(0);
    expect([left(machine), said.join('\n')]).toEqual([
      [],
      expect.stringMatching(/every client has been notified/),
    ]);
  });

  test('a start again beside the same server tells no new number, by which a client would claim its locks too late', async () => {
    const machine = twoNetworks();
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    waits(machine, '10.1.0.53'); // never heard
    expect((await run(machine, 'start')).code).toBe(0);
    expect(new Set(machine.told.map(({ state }) => state))).toEqual(new Set([1]));
    expect((await run(machine, 'stop')).code).toBe(0);
    machine.stopUnit('nfs-server.service');
    machine.startUnit('nfs-server.service').startUnit('rpc-statd.service');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.at(-1)?.state).toBe(3);
  });
});

describe('N13: a resolver that does not answer', () => {
  const ask = { OCF_RESKEY_source_host: 'nfs.example.com', OCF_CHECK_LEVEL: '10' };
  /** What getent ends with, so many milliseconds after it was asked. */
  const answers = (
    machine: NfsMachine,
    afterMs: number,
    answer: string | { code: number; stderr?: string },
  ) =>
    machine.on('getent', (_args, command) => {
      if (afterMs > command.timeoutMs) return hangs(command, machine);
      machine.clock += afterMs;
      return answer;
    });

  test('the first nameserver is dead, the second answers after 5 s: all is well', async () => {
    const machine = node(ask);
    answers(machine, 5000, '10.0.0.20  STREAM nfs.example.com\n');
    waits(machine, '10.0.0.51');
    expect((await run(machine, 'validate-all')).code).toBe(0);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map(({ from }) => from)).toContain('10.0.0.20');
  });

  test.each([
    ['none answers', 60_000, '', /getent ahosts nfs\.example\.com" did not end/],
    [
      'getent fails',
      0,
      { code: 1, stderr: 'getent: Unknown database\n' },
      /getent ahosts nfs\.example\.com: getent: Unknown/,
    ],
  ])('%s: 1 with its words, never that there is no address', async (_what, afterMs, answer, reason) => {
    for (const action of ['start', 'validate-all']) {
      const machine = node(ask);
      answers(machine, afterMs, answer);
      expect(await run(machine, action)).toMatchObject({ code: 1, reason: expect.stringMatching(reason) });
      expect(machine.clock).toBeLessThan(20_000);
    }
  });

  test('the name of an address, which is a nicety, is not waited for so long', async () => {
    const machine = node();
    answers(machine, 60_000, '');
    waits(machine, '10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map(({ from, name }) => [from, name])).toEqual([['10.0.0.20', '10.0.0.20']]);
    expect(machine.clock).toBeLessThan(3000);
  });
});

describe('notify_args', () => {
  test.each<[string, number]>([
    ['', 0],
    ['-d -n -m 5 -p 2020', 0],
    ['-m5 -p2020', 0],
    ['-P /x', 6],
    ['-v 10.0.0.1', 6],
    ['-m soon', 6],
    ['-p 99999', 6],
  ])('nfsnotify#40: %s', async (notify_args, code) => {
    expect((await run(node({ OCF_RESKEY_notify_args: notify_args }), 'validate-all')).code).toBe(code);
  });

  test('-p sets the source port, -n keeps the state number', async () => {
    expect(readArgs('-n -p 2020')).toMatchObject({ keepState: true, port: 2020, minutes: 15 });
    const machine = node({ OCF_RESKEY_notify_args: '-n -p 2020' });
    waits(machine, '10.0.0.51');
    machine.disk.set('/nfsdata/state', new Uint8Array(new Int32Array([41]).buffer));
    await run(machine, 'start');
    expect(machine.journal).toContain('udp 10.0.0.20 2020');
    expect(machine.told).toMatchObject([{ state: 41 }]);
  });
});
