import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { textOf } from './bytes.ts';
import { type Children, longestOutput } from './children.ts';
import { watched } from './process-tree.ts';
import { signalNumber } from './signals.ts';
import type { Argv } from './sys.ts';

type Begun = ChildProcess & { readonly pid: number };

async function begin([file, ...args]: Argv, options: SpawnOptions): Promise<Begun> {
  const child = spawn(file, args, { cwd: '/', ...options });
  if (child.pid === undefined) await new Promise((_, reject) => child.once('error', reject));
  child.on('error', () => {}); // of a signal that could not be sent
  return child as Begun;
}

export const run: Children['run'] = async (argv, env, { input, output = 'pipe', detached = false }) => {
  const stdin = input === undefined ? 'ignore' : 'pipe';
  const child = await begin(argv, { env, stdio: [stdin, output, output], detached });
  const itself = watched(child.pid);
  const stdout = gathered(child.stdout, itself.kill);
  const stderr = gathered(child.stderr, itself.kill);
  child.stdin?.on('error', () => {}); // it may end without reading all
  child.stdin?.end(input);
  return {
    ...itself,
    end: new Promise((resolve) =>
      child.once('close', (code, signal) =>
        resolve({
          code: code ?? 128 + (signal ? (signalNumber(signal) ?? 0) : 0),
          stdout: stdout(),
          stderr: stderr(),
        }),
      ),
    ),
    abandon() {
      child.unref();
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy();
    },
  };
};

function gathered(pipe: Readable | null, tooMuch: () => void): () => string {
  const pieces: Buffer[] = [];
  let size = 0;
  pipe?.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size > longestOutput) tooMuch();
    else pieces.push(piece);
  });
  pipe?.on('error', () => {});
  return () => textOf(Buffer.concat(pieces));
}

export const follow: Children['follow'] = async (argv, env, onText) => {
  const child = await begin(argv, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const { kill } = watched(child.pid);
  child.stdout?.setEncoding('utf8').on('data', onText);
  child.stdout?.on('error', () => {});
  child.unref();
  return {
    kill,
    close: () => void child.stdout?.destroy(),
  };
};

export const launch: Children['launch'] = async (argv, env, output) => {
  const child = await begin(argv, { env, detached: true, stdio: ['ignore', output, output] });
  child.unref();
  return child.pid;
};

export const feed: Children['feed'] = async (argv, env) => {
  const child = await begin(argv, { env, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  child.stdin?.on('error', () => {});
  return {
    write: (text) => void child.stdin?.write(text),
    end: () => new Promise((resolve) => child.stdin?.end(() => resolve())),
  };
};
