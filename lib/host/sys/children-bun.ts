import { type Children, type Environment, longestOutput } from './children.ts';
import { killTree } from './process-tree.ts';

// What of https://bun.com/docs/api/spawn is used here.
type Input = 'ignore' | 'pipe' | Uint8Array;
type Output = 'ignore' | 'pipe' | number;
type Pipe = { getReader(): { read(): Promise<{ readonly done: boolean; readonly value: Uint8Array }> } };
type Child = {
  readonly pid: number;
  readonly stdin: { write(text: string): unknown; end(): unknown };
  readonly stdout: Pipe | undefined;
  readonly stderr: Pipe | undefined;
  readonly exitCode: number | null;
  readonly signalCode: string | null;
  /** Exit status; 128 + n when signal n ended it. */
  readonly exited: Promise<number>;
  unref(): void;
};
declare const Bun: {
  /** Throws the system's error when it cannot run. */
  spawn(options: {
    readonly cmd: readonly string[];
    readonly cwd: string;
    readonly env: Environment;
    readonly stdin: Input;
    readonly stdout: Output;
    readonly stderr: Output;
    readonly detached?: boolean;
  }): Child;
};

const cwd = '/';

export const run: Children['run'] = async (argv, env, { input, output = 'pipe' }) => {
  const stdin =
    input === undefined ? 'ignore' : typeof input === 'string' ? new TextEncoder().encode(input) : input;
  const child = Bun.spawn({ cmd: argv, cwd, env, stdin, stdout: output, stderr: output });
  const tooMuch = () => killTree(child.pid);
  const all = [gathered(child.stdout, tooMuch), gathered(child.stderr, tooMuch), child.exited] as const;
  return {
    pid: child.pid,
    end: Promise.all(all).then(([stdout, stderr, code]) => ({ code, stdout, stderr })),
    abandon: () => child.unref(),
  };
};

async function gathered(pipe: Pipe | undefined, tooMuch: () => void): Promise<string> {
  let text = '';
  await readAll(pipe, (piece) => {
    if (text.length + piece.length > longestOutput) tooMuch();
    else text += piece;
  });
  return text;
}

/** Not by `for await`: generators cost as much again as the whole reading. */
async function readAll(pipe: Pipe | undefined, onText: (text: string) => void): Promise<void> {
  const reader = pipe?.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const piece = await reader?.read();
    if (piece === undefined || piece.done) return;
    onText(decoder.decode(piece.value, { stream: true }));
  }
}

export const follow: Children['follow'] = async (argv, env, onText) => {
  const child = Bun.spawn({ cmd: argv, cwd, env, stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' });
  child.unref();
  let isOpen = true;
  readAll(child.stdout, (text) => isOpen && onText(text)).catch(() => {});
  return {
    pid: child.pid,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    close() {
      isOpen = false;
    },
  };
};

export const launch: Children['launch'] = async (argv, env, output) => {
  const child = Bun.spawn({
    cmd: argv,
    cwd,
    env,
    stdin: 'ignore',
    stdout: output,
    stderr: output,
    detached: true,
  });
  child.unref();
  return child.pid;
};

export const feed: Children['feed'] = async (argv, env) => {
  const child = Bun.spawn({ cmd: argv, cwd, env, stdin: 'pipe', stdout: 'ignore', stderr: 'ignore' });
  child.unref();
  const quietly = async (work: () => unknown) => {
    try {
      await work();
    } catch {
      // it ended without reading all
    }
  };
  return {
    write: (text) => void quietly(() => child.stdin.write(text)),
    end: () => quietly(() => child.stdin.end()),
  };
};
