import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';
import {
  callOf,
  follow,
  networkOfEachTest,
  noCarrier,
  type Params,
  present,
  type Row,
  up,
  v4,
  v6,
} from './network.ts';

// Faults found outside the specification, by their row: a small situation, and what is right in it.

const net = networkOfEachTest();

const run = (row: Row) => follow(net, row);

/** Our agent by its own command line, so that it can be wrapped in another. */
async function wrapped(
  before: readonly [string, ...string[]],
  action: string,
  params: Params,
  env: NodeJS.ProcessEnv = {},
) {
  const given = Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
  const [file, ...args] = before;
  const { exitCode, stderr } = await execa(
    file,
    [...args, process.execPath, await agentUnderTest('IPaddr2'), action],
    {
      env: {
        OCF_RESOURCE_INSTANCE: 'vip',
        HA_RSCTMP: net.stateDir,
        ...Object.fromEntries(given),
        ...env,
      },
      reject: false,
    },
  );
  return { code: exitCode, stderr };
}

/** Inside the node, with a part of the file system changed for this one call. */
const changed = (shell: string): [string, ...string[]] => [
  ...(['ip', 'netns', 'exec', net.node, 'unshare', '-m', 'sh', '-ec'] as const),
  `${shell}; exec "$@"`,
  'sh',
];
const readOnly = 'mount -o remount,ro,bind /proc/sys || mount --bind -o ro /proc/sys /proc/sys';
const readOnlyProcSys = `mount --bind /proc/sys /proc/sys; ${readOnly}`;

/** The address that goes is the first of its network, and the kernel is told to let the others go with it. */
async function firstOfThree(): Promise<void> {
  await net.ip('address delete 192.168.144.1/24 dev eth0');
  await net.ip(present);
  await net.ip('address add 192.168.144.3/24 brd + dev eth0 label eth0:three');
  await net.ip('address add 192.168.144.4/24 dev eth0 metric 300');
  for (const dev of ['eth0', 'all'])
    await net.inside(['sysctl', '-qw', `net.ipv4.conf.${dev}.promote_secondaries=0`]);
}
const others = ['eth0 192.168.144.3/24 brd 192.168.144.255 label eth0:three', 'eth0 192.168.144.4/24'];

describe('I1: a nicety fails no action', () => {
  test('/proc/sys is read-only: start and stop of an IPv6 address', async () => {
    expect(await wrapped(changed(readOnlyProcSys), 'start', v6)).toMatchObject({ code: 0 });
    expect(await net.added()).toEqual(['eth0 2001:db8:1234::2/64']);
    expect(await wrapped(changed(readOnlyProcSys), 'stop', v6)).toMatchObject({ code: 0 });
    expect(await net.added()).toEqual([]);
  });

  test('/proc/sys is read-only: other addresses are put back as they were', async () => {
    await firstOfThree();
    const answer = await wrapped(changed(readOnlyProcSys), 'stop', v4);
    expect(answer).toMatchObject({ code: 0 });
    expect(await net.added(), answer.stderr).toEqual(others);
    expect(await net.ip('-j address show dev eth0')).toContain('"metric":300');
  });

  test('/proc/sys is read-only, two addresses of one network stop at once: neither is put back', async () => {
    await net.ip('address delete 192.168.144.1/24 dev eth0');
    for (const dev of ['eth0', 'all'])
      await net.inside(['sysctl', '-qw', `net.ipv4.conf.${dev}.promote_secondaries=0`]);
    for (let round = 0; round < 6; round += 1) {
      for (const last of [2, 3, 4]) await net.ip(`address add 192.168.144.${last}/24 dev eth0`);
      const answers = await Promise.all(
        [2, 3].map((last) =>
          wrapped(
            changed(readOnlyProcSys),
            'stop',
            { ip: `192.168.144.${last}` },
            { OCF_RESOURCE_INSTANCE: `vip${last}` },
          ),
        ),
      );
      const said = answers.map(({ stderr }) => stderr).join('\n');
      expect(
        answers.map(({ code }) => code),
        said,
      ).toEqual([0, 0]);
      expect(await net.added(), said).toEqual(['eth0 192.168.144.4/24']);
      await net.ip('address delete 192.168.144.4/24 dev eth0');
    }
  });

  test('S19: /run is read-only: nothing is begun that a stop could not know of, what runs is stopped', async () => {
    const noState = changed(
      `mount --bind ${net.stateDir} ${net.stateDir}; mount -o remount,ro,bind ${net.stateDir}`,
    );
    for (const params of [v4, { ...v4, arp_sender: 'iputils_arping' }, v6]) {
      const refused = await wrapped(noState, 'start', params);
      expect(refused, params.ip).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/cannot write .*: EROFS/),
      });
      expect(await net.added()).toEqual([]);
      expect(await wrapped(changed(':'), 'start', params), params.ip).toMatchObject({ code: 0 });
      expect(await wrapped(noState, 'monitor', params), params.ip).toMatchObject({ code: 0 });
      expect(await wrapped(noState, 'stop', params), params.ip).toMatchObject({ code: 0 });
      expect(await net.added()).toEqual([]);
    }
  });
});

