import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeSys, nodeSys } from '../../lib/host/sys/node-sys.ts';
import type { Command, Output } from '../../lib/host/sys/sys.ts';

// What becomes of programs that are started, with real processes: in the runtime that loads this file.

const dir = mkdtempSync(join(tmpdir(), 'tsha-children-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
const inDir = (name: string, text: string, mode: number) => {
  const file = join(dir, name);
  writeFileSync(file, text, { mode });
  return file;
};
const notExecutable = inDir('not-executable', '#!/bin/sh\n', 0o644);
const badInterpreter = inDir('bad-interpreter', '#!/no/such/shell\n', 0o755);
inDir('only-here', '#!/bin/sh\necho found\n', 0o755);
const hugeArgument = 'x'.repeat(300_000); // more than MAX_ARG_STRLEN, 128 KiB

const env = {
  PATH: `${process.env['PATH']}:${dir}`,
  NODE_OPTIONS: '--no-such-option',
  BUN_OPTIONS: '--no-such-option',
  LANG: 'zh_CN.UTF-8',
  KEPT: 'yes',
};
const sh = (script: string) => ['sh', '-c', script] as const;

const hasEnded = (pid: number) => {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};
/** Longer than anything here takes, on however slow a machine, in milliseconds. */
const patienceMs = 100_000;

/** Whether it comes true, on however slow a machine. */
async function soon(done: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 5000 && !done(); tries++) await sleep(20);
  return done();
}

type Story = (sys: NodeSys) => Promise<unknown>;

/** What a command gave, without what is as expected. */
const ran =
  (command: Omit<Command, 'timeoutMs'>): Story =>
  async (sys) => {
    const { code, stdout, stderr, missing, hung }: Output = await sys.run({
      timeoutMs: patienceMs,
      ...command,
    });
    return {
      code,
      ...(stdout && code !== 137 && { stdout }),
      ...(stderr && { stderr: stderr.replaceAll(dir, '') }),
      ...(missing && { missing }),
      ...(hung && { hung }),
    };
  };

/** A name with a byte that is no UTF-8 and a line break at its end. */
const rawFile = `${dir}/f\udcfc\n`;
writeFileSync(Buffer.from(rawFile.replace('\udcfc', '\xfc'), 'latin1'), Buffer.from([0xff, 0x0a, 0xfc]));

async function rawNames(sys: NodeSys): Promise<unknown> {
  const link = `${dir}/\udcfe`;
  await sys.run({ argv: ['ln', '-sfn', '--', rawFile, link], timeoutMs: patienceMs });
  await sys.write(`${dir}/ÿ`, await sys.read(rawFile));
  const names = await sys.list(dir);
  return [
    names.find((name) => name.startsWith('f\udcfc')),
    names.find((name) => name === 'ÿ'),
    await sys.read(`${dir}/ÿ`),
    (await sys.target(link)) === rawFile,
    (await sys.facts(link)).kind,
  ];
}

/** Each situation, what happens in it, and what is to come out. */
export const stories: Readonly<Record<string, readonly [Story, unknown]>> = {
  'a command that ends well': [ran({ argv: ['true'] }), { code: 0 }],
  'a command that fails': [
    ran({ argv: sh('echo out; echo bad >&2; exit 5') }),
    { code: 5, stdout: 'out\n', stderr: 'bad\n' },
  ],
  'a command that is ended by a signal': [ran({ argv: sh('kill -TERM $$') }), { code: 143 }],
  'a command that does not exist': [
    ran({ argv: ['no-such-command'] }),
    { code: 127, missing: true, stderr: 'no-such-command: not found' },
  ],
  'a path that does not exist': [
    ran({ argv: ['/no/such/command'] }),
    { code: 127, missing: true, stderr: '/no/such/command: not found' },
  ],
  'a command without its interpreter': [
    ran({ argv: [badInterpreter] }),
    { code: 127, missing: true, stderr: '/bad-interpreter: not found' },
  ],
  'a command that may not be executed': [
    ran({ argv: [notExecutable] }),
    { code: 126, stderr: 'cannot run /not-executable: EACCES' },
  ],
  'too long an argument': [
    ran({ argv: ['true', hugeArgument] }),
    { code: 126, stderr: 'cannot run true: E2BIG' },
  ],
  'a command in a directory of PATH': [ran({ argv: ['only-here'] }), { code: 0, stdout: 'found\n' }],
  'a command that reads its input': [ran({ argv: ['cat'], input: 'text ü' }), { code: 0, stdout: 'text ü' }],
  'a command with bytes for input': [
    ran({ argv: ['od', '-An', '-tx1'], input: new Uint8Array([0, 255]) }),
    { code: 0, stdout: ' 00 ff\n' },
  ],
  'a command without input': [ran({ argv: ['cat'] }), { code: 0 }],
  'a command that does not read its input': [
    ran({ argv: ['true'], input: 'x'.repeat(1_000_000) }),
    { code: 0 },
  ],
  'a command whose output is ignored': [
    ran({ argv: sh('echo out; echo bad >&2'), output: 'ignore' }),
    { code: 0 },
  ],
  'a command that leaves a daemon behind, for which nobody waits': [
    async (sys) => {
      const file = join(dir, 'daemon');
      const argv = sh(`sleep 300 & echo $! >${file}; exit 3`);
      const { code } = await sys.run({ argv, output: 'ignore', timeoutMs: patienceMs });
      const pid = Number(readFileSync(file, 'utf8'));
      const isAlive = !hasEnded(pid);
      process.kill(pid);
      return { code, isAlive };
    },
    { code: 3, isAlive: true },
  ],
  'a command that prints a character in halves': [
    ran({ argv: sh(`printf '\\303'; sleep 0.2; printf '\\274'`) }),
    { code: 0, stdout: 'ü' },
  ],
  'a command that prints without end': [ran({ argv: ['yes'] }), { code: 137 }],
  'a script whose child prints without end': [ran({ argv: sh('yes & wait') }), { code: 137 }],
  'the working directory': [ran({ argv: ['pwd'] }), { code: 0, stdout: '/\n' }],
  'the environment: no switches of a runtime, no locale': [
    ran({
      argv: sh('echo "$NODE_OPTIONS,$BUN_OPTIONS,$LANG,$LC_ALL,$KEPT,$MORE"'),
      env: { MORE: 'more' },
    }),
    { code: 0, stdout: ',,,C,yes,more\n' },
  ],
  'F9: arguments that are no UTF-8': [
    ran({ argv: ['od', '-An', '-tx1', rawFile] }),
    { code: 0, stdout: ' ff 0a fc\n' },
  ],
  'F9: a command with such arguments that fails': [
    ran({ argv: ['sh', '-c', 'exit 7', 'a\udcff'] }),
    { code: 7 },
  ],
  'F9: a command with such arguments that does not exist': [
    ran({ argv: ['no-such-command', 'a\udcff'] }),
    { code: 127, missing: true, stderr: 'no-such-command: not found' },
  ],
  'F9: output and input that are no UTF-8': [
    ran({ argv: ['cat'], input: 'a\udcff\udc80ü' }),
    { code: 0, stdout: 'a\udcff\udc80ü' },
  ],
  'F9: files whose names are no UTF-8': [rawNames, ['f\udcfc\n', 'ÿ', '\udcff\n\udcfc', true, 'link']],
  'the process group is ours': [
    async (sys) => {
      const { stdout } = await sys.run({ argv: sh('cut -d" " -f5 /proc/$$/stat'), timeoutMs: patienceMs });
      return stdout.trim() === readFileSync('/proc/self/stat', 'utf8').split(' ')[4];
    },
    true,
  ],
  'a command that takes too long is killed with all its descendants, and told by what it was doing': [
    async (sys) => {
      const pids = join(dir, 'pids');
      const argv = sh(`sleep 60 & echo $$ $! >${pids}; wait`);
      const { code, hung } = await sys.run({ argv, timeoutMs: 500 });
      const all = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
      const gone = await soon(() => all.every(hasEnded));
      return {
        code,
        told: /^pid \d+ \(sleep 60\) in state S.* after \d+\.\d s$/.test(hung ?? ''),
        of: all.length,
        gone,
      };
    },
    { code: 124, told: true, of: 2, gone: true },
  ],
  'a command is named as long as it runs': [
    async (sys) => {
      const end = sys.run({ argv: ['sleep', '60'], timeoutMs: patienceMs });
      await soon(() => sys.underway().length > 0);
      const named = sys.underway().map(({ argv }) => argv.join(' '));
      sys.killUnderway();
      return { named, code: (await end).code, left: sys.underway().length };
    },
    { named: ['sleep 60'], code: 137, left: 0 },
  ],
  'S11: a command that has ended while a helper keeps its output: who has its number by then is left alone': [
    async (sys) => {
      const [child, helper] = await leavesHelper(sys, (argv) => sys.run({ argv, timeoutMs: patienceMs }));
      const innocent = await spawnAs(child);
      const named = sys.underway().map(({ describe }) => /ended/.test(describe()));
      sys.killUnderway();
      const isAlive = await answers(innocent);
      process.kill(helper, 'SIGKILL');
      return { isAlive, named };
    },
    { isAlive: true, named: [true] },
  ],
  'S11: the same of one that is followed': [
    async (sys) => {
      const [child, helper] = await leavesHelper(sys, (argv) => sys.follow(argv));
      const innocent = await spawnAs(child);
      sys.killUnderway();
      const isAlive = await answers(innocent);
      process.kill(helper, 'SIGKILL');
      return isAlive;
    },
    true,
  ],
  'followed: each piece of output wakes the reader at once, and the end takes all descendants': [
    async (sys) => {
      const events = await sys.follow(sh('echo $$; sleep 0.3; echo second; sleep 60 & wait'));
      const pid = Number(await events.next(patienceMs));
      const since = sys.now();
      const second = await events.next(patienceMs);
      const atOnce = sys.now() - since < patienceMs;
      const silence = await events.next(50);
      events.end();
      return { second, atOnce, silence, gone: await soon(() => hasEnded(pid)) };
    },
    { second: 'second\n', atOnce: true, silence: '', gone: true },
  ],
  'followed: one that ended is silence and not a busy loop': [
    (sys) => silence(sys, 'true'),
    { text: '', waited: true },
  ],
  'followed: one that does not exist is silence, too': [
    (sys) => silence(sys, '/nonexistent/drbdsetup'),
    { text: '', waited: true },
  ],
  'followed: ends with the action': [
    async (sys) => {
      const events = await sys.follow(sh('echo $$; exec sleep 60'));
      const pid = Number(await events.next(patienceMs));
      sys.killUnderway();
      return soon(() => hasEnded(pid));
    },
    true,
  ],
  'launched: in a group of its own, its words in a file, and nobody waits': [
    async (sys) => {
      const file = join(dir, 'launched');
      const pid = await sys.launch(sh('cut -d" " -f5 /proc/$$/stat; echo bad >&2; sleep 0.2'), file);
      const text = () => readFileSync(file, 'utf8');
      await soon(() => text().split('\n').length > 2);
      return { isLeader: text() === `${pid}\nbad\n`, ended: await soon(() => hasEnded(pid)) };
    },
    { isLeader: true, ended: true },
  ],
  'launched: one that does not exist': [
    (sys) => sys.launch(['/nonexistent/send_arp']).catch(({ code }) => code),
    'ENOENT',
  ],
};

/** Begins a command that ends at once and leaves a helper with its output. Their numbers, once the command has been waited for. */
async function leavesHelper(
  { run }: Pick<NodeSys, 'run'>,
  begin: (argv: readonly ['sh', '-c', string]) => unknown,
): Promise<readonly [child: number, helper: number]> {
  const pids = join(dir, 'left');
  await run({ argv: ['rm', '-f', pids], timeoutMs: patienceMs });
  begin(sh(`sleep 300 & echo $$ $! >${pids}.new; mv ${pids}.new ${pids}`));
  await soon(() => existsSync(pids));
  const [child = 0, helper = 0] = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
  await soon(() => !existsSync(`/proc/${child}`));
  return [child, helper];
}

/** A process with just this number. This file is told in a process namespace of its own, where nobody else begins one. */
async function spawnAs(wanted: number): Promise<ChildProcessByStdio<Writable, Readable, null>> {
  for (let tries = 0; tries < 100; tries++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(wanted - 1));
    const child = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
    if (child.pid === wanted) return child;
    child.kill('SIGKILL');
    await sleep(1);
  }
  throw new Error(`no process could be given the number ${wanted}`);
}

/** Whether a `cat` lives: one that was sent SIGKILL before answers no more. */
function answers(cat: ChildProcessByStdio<Writable, Readable, null>): Promise<boolean> {
  return new Promise((resolve) => {
    cat.once('close', () => resolve(false));
    cat.stdin.on('error', () => {});
    cat.stdout.once('data', () => {
      resolve(true);
      cat.kill('SIGKILL');
    });
    cat.stdin.write('?');
  });
}

async function silence(sys: NodeSys, command: string): Promise<unknown> {
  const events = await sys.follow([command]);
  const since = sys.now();
  const text = await events.next(200);
  const waited = sys.now() - since > 150;
  events.end();
  return { text, waited };
}

const tell = (name: string): Promise<unknown> => {
  const [story] = stories[name] ?? [];
  if (!story) throw new Error(`there is no story "${name}"`);
  return story(nodeSys(env));
};

const [, self, wantedStory] = process.argv;
if (self === import.meta.filename && wantedStory !== undefined) {
  console.log(JSON.stringify(await tell(wantedStory)));
  process.exit(0);
}
