import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { agentUnderTest } from '../agent-under-test.ts';
import { installedStock } from '../stock.ts';

type Params = { readonly [name: string]: string | number };
export type Answer = { readonly code: number | undefined; readonly reason: string; readonly stderr: string };

/**
 * A machine without systemd: network, mount, UTS and process namespaces of its own, with a shared disk, the real rpcbind,
 * rpc.statd and rpc.mountd, and an init script. This kernel has no nfsd: its files are plain ones, and the script fills them.
 */
export type NfsSandbox = {
  /** The filesystem that moves with the service; its files are seen from outside, too. */
  readonly disk: string;
  /** A folder on root's path. */
  readonly programs: string;
  sh(script: string): Promise<string>;
  ours(action: string, params?: Params): Promise<Answer>;
  stock(action: string, params?: Params): Promise<Answer>;
  /** The commands that our action executed, under strace. */
  traced(action: string, params?: Params): Promise<readonly string[]>;
  close(): Promise<void>;
};

const setup = `
mount --make-rprivate /
for place in etc var/lib; do
  mkdir -p "$1/upper/$place" "$1/work/$place"
  mount -t overlay -o "lowerdir=/$place,upperdir=$1/upper/$place,workdir=$1/work/$place" overlay "/$place"
done
mount -t tmpfs run /run
mkdir -p /run/rpcbind /run/agents
mount -t tmpfs disk "$1/disk"
mount -t tmpfs kernel /proc/fs/nfsd
echo 0 > /proc/fs/nfsd/threads
for number in nfsv4leasetime nfsv4gracetime; do echo 90 > /proc/fs/nfsd/$number; done
echo '-2 +3 +4 +4.1 +4.2' > /proc/fs/nfsd/versions
echo Y > /proc/fs/nfsd/v4_end_grace
echo 1 > /run/leases-enable # this machine's own is not ours
mount --bind /run/leases-enable /proc/sys/fs/leases-enable
rm -f /etc/init.d/nfs /etc/init.d/nfsserver /etc/init.d/rpcbind
cp "$1/script" /etc/init.d/nfs-kernel-server
hostname node1
ip link set lo up
echo ready
while :; do sleep 0.2; done # and reaps what daemons leave behind
`;

/** What an init script of a distribution does, as far as this kernel goes. */
const script = `#!/bin/sh
case $1 in
  start)
    hostname > /run/scope-of-nfsd
    pidof rpc.mountd > /dev/null || rpc.mountd
    echo 8 > /proc/fs/nfsd/threads;;
  stop)
    kill $(pidof rpc.mountd) 2> /dev/null
    echo 0 > /proc/fs/nfsd/threads;;
  status) [ "$(cat /proc/fs/nfsd/threads)" -gt 0 ] || exit 3;;
esac
`;

/** Stand-ins for what needs a kernel with nfsd: rpc_pipefs, and two daemons on it. */
const mountCommand = `#!/bin/sh
case " $* " in *" rpc_pipefs "*|*" nfsd "*) exit 0;; esac
exec /usr/bin/mount "$@"
`;
const daemon = (folder: string, name: string) => `#!/bin/sh
${folder}/lib/${name} infinity > /dev/null 2>&1 < /dev/null &
`;

export async function openNfsSandbox(): Promise<NfsSandbox> {
  const folder = mkdtempSync(join(tmpdir(), 'tsha-nfsserver-'));
  const namespace = `tsha-nfsserver-${folder.slice(-6)}`;
  for (const name of ['bin', 'lib', 'disk']) mkdirSync(join(folder, name));
  const program = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };
  program('script', script);
  program('bin/mount', mountCommand);
  for (const name of ['nfsdcld', 'rpc.idmapd']) {
    program(`bin/${name}`, daemon(folder, name));
    copyFileSync('/usr/bin/sleep', join(folder, 'lib', name));
  }
  const agent = await agentUnderTest('nfsserver');

  await execa('ip', ['netns', 'add', namespace]);
  const holder = execa(
    'ip',
    [
      ...['netns', 'exec', namespace, 'unshare', '-m', '-u', '-p', '-f', '--kill-child', '--mount-proc'],
      ...['sh', '-ec', setup, 'sandbox', folder],
    ],
    { stdin: 'ignore', reject: false, cwd: '/' },
  );
  await Promise.race([
    new Promise((resolve) => holder.stdout.once('data', resolve)),
    holder.then(({ stderr }) => Promise.reject(new Error(`no sandbox: ${stderr}`))),
  ]);
  const { stdout: first } = await execa('pgrep', ['-P', String(holder.pid)]);

  const inside = (argv: readonly string[]) => ['-t', first, '-m', '-u', '-p', '-n', '--', ...argv];
  const envOf = (params: Params) => ({
    PATH: `${folder}/bin:${folder}/lib:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    OCF_ROOT: '/usr/lib/ocf',
    OCF_FUNCTIONS_DIR: installedStock.functions,
    OCF_RA_VERSION_MAJOR: '1',
    OCF_RESOURCE_INSTANCE: 'nfs',
    OCF_RESOURCE_TYPE: 'nfsserver',
    OCF_RESKEY_CRM_meta_timeout: '40000',
    HA_RSCTMP: '/run/agents',
    ...Object.fromEntries(
      Object.entries(params).map(([name, value]) => [
        name === name.toUpperCase() ? name : `OCF_RESKEY_${name.replace(/^meta_/, 'CRM_meta_')}`,
        String(value),
      ]),
    ),
  });
  async function call(argv: readonly string[], params: Params): Promise<Answer> {
    const done = await execa('nsenter', inside(argv), {
      reject: false,
      extendEnv: false,
      cwd: '/',
      stdin: 'ignore',
      timeout: 200_000,
      env: envOf(params),
    });
    return {
      code: done.exitCode,
      reason: /ocf-exit-reason:(.*)/.exec(done.stderr)?.[1] ?? '',
      stderr: done.stderr,
    };
  }
  const ours = [process.execPath, agent];
  return {
    disk: join(folder, 'disk'),
    programs: join(folder, 'lib'),
    async sh(text) {
      const options = { cwd: '/', stdin: 'ignore', reject: false } as const;
      return (await execa('nsenter', inside(['sh', '-c', text]), options)).stdout;
    },
    ours: (action, params = {}) => call([...ours, action], params),
    stock: (action, params = {}) => call([join(installedStock.agents, 'nfsserver'), action], params),
    async traced(action, params = {}) {
      const file = join(folder, 'strace');
      await call(['strace', '-f', '-qq', '-o', file, '-e', 'trace=execve', ...ours, action], params);
      const lines = readFileSync(file, 'utf8').split('\n');
      const commands = lines.flatMap((line) => /execve\("([^"]+)".*= 0$/.exec(line)?.[1] ?? []);
      return commands.filter((command) => command !== process.execPath);
    },
    async close() {
      holder.kill('SIGKILL');
      await holder;
      await execa('ip', ['netns', 'del', namespace]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