describe('I2: both programs called arping', () => {
  // Debian's packages, unpacked into a folder: they cannot be installed beside each other.
  const packages = { 'iputils-arping': 'usr/bin', arping: 'usr/sbin' } as const;
  type Package = keyof typeof packages;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tsha-arping-'));
    for (const name of Object.keys(packages)) {
      const got = await execa('apt-get', ['download', name], { cwd: folder, reject: false });
      if (got.exitCode !== 0) console.warn(`skipped: ${name} cannot be had here: ${got.stderr}`);
      await execa('sh', ['-c', `dpkg-deb -x ${name}_*.deb ${name}`], { cwd: folder, reject: false });
    }
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const names = Object.keys(packages) as readonly Package[];

  test.for(
    names.flatMap((name) =>
      (
        [
          ['used', 1],
          ['free', 0],
        ] as const
      ).map((row) => [name, ...row] as const),
    ),
  )('%s, run_arping, an address that is %s: start %i', async ([name, which, code], { skip }) => {
    const place = join(folder, name, packages[name], 'arping');
    if (!existsSync(place)) skip(`${name} cannot be had here`);
    const ip = which === 'used' ? '192.168.144.9' : v4.ip;
    const covered = changed(`mount --bind ${place} "$(readlink -f "$(command -v arping)")"`);
    const answer = await wrapped(covered, 'start', { ip, run_arping: 'true' });
    expect(answer, answer.stderr).toMatchObject({ code });
    if (code === 1) expect(answer.stderr).toContain('another host answers');
    expect(await net.added()).toEqual(code === 0 ? [up] : []);
  });

  test.for(
    names.flatMap((name) => ['iputils_arping', 'libnet_arping'].map((sender) => [name, sender] as const)),
  )('%s, arp_sender=%s: announced by the program that is there', async ([name, sender], { skip }) => {
    const place = join(folder, name, packages[name], 'arping');
    if (!existsSync(place)) skip(`${name} cannot be had here`);
    const covered = changed(`mount --bind ${place} "$(readlink -f "$(command -v arping)")"`);
    const params = { ...v4, arp_sender: sender, arp_bg: 'false', arp_count: '1' };
    const answer = await wrapped(covered, 'start', params);
    expect(answer, answer.stderr).toMatchObject({ code: 0 });
    expect(answer.stderr).not.toContain('could not be announced');
  });
});

test.each<Row>([
  {
    name: 'I3: the same link-local address on another interface is another address',
    before: ['address add fe80::2/64 dev eth0 nodad'],
    params: { ip: 'fe80::2', nic: 'eth1', cidr_netmask: '64' },
    steps: [
      ['probe', 7],
      ['start', 0, ['eth0 fe80::2/64', 'eth1 fe80::2/64']],
      ['monitor', 0],
      ['stop', 0, ['eth0 fe80::2/64']],
      ['monitor', 7],
      ['stop', 0, ['eth0 fe80::2/64']],
    ],
  },
  {
    name: 'I3: its interface does not exist',
    before: ['address add fe80::2/64 dev eth0 nodad'],
    params: { ip: 'fe80::2', nic: 'nope', cidr_netmask: '64' },
    steps: [
      ['probe', 7],
      ['stop', 0, ['eth0 fe80::2/64']],
    ],
  },
  {
    name: 'I3: no interface was said: none of them is ours',
    before: ['address add fe80::2/64 dev eth0 nodad'],
    params: { ip: 'fe80::2' },
    steps: [
      ['probe', 7],
      ['start', 5],
      ['stop', 0, ['eth0 fe80::2/64']],
    ],
  },
])('$name', run);

