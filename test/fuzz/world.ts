import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileNameOf } from '../../lib/host/sys/file-names.ts';
import { nativeProgram, setPlaces } from '../../packaging/launcher.ts';
import { agentNames, projectFolder } from '../../packaging/products.ts';
import type { Call, Case, Flavour, Tool, World } from './case.ts';

// The machine of a run: namespaces of a user without any right outside of them, who is root inside. Its devices, its kernel's settings
// and its file systems are closed to that user; what can be written is made for the run and gone with it.

/** What the judge and the sandbox share, as the sandbox sees it. */
const shared = '/mnt';

export type Workshop = { readonly dir: string; readonly uid: (worker: number) => number | undefined };

/** Executables and tools that every run needs, and a place for what it writes. */
export function makeWorkshop(dir: string, builds: readonly Flavour[]): Workshop {
  const isRoot = process.getuid?.() === 0;
  mkdirSync(join(dir, 'bin'));
  mkdirSync(join(dir, 'tools'));
  mkdirSync(join(dir, 'out'));
  // the sandbox' own, for those of the machine may be replaced
  for (const name of ['cat', 'find', 'mkdir', 'mkfifo', 'prlimit', 'rm', 'rmdir', 'sleep'])
    copyFileSync(join('/usr/bin', name), join(dir, 'bin', name));
  if (builds.includes('script')) copyFileSync(process.execPath, join(dir, 'bin/node'));
  for (const flavour of builds) {
    const to = join(dir, flavour);
    mkdirSync(to);
    const from = join(projectFolder, flavour === 'native' ? 'dist/native' : 'dist');
    for (const name of agentNames) {
      const places = flavour === 'script' ? { runtime: join(shared, 'bin/node') } : {};
      writeFileSync(join(to, name), setPlaces(readFileSync(join(from, name), 'utf8'), places));
      chmodSync(join(to, name), 0o755);
    }
    if (flavour === 'native') cpSync(join(from, nativeProgram), join(to, nativeProgram));
  }
  for (const [name, text] of Object.entries(tools)) {
    writeFileSync(join(dir, 'tools', name), text);
    chmodSync(join(dir, 'tools', name), 0o755);
  }
  chmodSync(dir, 0o755);
  // limits of processes are counted by user: every worker is one
  return { dir, uid: (worker) => (isRoot ? 1_700_000_000 + worker : undefined) };
}

const tools: Readonly<Record<Tool, string>> = {
  false: '#!/bin/sh\nexit 1\n',
  true: '#!/bin/sh\nexit 0\n',
  garbage: "#!/bin/sh\nprintf '[{\"\\377\\001 %%s\\n\\n:::/ 0 -1 {}\\n'\nprintf 'odd\\377\\n' >&2\nexit 3\n",
  flood: "#!/bin/sh\nwhile :; do printf '%8000s' x; done\n",
  hang: '#!/bin/sh\nexec sleep 600\n',
  killed: '#!/bin/sh\nkill -SEGV $$\n',
};

/** The command that makes the namespaces and runs a script in them. */
export function sandboxCommand(uid: number | undefined): readonly [string, ...string[]] {
  const unshare = ['unshare', '-Urmnpif', '--mount-proc', '--kill-child', 'sh', '-s'] as const;
  if (uid === undefined) return unshare;
  return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...unshare];
}

/** Where a run's files are, for whoever is outside. */
export function outputOf(workshop: Workshop, worker: number): string {
  const dir = join(workshop.dir, 'out', String(worker));
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const uid = workshop.uid(worker);
  if (uid !== undefined) chownSync(dir, uid, uid);
  return dir;
}

