import type { Watched } from './process-tree.ts';
import type { Argv } from './sys.ts';

/** More than any tool of this field prints, in bytes; one that does not stop must not fill the memory. */
export const longestOutput = 16 * 1024 * 1024;

export type Finished = {
  /** Exit status; 128 + n when signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** A process that is awaited. */
export type Running = Watched & {
  /** Settles when it has ended and nobody holds its pipes any more. One that prints without end is killed. */
  readonly end: Promise<Finished>;
  /** No longer waits for it: in state D it dies when the kernel lets it. */
  abandon(): void;
};

/** A process that is read while it runs. It keeps nobody waiting: neither itself nor its pipe holds the event loop. */
export type Source = Pick<Watched, 'kill'> & {
  close(): void;
};

/** A process that reads what it is given. One that ends early is no error. */
export type Sink = {
  write(text: string): void;
  end(): Promise<void>;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** How a runtime starts programs: in `/`, so that no managed storage holds anybody up, with exactly this environment. */
export type Children = {
  /** Rejects with the system's error when it cannot run, as `follow` and `launch` do. */
  run(
    argv: Argv,
    env: Environment,
    how: {
      readonly input?: Uint8Array | undefined;
      readonly output?: 'ignore' | 'pipe' | undefined;
      /** In a session of its own: no signal of the terminal reaches it. */
      readonly detached?: boolean;
    },
  ): Promise<Running>;
  follow(argv: Argv, env: Environment, onText: (text: string) => void): Promise<Source>;
  /** In a process group of its own, for after this process; its output goes to a file descriptor. */
  launch(argv: Argv, env: Environment, output: number | 'ignore'): Promise<number>;
  feed(argv: Argv, env: Environment): Promise<Sink>;
};