test.each([
  ['interface and prefix configured', { ...v4, nic: 'eth0', cidr_netmask: '24' }, []],
  ['by route', v4, []],
  ['the address is there already', v4, [present]],
  ['IPv6', v6, []],
] as const)('I4: a link that comes while start waits: %s', async (_name, params, before) => {
  await net.ipPeer('link set p0 down');
  await expect
    .poll(() => net.ip('link show dev eth0'), { timeout: 100_000 })
    .toMatch(/state (DOWN|LOWERLAYER)/);
  for (const line of before) await net.ip(line);
  let ended = false;
  const started = net.tsha('start', { ...params }).finally(() => {
    ended = true;
  });
  // the link comes once the address is there: by then start has seen that there was none
  await expect.poll(async () => ended || (await net.added()).length > 0, { timeout: 100_000 }).toBe(true);
  expect(ended).toBe(false);
  await net.ipPeer('link set p0 up');
  expect(await started).toMatchObject({ code: 0 });
  expect(await net.added()).toHaveLength(1);
});

const used = { ip: '192.168.144.9', nic: 'eth0', cidr_netmask: '24', run_arping: 'true' };

test.each<Row>([
  {
    name: 'I13: run_arping, its interface is down: asked once it is on',
    before: ['link set eth0 down'],
    params: used,
    steps: [['start', 1, []]],
    says: 'another host answers for 192.168.144.9 on eth0',
  },
  {
    name: 'I13: run_arping, the address is there, its interface is down',
    before: ['address add 192.168.144.9/24 brd + dev eth0', 'link set eth0 down'],
    params: used,
    steps: [
      ['start', 1],
      ['stop', 0, []],
    ],
  },
  {
    name: 'I13: run_arping, no link: nobody can be asked',
    before: [noCarrier],
    params: used,
    steps: [['start', 1, []]],
    says: 'eth0 has no link: nobody can be asked',
  },
  {
    name: 'I13: run_arping, no link, which does not matter',
    before: [noCarrier],
    params: { ...used, check_link_status: 'false' },
    steps: [['start', 0, ['eth0 192.168.144.9/24 brd 192.168.144.255']]],
  },
  {
    name: 'I4: the address is there, its interface is switched off: switched on',
    before: [present, 'link set eth0 down'],
    params: { ...v4, nic: 'eth0', cidr_netmask: '24' },
    steps: [
      ['probe', 1],
      ['start', 0, [up]],
      ['stop', 0, []],
    ],
  },
])('$name', run);

describe('I5: what is left of a namespace', () => {
  const name = () => `${net.node}-gone`;
  const outside = (action: string, env = {}) =>
    wrapped(['env'], action, { ...v4, network_namespace: name() }, env);

  /** As `ip netns attach` does it, with a namespace of another type. */
  async function mounted(file: string, type: 'uts' | 'ipc'): Promise<void> {
    await writeFile(file, '');
    const holder = execa('unshare', [`--${type}`, 'sh', '-c', 'echo; exec cat'], {
      reject: false,
    });
    await once(holder.stdout, 'data');
    await execa('mount', ['--bind', `/proc/${holder.pid}/ns/${type}`, file]);
    holder.stdin.end();
    await holder;
  }

  test.each([
    ['a stale file', (file: string) => writeFile(file, '')],
    ['a link to a process that has ended', (file: string) => symlink('/proc/4194304/ns/net', file)],
    ['a folder', (file: string) => mkdir(file)],
    ['a link to a mount namespace', (file: string) => symlink(`/proc/${process.pid}/ns/mnt`, file)],
    ['a link to a uts namespace', (file: string) => symlink(`/proc/${process.pid}/ns/uts`, file)],
    ['a mounted uts namespace', (file: string) => mounted(file, 'uts')],
    ['a mounted ipc namespace', (file: string) => mounted(file, 'ipc')],
  ])('%s', async (_what, leave) => {
    const file = `/run/netns/${name()}`;
    await leave(file);
    try {
      expect(await outside('monitor')).toMatchObject({ code: 7 });
      expect(await outside('monitor', { OCF_RESKEY_CRM_meta_interval: '10000' })).toMatchObject({ code: 7 });
      expect(await outside('stop')).toMatchObject({ code: 0 });
      expect(await outside('start')).toMatchObject({ code: 5 });
    } finally {
      await execa('umount', [file], { reject: false });
      await rm(file, { recursive: true, force: true });
    }
  });

  test.each([
    ['a link to a living namespace', async () => `/run/netns/${net.node}`],
    ['a relative link to one', async () => net.node],
    ['a link to that of a process', async () => `/proc/${await insider()}/ns/net`],
  ])('%s is one', async (_what, target) => {
    const file = `/run/netns/${name()}`;
    await symlink(await target(), file);
    try {
      expect(await outside('start')).toMatchObject({ code: 0 });
      expect(await net.added()).toEqual([up]);
      expect(await outside('monitor')).toMatchObject({ code: 0 });
      expect(await outside('stop')).toMatchObject({ code: 0 });
      expect(await net.added()).toEqual([]);
    } finally {
      await rm(file, { force: true });
    }
  });

  /** The pid of a process that lives in the namespace; it ends with that. */
  async function insider(): Promise<number | undefined> {
    const child = execa('ip', ['netns', 'exec', net.node, 'sh', '-c', 'echo; exec sleep 600'], {
      reject: false,
    });
    await once(child.stdout, 'data');
    return child.pid;
  }
});

