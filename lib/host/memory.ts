import type { Log } from '../contract/log.ts';
import { Failure } from '../contract/outcome.ts';
import type { RawParams } from '../contract/params.ts';
import { wordsOf } from '../contract/reason.ts';
import { isAbsence } from './local-files.ts';
import { fileNameOf } from './sys/file-names.ts';
import type { Sys } from './sys/sys.ts';

/**
 * What is remembered about one resource instance since boot, below /run. It helps (a stop after the parameters were deleted,
 * the pid of our own background sender), it never decides: the machine does. So what cannot be written is a warning, but for what a start
 * writes: it would begin something that a later monitor does not know again, or a stop not end.
 */
export type Memory = {
  /** The parameters of the last start on this boot. */
  params(): Promise<RawParams | undefined>;
  fact<T>(name: string): Promise<T | undefined>;
  /** `undefined` deletes. In a start it throws `Failure` where it cannot be written, as `keep` and `rememberParams` do. */
  note(name: string, value: unknown): Promise<void>;
  /** Notes a fact that outlives a stop: what was found out about the machine, not what an action did. */
  keep(name: string, value: unknown): Promise<void>;
  /** Notes what only makes an answer better: never a failure. */
  hint(name: string, value: unknown): Promise<void>;
  /** Notes what must not be left behind unknown: always a failure. */
  insist(name: string, value: unknown): Promise<void>;
  rememberParams(params: RawParams): Promise<void>;
  /** What other instances of the same agent have noted since boot. */
  others(): Promise<readonly Remembered[]>;
  /** All but what is kept. */
  forget(): Promise<void>;
};

export type Remembered = {
  /** As `nameAmongOthers` has it. */
  readonly instance: string;
  /** Of its last start on this boot. */
  readonly params?: RawParams;
  readonly facts: Readonly<Record<string, unknown>>;
  /** What outlives its stop. */
  readonly kept?: Readonly<Record<string, unknown>>;
};

type Page = {
  readonly bootId: string;
  readonly params?: RawParams;
  readonly facts: Record<string, unknown>;
  readonly kept?: Record<string, unknown>;
};

/** HA_RSCTMP, where agents of every provider keep state that must not survive a reboot. */
export const rscTmp = (env: NodeJS.ProcessEnv): string => env['HA_RSCTMP'] || '/run/resource-agents';

/** Our own part of it. */
export const stateDir = (env: NodeJS.ProcessEnv): string => `${rscTmp(env)}/tsha`;

export function memoryOf(
  sys: Sys,
  agent: string,
  instance: string,
  log: Log,
  /** Whether an action fails that cannot write down what it notes. */
  isStrict = false,
): Memory {
  const dir = stateDir(sys.env);
  const file = `${dir}/${agent}-${fileNameOf(instance)}.json`;

  /** Empty where nothing is remembered. Throws `Failure` when that cannot be found out. */
  const textOf = (of: string): Promise<string> =>
    sys.read(of).catch((error: unknown) => {
      if (isAbsence(error)) return '';
      throw new Failure('failed', `cannot read ${of}: ${wordsOf(error)}`, { cause: error });
    });

  async function page(of = file, text?: string): Promise<Page> {
    const bootId = (await sys.read('/proc/sys/kernel/random/boot_id').catch(() => '')).trim();
    const blank: Page = { bootId, facts: {} };
    // What is remembered makes an answer better; an agent that must not read it (a monitor of an ordinary user) still has one.
    const found = text ?? (await textOf(of).catch(({ message }: Failure) => void log.warn(message)));
    if (!found) return blank;
    try {
      const written = JSON.parse(found) as Page;
      return written.bootId === bootId && typeof written.facts === 'object' ? written : blank;
    } catch {
      log.warn(`${of} is not readable as JSON and is ignored`);
      return blank;
    }
  }

  async function save(next: Page, mayFail = isStrict): Promise<void> {
    try {
      await sys.makeDir(dir);
      await sys.write(file, `${JSON.stringify(next)}\n`, 0o600);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = `cannot write ${file}: ${code ?? message}`;
      if (mayFail) throw new Failure('failed', reason, { cause: error });
      log.warn(reason);
    }
  }

  async function note(name: string, value: unknown, mayFail?: boolean): Promise<void> {
    const current = await page();
    await save({ ...current, facts: { ...current.facts, [name]: value } }, mayFail);
  }

  return {
    // a stop without parameters would have nothing to stop
    params: async () => (await page(file, await textOf(file))).params,
    async fact<T>(name: string) {
      const { facts, kept } = await page();
      return (facts[name] ?? kept?.[name]) as T | undefined;
    },
    note: (name, value) => note(name, value),
    hint: (name, value) => note(name, value, false),
    insist: (name, value) => note(name, value, true),
    async keep(name, value) {
      const current = await page();
      await save({ ...current, kept: { ...current.kept, [name]: value } });
    },
    rememberParams: async (params) => save({ ...(await page()), params }),
    async others() {
      const { othersOf } = await import('./memory-of-others.ts');
      return othersOf(sys, dir, agent, file, page);
    },
    async forget() {
      const { bootId, kept } = await page();
      const remove = () => sys.remove(file).catch(() => undefined);
      // where there is no room, what says that it runs must not outlive the stop for what is kept beside it
      if (kept) await save({ bootId, facts: {}, kept }, true).catch(remove);
      else await remove();
      // of an action that was killed while it wrote
      for (const name of await sys.list(dir).catch(() => []))
        if (`${dir}/${name}`.startsWith(`${file}.`))
          await sys.remove(`${dir}/${name}`).catch(() => undefined);
    },
  };
}
