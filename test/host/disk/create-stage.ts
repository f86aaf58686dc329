import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { projectFolder } from '../../../packaging/products.ts';
import { loopOf } from '../loop.ts';

// `tsha drbd create` on real disks, with DRBD and the other node played by shell scripts that write down what they are called with.

const mib = 1024 * 1024;
export const [here, there] = [hostname(), 'tsha-peer'];
let count = 0;

export type Played = { readonly [program: string]: string };

/** Two disks that hold nothing, a configuration that gives them to DRBD, and the programs. */
export async function stage(played: Played = {}, change = (yaml: string) => yaml) {
  const dir = mkdtempSync(join(tmpdir(), 'tsha-create-'));
  const at = (name: string) => join(dir, name);
  for (const name of ['bin', 'drbd.d']) mkdirSync(at(name));
  const loops: string[] = [];
  const devices = [0, 1].map(() => `/dev/drbd${90_000 + (process.pid % 1000) * 8 + (count++ % 8)}`);
  onTestFinished(async () => {
    for (const device of devices) rmSync(device, { force: true });
    for (const loop of loops) await execa('losetup', ['--detach', loop], { reject: false });
    rmSync(dir, { recursive: true });
  });
  for (const [index, device] of devices.entries()) {
    writeFileSync(at(`image${index}`), '');
    truncateSync(at(`image${index}`), 320 * mib);
    const loop = await loopOf(at(`image${index}`));
    loops.push(loop);
    symlinkSync(loop, device); // DRBD's device shows what is on the disk below
  }
  const [disk = '', state = ''] = loops;
  const yaml = `version: 1
nodes: { ${here}: { replication: 10.0.1.1 }, ${there}: { replication: 10.0.1.2 } }
drbd: { resource: data, device: ${devices[0]}, disk: ${disk} }
filesystem: { directory: /srv/nfs }
state: { device: ${devices[1]}, disk: ${state}, directory: /srv/nfs-state }
address: { ip: 10.0.0.9/24 }
exports: [{ directory: /srv/nfs/home, clients: [10.0.0.0/24], fsid: 1 }]
`;
  writeFileSync(at('tsha.yaml'), change(yaml));
  const bytes = 320 * mib;
  const answer = (generation: number, size: number) =>
    JSON.stringify({ generation, disks: [disk, state].map((path) => ({ path, bytes: size })) });
  const programs: Played = {
    modprobe: '',
    modinfo: 'echo 8.4.11',
    drbdsetup: 'echo "# nothing"',
    drbdadm: `case "$*" in
cstate*) printf 'Connected\\nConnected\\n' ;;
dstate*) if [ -e ${at('primary')} ]; then printf 'UpToDate/UpToDate\\nUpToDate/UpToDate\\n'; else printf 'Inconsistent/Inconsistent\\nInconsistent/Inconsistent\\n'; fi ;;
primary*) touch ${at('primary')} ;;
esac`,
    ssh: `cat > /dev/null; echo '${answer(8, bytes)}'`,
    ...Object.fromEntries(
      Object.entries(played).map(([name, script]) => [
        name,
        script
          .replace('ANSWER8', answer(8, bytes))
          .replace('ANSWER9', answer(9, bytes))
          .replace('SMALLER', answer(8, bytes - mib))
          .replaceAll('JOURNAL', at('journal'))
          .replaceAll('DISK', disk),
      ]),
    ),
  };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(at(`bin/${name}`), `#!/bin/sh\necho "${name} $*" >> ${at('journal')}\n${script}\n`);
    chmodSync(at(`bin/${name}`), 0o755);
  }
  const begin = (...words: readonly string[]) => {
    // /run/tsha: who else tries this command on this machine is nobody's business
    const mounts = [`--bind ${at('drbd.d')} /etc/drbd.d`, '-t tmpfs srv /srv', '-t tmpfs tsha /run/tsha'];
    const line = [...mounts.map((words) => `/bin/mount ${words}`), 'exec "$@"'].join(' && ');
    // not tsx's own command: it sends a signal on a second and a third time, where the answer takes more than 30 ms
    const tsha = [process.execPath, '--import', 'tsx', join(projectFolder, 'cli/main.ts')];
    const all = ['-m', '--propagation', 'private', 'sh', '-c', line, 'sh', ...tsha, 'drbd', 'create'];
    return execa('unshare', [...all, '-c', at('tsha.yaml'), ...words], {
      reject: false,
      stdin: 'ignore',
      detached: true, // a process group of its own, which a terminal would signal
      env: { PATH: `${at('bin')}:${process.env['PATH']}`, LC_ALL: 'C.UTF-8' },
    });
  };
  const call = async (...words: readonly string[]) => {
    const done = await begin(...words);
    return { code: done.exitCode, said: `${done.stdout}\n${done.stderr}` };
  };
  /** The signals, as a terminal sends them: the first as soon as a line says so, the others as soon as it is being taken back. */
  const interruptedAt = async (sentence: string, signals: readonly NodeJS.Signals[] = ['SIGINT']) => {
    const child = begin('-y');
    const send = (signal: NodeJS.Signals) => child.pid !== undefined && process.kill(-child.pid, signal);
    const [first, ...others] = signals;
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      if (said.includes(sentence)) return;
      said += String(text);
      if (!first || !said.includes(sentence)) return;
      send(first);
      if (others.length === 0) return;
      const poll = setInterval(() => {
        if (!journal().includes('drbdadm down')) return;
        clearInterval(poll);
        for (const signal of others) send(signal);
      }, 10);
      onTestFinished(() => clearInterval(poll));
    });
    const done = await child;
    return { code: done.exitCode, said: `${done.stdout}\n${done.stderr}` };
  };
  /** Ctrl-C as soon as such a line is in the journal: its program is running then. */
  const interruptedIn = async (line: string) => {
    const child = begin('-y');
    const poll = setInterval(() => {
      if (!journal().includes(line) || child.pid === undefined) return;
      clearInterval(poll);
      process.kill(-child.pid, 'SIGINT');
    }, 10);
    onTestFinished(() => clearInterval(poll));
    const done = await child;
    return { code: done.exitCode, said: `${done.stdout}\n${done.stderr}` };
  };
  const journal = () => {
    try {
      return readFileSync(at('journal'), 'utf8');
    } catch {
      return '';
    }
  };
  return { at, disk, state, devices, call, interruptedAt, interruptedIn, journal };
}
export type Stage = Awaited<ReturnType<typeof stage>>;

for (const dir of ['/etc/drbd.d', '/run/tsha']) mkdirSync(dir, { recursive: true, mode: 0o755 });