describe('I12: a namespace that has lost its name', () => {
  const name = () => `${net.node}-lost`;
  const params = () => ({
    ...{ ip: '10.9.9.9', nic: 'br0', cidr_netmask: '24', check_link_status: 'false' },
    ...{ arp_bg: 'false', arp_count: '1' },
    network_namespace: name(),
  });
  const call = async (step: string) => {
    const { code, stderr } = await wrapped(['env'], ...callOf(step, params()));
    return [step, code, /ocf-exit-reason:(.*)$/m.exec(stderr)?.[1] ?? ''];
  };
  const make = async () => {
    await execa('ip', ['netns', 'add', name()]);
    await execa('ip', ['-n', name(), 'link', 'add', 'br0', 'type', 'bridge']);
    expect(await call('start')).toEqual(['start', 0, '']);
    expect(await call('monitor')).toEqual(['monitor', 0, '']);
  };
  const lose = () => execa('ip', ['netns', 'delete', name()]);
  /** A process in it, until `end`. */
  async function keptBy() {
    const child = execa('ip', ['netns', 'exec', name(), 'sh', '-c', 'echo; exec sleep 600'], {
      reject: false,
    });
    await once(child.stdout, 'data');
    const file = `/proc/${child.pid}/ns/net`;
    return {
      pid: child.pid,
      has: async () =>
        (await execa('nsenter', [`--net=${file}`, 'ip', 'address', 'show'])).stdout.includes('10.9.9.9'),
      end: async () => {
        child.kill('SIGKILL');
        await child;
      },
    };
  }
  afterEach(() => execa('ip', ['netns', 'delete', name()], { reject: false }));

  test.each([
    ['', async () => {}],
    [', and another has it now', () => execa('ip', ['netns', 'add', name()])],
  ])('a process is in it%s: failed until it is stopped, which removes it there', async (_what, then) => {
    await make();
    const keeper = await keptBy();
    try {
      await lose();
      await then();
      for (const step of ['monitor', 'start'])
        expect(await call(step)).toEqual([
          step,
          1,
          expect.stringMatching(`no longer named .*: pid ${keeper.pid} \\(sleep\\) keeps it`),
        ]);
      expect(await call('probe')).toEqual(['probe', 1, expect.anything()]);
      expect(await keeper.has()).toBe(true);
      expect(await call('stop')).toEqual(['stop', 0, '']);
      expect(await keeper.has()).toBe(false);
      expect(await call('probe')).toEqual(['probe', 7, expect.anything()]);
    } finally {
      await keeper.end();
    }
  });

  test('it is mounted elsewhere', async () => {
    await make();
    const file = join(net.stateDir, 'namespace');
    await writeFile(file, '');
    await execa('mount', ['--bind', `/run/netns/${name()}`, file]);
    try {
      await lose();
      expect(await call('monitor')).toEqual([
        'monitor',
        1,
        expect.stringContaining(`a mount on ${file} keeps it`),
      ]);
      expect(await call('stop')).toEqual(['stop', 0, '']);
      const { stdout } = await execa('nsenter', [`--net=${file}`, 'ip', 'address', 'show']);
      expect(stdout).not.toContain('10.9.9.9');
    } finally {
      await execa('umount', [file]);
    }
  });

  test('nobody keeps it: it is gone', async () => {
    await make();
    await lose();
    expect(await call('monitor')).toEqual(['monitor', 7, expect.stringContaining('does not exist')]);
    expect(await call('stop')).toEqual(['stop', 0, '']);
  });
});

