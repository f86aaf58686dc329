import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';

// A server and a client, each in network, mount and pid namespaces of its own, each with a real rpcbind and a real rpc.statd. Locks
// are not needed for the truth that counts here: what the client's statd says it received, and from where.

const serial = `${process.pid}`;
const machines = { server: '192.0.2.20', client: '192.0.2.51' } as const;
type Machine = keyof typeof machines;
const namespace = (machine: Machine) => `tsha-nsm-${machine}-${serial}`;

const setup = `
mount -t tmpfs run /run; mount -t tmpfs state /var/lib/nfs
mkdir -p /run/rpcbind /run/agents /var/lib/nfs/sm /var/lib/nfs/sm.bak
chown statd:nogroup /var/lib/nfs/sm /var/lib/nfs/sm.bak
mount --bind "$1/hosts" /etc/hosts
rpcbind -w
rpc.statd --no-notify -F -d 2>> "$1/$2.log" &
while [ ! -s /run/rpc.statd.pid ]; do sleep 0.05; done
echo ready
exec sleep infinity
`;

let folder = '';
let agent = '';
const holders = new Map<Machine, ReturnType<typeof boot>>();

const boot = (machine: Machine) =>
  execa(
    'ip',
    [
      ...['netns', 'exec', namespace(machine), 'unshare', '-m', '-p', '-f', '--kill-child', '--mount-proc'],
      ...['sh', '-ec', setup, 'sh', folder, machine],
    ],
    { stdin: 'ignore', reject: false, cwd: '/' },
  );

async function inside(machine: Machine, script: string, env: NodeJS.ProcessEnv = {}) {
  const first = String(firstProcess(holders.get(machine)?.pid));
  return execa('nsenter', ['-t', first, '-m', '-p', '-n', '--', 'sh', '-c', script], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    extendEnv: false,
    reject: false,
    cwd: '/',
    timeout: 200_000,
  });
}

/** `ip netns exec` becomes unshare, whose child is number 1 of a pid namespace of its own. */
function firstProcess(unshare: number | undefined): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const status = statusOf(pid);
    if (status?.get('PPid') === String(unshare) && status.get('NSpid')?.endsWith('\t1')) return Number(pid);
  }
  throw new Error(`process ${unshare} has no child that is the first of a namespace`);
}

/** The lines of /proc/PID/status; `undefined` for a process that is gone. */
function statusOf(pid: string): ReadonlyMap<string, string> | undefined {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
    return new Map(lines.map((line) => [line.replace(/:.*/, ''), line.replace(/^[^:]*:\t/, '')] as const));
  } catch {
    return undefined;
  }
}

/** The process in the background that the agent remembers, by its number in the server's namespace. */
async function sender(): Promise<{ readonly pid: number; readonly startTime: number } | undefined> {
  const { stdout } = await inside('server', 'cat /run/agents/tsha/nfsnotify-nfs-notify.json');
  return JSON.parse(stdout).facts.sender;
}

/** Fields 3 and 22 of /proc/PID/stat, as far behind the name: a process by what tells it from a later one of its number. */
async function isThere({ pid, startTime }: { readonly pid: number; readonly startTime: number }) {
  const { stdout } = await inside('server', `cat /proc/${pid}/stat`);
  const fields = stdout.replace(/^.*\) /, '').split(' ');
  return fields[0] !== 'Z' && Number(fields[19]) === startTime;
}

async function call(action: string, params: Readonly<Record<string, string>>) {
  const given = Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
  const { exitCode, stderr } = await inside('server', `exec ${process.execPath} ${agent} ${action}`, {
    OCF_RESOURCE_INSTANCE: 'nfs-notify',
    HA_RSCTMP: '/run/agents',
    ...Object.fromEntries(given),
  });
  return { code: exitCode, reason: /ocf-exit-reason:(.*)$/m.exec(stderr)?.[1] ?? '', stderr };
}

const record = (client: string) => `0100007f 000186b5 00000003 00000010 ${'a5'.repeat(16)} ${client} other`;
const waits = (file: string, client: string) =>
  inside('server', `echo "${record(client)}" > /var/lib/nfs/sm.bak/${file}`);
const waiting = async () => (await inside('server', 'ls /var/lib/nfs/sm.bak')).stdout;
/** What the client's rpc.statd wrote down, once it has written as much: it answers first. */
async function received(count: number): Promise<readonly string[]> {
  const lines = () =>
    readFileSync(join(folder, 'client.log'), 'utf8').match(/Received SM_NOTIFY from .*/g) ?? [];
  await expect.poll(() => lines().length, { timeout: 100_000 }).toBeGreaterThanOrEqual(count);
  return lines();
}