/** Everything that the sandbox does. Bytes, for values need not be text. */
export function script(one: Case, workshop: Workshop, worker: number): Buffer {
  const pieces: (string | Buffer)[] = [preamble(workshop, worker), machine(one), 'snap 0\n'];
  for (const [at, call] of one.calls.entries()) pieces.push(...callText(one, call, at + 1));
  pieces.push('echo end >>"$out/codes"\n');
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

const preamble = (workshop: Workshop, worker: number): string => `
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount --bind ${workshop.dir} ${shared}
out=${shared}/out/${worker}
exec 2>"$out/sandbox"
${shared}/bin/cat /proc/self/mountinfo >"$out/mounts.host"
now() { read -r up rest </proc/uptime; }
# processes that are not this shell's: zombies do not count
living() {
  found=
  for one in /proc/[0-9]*; do
    [ "$one" != /proc/1 ] || continue
    read -r line <"$one/stat" || continue
    case \${line##*) } in Z* | X*) ;; *) found="$found \${one#/proc/} \${line%)*})" ;; esac
  done
}
settled() {
  for pause in 0.02 0.05 0.1 0.2 0.5 1; do
    living
    [ -n "$found" ] || return
    [ "$found" != "$before" ] || return
    ${shared}/bin/sleep $pause
  done
}
snap() {
  ${shared}/bin/cat /proc/self/mountinfo /proc/net/fib_trie /proc/net/if_inet6 >"$out/kernel.$1"
  ${shared}/bin/find /run /tmp /var/lib/nfs -printf '%p\\t%y\\t%s\\t%T@\\0' >"$out/files.$1"
}
`;

const canary = ['passwd', 'evil.js', 'evil.sh', 'sub/file'];

function machine({ agent, world, calls }: Case): string {
  const instance = calls[0]?.env.get('OCF_RESOURCE_INSTANCE')?.toString('latin1') ?? 'default';
  // what is no text is a name that litter need not have
  const page = `/run/resource-agents/tsha/${agent.name}-${/^[\x20-\x7e]+$/.test(instance) ? fileNameOf(instance) : 'x'}.json`;
  const needsNetwork = ['IPaddr2', 'nfsnotify'].includes(agent.name);
  return [
    `mount -t tmpfs -o mode=1777 tmpfs /tmp`,
    `mount -t tmpfs -o mode=755,${world.run === 'no inodes' ? 'nr_inodes=16' : 'size=256k'} tmpfs /run`,
    '[ ! -d /var/lib/nfs ] || mount -t tmpfs -o mode=755 tmpfs /var/lib/nfs',
    'mount -t tmpfs tmpfs /dev/shm',
    'mkdir -p /tmp/canary/sub /tmp/src/below /tmp/other /tmp/log /run/resource-agents/tsha',
    ...canary.map((name) => `echo ${name} >/tmp/canary/${name}`),
    'echo "echo >/tmp/canary/obeyed" >/tmp/canary/evil.sh',
    'ln -s /tmp/canary /tmp/link',
    'mkfifo /tmp/fifo',
    ...(needsNetwork
      ? [
          "printf 'link set lo up\\nlink add eth0 type veth peer name other\\nlink set eth0 up\\nlink set other up\\naddress add 10.0.0.1/24 dev eth0\\n' | ip -batch -",
        ]
      : []),
    ...(world.hasSystemd ? ['mkdir -p /run/systemd/system'] : []),
    ...litterText(world.litter, page),
    ...runText(world.run),
    ...(world.hasSbin ? [] : ['mount -t tmpfs tmpfs /usr/sbin']),
    // mount last: it is what replaces them
    ...[...world.tools]
      .sort(([name]) => (name === 'mount' ? 1 : -1))
      .map(([name, tool]) => `at=$(command -v ${name}) && mount --bind ${shared}/tools/${tool} "$at"`),
    '',
  ].join('\n');
}

function litterText(litter: World['litter'], page: string): readonly string[] {
  switch (litter) {
    case 'nothing':
      return [];
    case 'garbage':
      return [`printf '{"bootId":\\377 x' >'${page}'`];
    case 'empty':
      return [`printf '' >'${page}'`];
    case 'another boot':
      return [`echo '{"bootId":"another","params":{"ip":"10.0.0.66"},"facts":{}}' >'${page}'`];
    case 'directory':
      return [`mkdir '${page}'`];
    case 'link':
      return [`ln -s /tmp/canary/passwd '${page}'`];
    case 'draft':
      return [`echo x >'${page}.tsha-99999'`];
  }
}

function runText(run: World['run']): readonly string[] {
  switch (run) {
    case 'roomy':
      return [];
    case 'full':
      return [`${shared}/bin/cat /dev/zero >/run/filled`];
    case 'no inodes':
      return ['for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do mkdir /run/filled$n; done'];
    case 'read-only':
      return ['mount -o remount,ro,bind /run'];
  }
}

const quoted = (value: Buffer): Buffer =>
  Buffer.from(`'${value.toString('latin1').replaceAll("'", "'\\''")}'`, 'latin1');

/** The executable, as it is called. */
export const executable = ({ flavour, agent }: Case): string => `${shared}/${flavour}/${agent.name}`;

function callText(one: Case, call: Call, at: number): (string | Buffer)[] {
  const exports = [...call.env].flatMap(([name, value]) => [`export ${name}=`, quoted(value), '\n']);
  const limits =
    call.limits.length > 0
      ? `${shared}/bin/prlimit --core=0 ${call.limits.map((limit) => `--${limit}`).join(' ')} `
      : '';
  const outlets = { 1: call.stdout, 2: call.stderr } as const;
  const isStuck = Object.values(outlets).includes('stuck');
  const to = ([fd, outlet]: [string, Call['stdout']]): string =>
    ({
      kept: `${fd}>"$out/${fd}.${at}"`,
      closed: `${fd}>&-`,
      'full disk': `${fd}>/dev/full`,
      stuck: `${fd}>&8`,
    })[outlet];
  return [
    'living; before=$found; now; began=$up\n(\n',
    // a pipe holds 64 KiB
    isStuck ? `${shared}/bin/mkfifo /dev/shm/stuck; exec 8<>/dev/shm/stuck; printf '%65536s' '' >&8\n` : '',
    call.cwd === '/tmp/gone'
      ? `${shared}/bin/mkdir -p /tmp/gone; cd /tmp/gone; ${shared}/bin/rmdir /tmp/gone\n`
      : `cd ${call.cwd}\n`,
    `umask ${call.umask}\n`,
    ...exports,
    `exec ${limits}${executable(one)} '${call.action}' ${call.stdin} ${Object.entries(outlets).map(to).join(' ')}\n)\n`,
    `code=$?; now; settled\necho "${at} $code $began $up$found" >>"$out/codes"\nsnap ${at}\n`,
    isStuck ? `${shared}/bin/rm -f /dev/shm/stuck\n` : '',
  ];
}

export const fileIn = (dir: string, name: string): Buffer => {
  try {
    return readFileSync(join(dir, name));
  } catch {
    return Buffer.alloc(0);
  }
};
