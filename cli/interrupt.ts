import { AsyncLocalStorage } from 'node:async_hooks';
import type { NodeSys } from '../lib/host/sys/node-sys.ts';
import { type Ending, exitStatus } from './exit.ts';

/** A command that a signal may end: its own work stands still from then on, and only what takes it back goes on. */
export type Interruptible = {
  /** The machine, as the command and what takes it back see it. */
  readonly sys: NodeSys;
  /** The command's own work: once interrupted, it comes to no end. */
  own<Result>(work: () => Promise<Result>): Promise<Result>;
  /**
   * Ends what runs and calls `takeBack`, whose commands neither a further Ctrl-C nor the command's own work disturbs. Whoever interrupts
   * once more waits for ever: who presses Ctrl-C twice wants it to end, not half taken back.
   */
  interrupt<Result>(takeBack: () => Promise<Result>): Promise<Result>;
};

/** How a command ends that was interrupted and of which something is left. */
export type Left = Exclude<Ending, 'interrupted'>;
/** Takes something back; says nothing where nothing is left. */
export type TakeBack = () => Promise<void> | Promise<Left | undefined>;

/** Takes all of it back, the worst of what they say is how it ends. `tell` is called with what one of them throws. */
export async function takenBack(works: readonly TakeBack[], tell: (error: unknown) => void): Promise<Ending> {
  let worst: Left | undefined;
  for (const work of works) {
    let ending: Left | undefined;
    try {
      ending = (await work()) ?? undefined;
    } catch (error) {
      tell(error);
      ending = 'halfway';
    }
    if (ending && exitStatus[ending] >= exitStatus[worst ?? 'well']) worst = ending;
  }
  return worst ?? 'interrupted';
}

/** How long what was killed is waited for: one that hangs in the kernel must not hold up what takes it back. */
const dyingMs = 1000;

/** Nothing that waits for it goes on. */
const never = (): Promise<never> => new Promise(() => {});

export function interruptible(machine: NodeSys): Interruptible {
  const takingBack = new AsyncLocalStorage<true>();
  let isInterrupted = false;
  const standsStill = () => isInterrupted && takingBack.getStore() === undefined;
  /** A step begun before the signal has no consequence after it, either: its command was killed. */
  const gated =
    <Args extends readonly unknown[], Result>(step: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (standsStill()) return await never();
      const settled = await step(...args).then(
        (value) => () => value,
        (error: unknown) => () => {
          throw error;
        },
      );
      return standsStill() ? await never() : settled();
    };
  return {
    sys: {
      ...machine,
      run: gated(machine.run),
      launch: gated(machine.launch),
      write: gated(machine.write),
      sleep: gated(machine.sleep),
    },
    own: (work) => gated(work)(),
    async interrupt(takeBack) {
      if (isInterrupted) return await never();
      isInterrupted = true;
      machine.shelter();
      machine.killUnderway();
      const latest = machine.now() + dyingMs;
      while (machine.underway().length > 0 && machine.now() < latest) await machine.sleep(10);
      return await takingBack.run(true, takeBack);
    },
  };
}