beforeAll(async () => {
  agent = await agentUnderTest('nfsnotify');
  folder = await mkdtemp(join(tmpdir(), 'tsha-nsm-'));
  await writeFile(join(folder, 'hosts'), '127.0.0.1 localhost\n');
  for (const machine of ['server', 'client'] as const)
    await execa('ip', ['netns', 'add', namespace(machine)]);
  const ip = (machine: Machine, line: string) => execa('ip', ['-n', namespace(machine), ...line.split(' ')]);
  await ip('server', `link add veth0 type veth peer name veth0 netns ${namespace('client')}`);
  for (const machine of ['server', 'client'] as const) {
    await ip(machine, 'link set lo up');
    await ip(machine, `address add ${machines[machine]}/24 dev veth0`);
    await ip(machine, 'link set veth0 up');
    const holder = boot(machine);
    holders.set(machine, holder);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
  }
});

afterAll(async () => {
  for (const [machine, holder] of holders) {
    holder.kill('SIGKILL');
    await holder;
    await execa('ip', ['netns', 'del', namespace(machine)]);
  }
  await rm(folder, { recursive: true, force: true });
});

describe('nfsnotify with a real rpcbind and rpc.statd on either side', () => {
  const source = { source_host: machines.server };

  test('the client hears from the address of the service, which needs no host name', async () => {
    expect((await call('monitor', source)).code).toBe(7);
    await waits('client.example.com', machines.client);
    expect(await call('start', source)).toMatchObject({ code: 0 });
    expect(await received(1)).toEqual([expect.stringMatching(/from 192\.0\.2\.20, state: \d*[13579]$/)]);
    expect(await waiting()).toBe('');
    expect((await call('monitor', source)).code).toBe(0);
    expect((await call('start', source)).code).toBe(0);
    expect(await received(1)).toHaveLength(1);
    expect((await call('stop', source)).code).toBe(0);
    expect((await call('monitor', source)).code).toBe(7);
  });

  test('a client that is away is told again by a process that stop ends, and that holds no file of the state directory', async () => {
    await waits('away', '192.0.2.77');
    await waits('here', machines.client);
    expect((await call('start', source)).code).toBe(0);
    expect(await waiting()).toBe('away');
    const left = await sender();
    if (!left) throw new Error('nobody was left to tell the client that is away');
    expect(await isThere(left)).toBe(true);
    const { stdout: what } = await inside('server', `tr '\\0' ' ' < /proc/${left.pid}/cmdline`);
    expect(what).toContain('reload');
    const files = await inside('server', `ls -l /proc/${left.pid}/cwd /proc/${left.pid}/fd`);
    expect(files.stdout).not.toContain('/var/lib/nfs');
    expect((await call('stop', source)).code).toBe(0);
    expect(await isThere(left)).toBe(false);
    const states = (await received(2)).map((line) => Number(line.split(' ').at(-1)));
    expect(states[1]).toBeGreaterThan(states[0] ?? Number.POSITIVE_INFINITY);
    await inside('server', 'rm /var/lib/nfs/sm.bak/away');
  });

  test('an address that is not here is named, and not remembered as notified', async () => {
    await waits('here', machines.client);
    const result = await call('start', { source_host: '192.0.2.99' });
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('192.0.2.99 is not an address'),
    });
    expect((await call('monitor', { source_host: '192.0.2.99' })).code).toBe(7);
    expect(await waiting()).toBe('here');
    expect((await call('stop', source)).code).toBe(0);
  });

  test('N3: a name whose first address is elsewhere: the client hears from the one that is here', async () => {
    await inside(
      'server',
      'cat > /etc/hosts <<.\n127.0.0.1 localhost\nfd00::99 nfs.example.com\n192.0.2.20 nfs.example.com\n.',
    );
    await waits('here', machines.client);
    expect(await call('start', { source_host: 'nfs.example.com' })).toMatchObject({ code: 0 });
    expect(await waiting()).toBe('');
    expect((await received(3)).at(-1)).toContain('from 192.0.2.20');
    expect((await call('stop', source)).code).toBe(0);
  });

  test('when rpc.statd ends, the monitor fails and names it', async () => {
    expect((await call('start', source)).code).toBe(0);
    await inside(
      'server',
      'read pid < /run/rpc.statd.pid; kill $pid; while [ -e /proc/$pid/exe ]; do sleep 0.05; done',
    );
    expect(await call('monitor', source)).toMatchObject({
      code: 1,
      reason: expect.stringMatching(/rpc.statd \(pid \d+\)/),
    });
    expect(await call('start', source)).toMatchObject({
      code: 1,
      reason: expect.stringContaining('not running'),
    });
  });
});