describe('I6: an interface that was renamed', () => {
  const rename = ['link set eth0 down', 'link set eth0 name wan0', 'link set wan0 up'];

  test.each<Row>([
    {
      name: 'nothing remembered: the address is found on every interface',
      before: [present, ...rename],
      params: { ...v4, nic: 'eth0' },
      steps: [
        ['probe', 1],
        ['monitor', 1],
        ['stop', 0, []],
      ],
    },
    {
      name: 'its name is another interface now: that one cannot be ours',
      before: ['address add 192.168.144.2/24 dev eth1'],
      params: { ...v4, nic: 'eth0' },
      steps: [['stop', 0, ['eth1 192.168.144.2/24']]],
    },
  ])('$name', run);

  test('remembered, and another interface has taken its name', async () => {
    const params = { ...v4, nic: 'eth0' };
    expect((await net.tsha('start', params)).code).toBe(0);
    for (const line of [...rename, 'link set eth1 down', 'link set eth1 name eth0', 'link set eth0 up'])
      await net.ip(line);
    expect((await net.tsha('stop', params)).code).toBe(0);
    expect(await net.added()).toEqual([]);
  });

  test('what is left alone is named', async () => {
    await net.ip('address add 192.168.144.2/24 dev eth1');
    const { code, stderr } = await net.tsha('stop', { ...v4, nic: 'eth0' });
    expect([code, stderr]).toEqual([0, expect.stringContaining('192.168.144.2/24 on eth1 is left alone')]);
  });
});

test.each<Row>([
  {
    name: 'I7: a host route to the address is no network',
    before: ['route add 192.168.144.2/32 dev eth1'],
    params: v4,
    steps: [['start', 0, [up]]],
  },
  {
    name: 'I7: nor is one of IPv6',
    before: ['-6 route add 2001:db8:1234::2/128 dev eth1'],
    params: v6,
    steps: [['start', 0, ['eth0 2001:db8:1234::2/64']]],
  },
  {
    name: 'I7: a host route alone leads nowhere',
    before: ['route add 10.5.5.5/32 dev eth1'],
    params: { ip: '10.5.5.5' },
    steps: [['start', 5, []]],
  },
  {
    name: 'I7: of two attached networks the one with a link',
    before: [
      'address add 192.168.144.7/24 dev eth1',
      'route change 192.168.144.0/24 dev eth0 proto kernel scope link src 192.168.144.1 metric 0',
      noCarrier,
    ],
    params: v4,
    steps: [['start', 0, ['eth1 192.168.144.7/24', 'eth1 192.168.144.2/24']]],
  },
  {
    name: 'I7: the longer prefix has no link: another network is not the address’s',
    before: ['address add 192.168.1.1/16 brd + dev eth1', noCarrier],
    params: v4,
    steps: [['start', 1, ['eth1 192.168.1.1/16 brd 192.168.255.255']]],
    says: '192.168.144.2 is on eth0, which has no link',
  },
  {
    name: 'I7: the longer prefix is of an interface that is down',
    before: ['address add 192.168.1.1/16 brd + dev eth1', 'link set eth0 down'],
    params: v4,
    steps: [['start', 1, ['eth1 192.168.1.1/16 brd 192.168.255.255']]],
    says: 'eth0, which is in a network of 192.168.144.2, is down',
  },
])('$name', run);

describe('I8: called without Pacemaker’s words, as drbd-reactor does', () => {
  test('7 has its reason', async () => {
    expect(await net.tsha('monitor', v4)).toMatchObject({
      code: 7,
      reason: '192.168.144.2 is not configured',
    });
  });
  test('a probe of Pacemaker has none', async () => {
    expect(await net.tsha('monitor', { ...v4, CRM_meta_interval: '0' })).toMatchObject({
      code: 7,
      reason: '',
    });
    expect(await net.tsha('monitor', { ...v4, crm_feature_set: '3.19.0' })).toMatchObject({
      code: 7,
      reason: '',
    });
  });
});

test('I9: in a namespace, without `sysctl`: the other addresses stay', async () => {
  await firstOfThree();
  const places = ['/usr/sbin/sysctl', '/sbin/sysctl'].map((file) => `mount --bind /etc/hostname ${file}`);
  const noSysctl: [string, ...string[]] = ['unshare', '-m', 'sh', '-ec', `${places[0]}; exec "$@"`, 'sh'];
  const answer = await wrapped(noSysctl, 'stop', { ...v4, network_namespace: net.node });
  expect(answer, answer.stderr).toMatchObject({ code: 0 });
  expect(await net.added()).toEqual(others);
});
