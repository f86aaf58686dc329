import { textOf } from './bytes.ts';
import { type Children, type Environment, longestOutput } from './children.ts';
import { watched } from './process-tree.ts';

// What of https://bun.com/docs/api/spawn is used here.
type Input = 'ignore' | 'pipe' | Uint8Array;
type Output = 'ignore' | 'pipe' | number;
type Pipe = { getReader(): { read(): Promise<{ readonly done: boolean; readonly value: Uint8Array }> } };
type Child = {
  readonly pid: number;
  readonly stdin: { write(text: string): unknown; end(): unknown };
  readonly stdout: Pipe | undefined;
  readonly stderr: Pipe | undefined;
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

export const run: Children['run'] = async (argv, env, { input, output = 'pipe', detached = false }) => {
  const stdin = input ?? 'ignore';
  const child = Bun.spawn({ cmd: argv, cwd, env, stdin, stdout: output, stderr: output, detached });
  const itself = watched(child.pid);
  const all = [
    gathered(child.stdout, itself.kill),
    gathered(child.stderr, itself.kill),
    child.exited,
  ] as const;
  return {
    ...itself,
    end: Promise.all(all).then(([stdout, stderr, code]) => ({ code, stdout, stderr })),
    abandon: () => child.unref(),
  };
};

async function gathered(pipe: Pipe | undefined, tooMuch: () => void): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  await readAll(pipe, (piece) => {
    size += piece.length;
    if (size > longestOutput) tooMuch();
    else pieces.push(piece);
  });
  return textOf(Buffer.concat(pieces));
}

/** Not by `for await`: generators cost as much again as the whole reading. */
async function readAll(pipe: Pipe | undefined, onPiece: (piece: Uint8Array) => void): Promise<void> {
  const reader = pipe?.getReader();
  for (;;) {
    const piece = await reader?.read();
    if (piece === undefined || piece.done) return;
    onPiece(piece.value);
  }
}

export const follow: Children['follow'] = async (argv, env, onText) => {
  const child = Bun.spawn({ cmd: argv, cwd, env, stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' });
  const { kill } = watched(child.pid);
  child.unref();
  let isOpen = true;
  const decoder = new TextDecoder();
  readAll(child.stdout, (piece) => {
    if (isOpen) onText(decoder.decode(piece, { stream: true }));
  }).catch(() => {});
  return {
    kill,
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
