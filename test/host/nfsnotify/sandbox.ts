import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished } from 'vitest';

// A server and a client, each in network, mount and pid namespaces of its own, each with a real rpcbind and a real rpc.statd. On a
// network of their own, the far one, are machines on which others are root.

export const addresses = { server: '192.0.2.20', client: '192.0.2.51' } as const;
type Machine = keyof typeof addresses;
const machines = Object.keys(addresses) as readonly Machine[];
export const farAddress = (host: number): string => `198.51.100.${host}`;

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

const path = '/usr/sbin:/usr/bin:/sbin:/bin';

export type Params = Readonly<Record<string, string>>;
export type Sandbox = Awaited<ReturnType<typeof sandbox>>;

export async function sandbox() {
  const serial = `${process.pid}`;
  const namespace = (name: Machine | 'far') => `tsha-nsm-${name}-${serial}`;
  const ip = (name: Machine | 'far', line: string) =>
    execa('ip', ['-n', namespace(name), ...line.split(' ')]);
  const folder = await mkdtemp(join(tmpdir(), 'tsha-nsm-'));
  await writeFile(join(folder, 'hosts'), '127.0.0.1 localhost\n');
  for (const name of [...machines, 'far'] as const) {
    await execa('ip', ['netns', 'add', namespace(name)]);
    await ip(name, 'link set lo up');
  }
  await ip('server', `link add veth0 type veth peer name veth0 netns ${namespace('client')}`);
  await ip('server', `link add veth1 type veth peer name veth1 netns ${namespace('far')}`);
  for (const machine of machines) {
    await ip(machine, `address add ${addresses[machine]}/24 dev veth0`);
    await ip(machine, 'link set veth0 up');
  }
  await ip('server', `address add ${farAddress(20)}/24 dev veth1`);
  await ip('server', 'link set veth1 up');
  await ip('far', 'link set veth1 up');
  await ip('far', `address add ${farAddress(1)}/24 dev veth1`);
  await ip('far', `route add ${addresses.server} dev veth1`);

  const boot = (machine: Machine) =>
    execa(
      'ip',
      [
        ...['netns', 'exec', namespace(machine)],
        ...['unshare', '-m', '-p', '-f', '--kill-child', '--mount-proc'],
        ...['sh', '-ec', setup, 'sh', folder, machine],
      ],
      { stdin: 'ignore', reject: false, cwd: '/' },
    );
  const holders = new Map<Machine, ReturnType<typeof boot>>();
  for (const machine of machines) {
    const holder = boot(machine);
    holders.set(machine, holder);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
  }

  async function inside(machine: Machine, script: string, env: NodeJS.ProcessEnv = {}) {
    const first = String(firstProcess(holders.get(machine)?.pid));
    return execa('nsenter', ['-t', first, '-m', '-p', '-n', '--', 'sh', '-c', script], {
      env: { PATH: path, ...env },
      extendEnv: false,
      reject: false,
      cwd: '/',
      timeout: 200_000,
    });
  }
  const onServer = async (script: string): Promise<string> => String((await inside('server', script)).stdout);

  return {
    onServer,

    /** Calls an agent, which is a command of the shell. */
    async call(agent: string, action: string, params: Params, env: NodeJS.ProcessEnv = {}) {
      const given = Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
      const { exitCode, stderr } = await inside('server', `exec ${agent} ${action}`, {
        OCF_RESOURCE_INSTANCE: 'nfs-notify',
        HA_RSCTMP: '/run/agents',
        ...Object.fromEntries(given),
        ...env,
      });
      const text = String(stderr);
      return { code: exitCode, reason: /ocf-exit-reason:(.*)$/m.exec(text)?.[1] ?? '', stderr: text };
    },

    waits: (file: string, client: string) =>
      onServer(`echo "${record(client)}" > /var/lib/nfs/sm.bak/${file}`),
    waiting: async () => (await onServer('ls /var/lib/nfs/sm.bak')).split('\n').filter(Boolean),

    /** What the client's rpc.statd wrote down, once it has written as much: it answers first. */
    async received(count: number): Promise<readonly string[]> {
      const lines = () =>
        readFileSync(join(folder, 'client.log'), 'utf8').match(/Received SM_NOTIFY from .*/g) ?? [];
      await expect.poll(() => lines().length, { timeout: 100_000 }).toBeGreaterThanOrEqual(count);
      return lines();
    },

    /** Machines of others, by the last number of their addresses: what `liars.cjs` has them say, or `nothing at all`. */
    async far(hosts: Readonly<Record<number, string>>): Promise<void> {
      const all = Object.entries(hosts).map(([host, what]) => [farAddress(Number(host)), what] as const);
      for (const [address] of all) await ip('far', `address replace ${address}/24 dev veth1`);
      const talking = all.filter(([, what]) => what !== 'nothing at all').map((one) => one.join('='));
      if (talking.length === 0) return;
      const script = join(import.meta.dirname, 'liars.cjs');
      const process_ = execa(
        'ip',
        ['netns', 'exec', namespace('far'), process.execPath, script, ...talking],
        {
          stdin: 'ignore',
          reject: false,
        },
      );
      onTestFinished(async () => {
        process_.kill('SIGKILL');
        await process_;
      });
      await new Promise((resolve) => process_.stdout.once('data', resolve));
    },

    async destroy(): Promise<void> {
      for (const holder of holders.values()) {
        holder.kill('SIGKILL');
        await holder;
      }
      for (const name of [...machines, 'far'] as const) await execa('ip', ['netns', 'del', namespace(name)]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const record = (client: string) => `0100007f 000186b5 00000003 00000010 ${'a5'.repeat(16)} ${client} other`;

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
