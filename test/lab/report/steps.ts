import { setMaxListeners } from 'node:events';
import { ExecaError } from 'execa';
import { Listr, PRESET_TIMER } from 'listr2';

const isTerminal = process.stdout.isTTY === true && !process.env['CI'];

/** A step of the run that did not end as it should; the run ends here. */
export class StepError extends Error {
  override name = 'StepError';
  readonly title: string;
  readonly reason: string;

  constructor(title: string, reason: string, cause: unknown) {
    super(`${title}: ${reason}`, { cause });
    this.title = title;
    this.reason = reason;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ExecaError)) return error instanceof Error ? error.message : String(error);
  const said = String(error.stderr ?? '')
    .trim()
    .split('\n')
    .slice(-5);
  return [error.shortMessage, ...said].join('\n');
}

/** Limits are of a quiet machine. On a busy one a step takes longer, and only one that hangs reaches this many times its limit. */
const patience = 4;

/** Runs one step after another: a live line with the elapsed time on a terminal, plain lines elsewhere, a limit for each. */
export class Steps {
  readonly #interrupted: AbortSignal;
  readonly #name: string;

  /** With a name in front of every line: for runs that go on at the same time. */
  constructor(interrupted: AbortSignal, name = '') {
    this.#interrupted = interrupted;
    this.#name = name;
  }

  async run<T>(what: string, quietLimit: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const title = this.#name ? `${this.#name}: ${what}` : what;
    const isLive = isTerminal && !this.#name;
    const limit = patience * quietLimit;
    const timeout = AbortSignal.timeout(limit * 1000);
    const signal = AbortSignal.any([this.#interrupted, timeout]);
    setMaxListeners(0, signal); // as many programs at once as the step has
    const context: { result?: { value: T } } = {};
    const list = new Listr(
      {
        title,
        task: async (_, task) => {
          const began = Date.now();
          const elapsed = (): void => {
            task.output = `${Math.round((Date.now() - began) / 1000)} s (limit ${limit} s)`;
          };
          const ticking = isLive ? setInterval(elapsed, 1000) : undefined;
          try {
            context.result = { value: await orAborted(work(signal), signal) };
          } catch (error) {
            const reason = timeout.aborted ? `not done within ${limit} s` : reasonOf(error);
            throw new StepError(title, reason, error);
          } finally {
            clearInterval(ticking);
          }
        },
      },
      {
        renderer: isLive ? 'default' : 'simple',
        rendererOptions: { timer: PRESET_TIMER },
        registerSignalListeners: false,
      },
    );
    await list.run();
    if (!context.result) throw new StepError(title, 'it ended without a result', undefined);
    return context.result.value;
  }
}

/** The work's own result, unless the signal comes first: a step that overlooks its signal must not hold the run. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let listener: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    listener = () => reject(signal.reason);
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (listener) signal.removeEventListener('abort', listener);
  }
}
