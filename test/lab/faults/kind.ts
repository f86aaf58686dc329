import type { Run } from '../scenarios/run.ts';
import type { NodeName } from '../settings.ts';

/** The node that serves, the other one, or both at once. */
export type Target = 'active' | 'standby' | 'both';

/** Where and when a fault happens. */
export interface Scene {
  run: Run;
  /** The nodes that are hit. */
  nodes: readonly NodeName[];
  active: NodeName;
  standby: NodeName;
  /** From 0 up to 1; the same when the fault is played again. */
  random: () => number;
  signal: AbortSignal;
  /** A shell command on each of the nodes that are hit. False when it failed on all of them; one that does not come back may have worked. */
  shell(command: string): Promise<boolean>;
  sleep(seconds: number): Promise<void>;
}

/** There was nobody to kill, nothing to take away: what follows says nothing about the cluster. */
export class NotInjectedError extends Error {
  override name = 'NotInjectedError';
}

/** One kind of fault: what happens, what follows from it, and how it is mended where the cluster cannot. */
export interface Kind {
  name: string;
  on: readonly Target[];
  /** Returns when it has happened. What ends by itself ends in here. */
  inject(scene: Scene): Promise<void>;
  /** What only hands from outside can do: a cable is plugged in, a machine is switched on. Before that nothing is expected of the cluster. */
  heal?(scene: Scene): Promise<void>;
  /** What the judges have to say of it, and nothing else. By its whole name only: it breaks what the cluster promises. */
  proves?: readonly RegExp[];
  /** What is undone only once the books were read. */
  afterwards?(scene: Scene): Promise<void>;
  /** Failed actions that this kind explains, as `RESOURCE ACTION`; all others are defects. */
  explains?: RegExp;
  /** Only on the nodes that are hit: nothing of it spreads. */
  stays?: true;
  /** Seconds on a quiet machine from the end of the fault until everything works again; `normal` unless given. */
  bound?: number;
  /** A person has to see to it: what `tsha status` says before `heal` is that person. */
  human?: RegExp;
  /** Clients may get errors: somebody took from them what a server owes them. */
  errors?: true;
  /** Locks may be lost, if the clients are told. */
  locks?: true;
  /** Where the cluster has fencing, it may switch a node off. */
  fences?: true;
  /** Only where the cluster has fencing, or only where it has none. */
  only?: 'fenced' | 'unfenced';
  /** Only with our agents: it is about them. */
  ours?: true;
}

/** Whether a kind that hit some nodes is why an action failed. */
export const isExplained = (
  { explains, stays }: Pick<Kind, 'explains' | 'stays'>,
  hit: readonly string[],
  { resource, task, node }: { resource: string; task: string; node: string },
): boolean => (!stays || hit.includes(node)) && (explains?.test(`${resource} ${task}`) ?? false);

/** Of the wrongs that were found, which are none that a kind was to prove, and what of it nobody found. */
export const unproven = (proves: readonly RegExp[], wrongs: readonly string[]): string[] => [
  ...wrongs.filter((wrong) => !proves.some((one) => one.test(wrong))),
  ...proves
    .filter((one) => !wrongs.some((wrong) => one.test(wrong)))
    .map((one) => `overlooked: ${one.source}`),
];

export const normal = 120;

/** On whichever node it happens. */
export const anywhere: readonly Target[] = ['active', 'standby'];

type Row = Omit<Kind, 'inject' | 'heal'> & {
  shell: string;
  /** Seconds until it is taken back, as random as they may be, and how. */
  for?: readonly [from: number, to: number];
  back?: string;
  /** Its exit status tells nothing: what it tries must fail, or ends in the middle. */
  fails?: true;
};

/** A shell command that must have worked somewhere. */
export async function mustShell(scene: Scene, command: string): Promise<void> {
  if (!(await scene.shell(command))) throw new NotInjectedError(`failed: ${command.slice(0, 80)}`);
}

/** A kind that is nothing but words for a shell. */
export const byShell = ({ shell, for: seconds, back, fails, ...kind }: Row): Kind => ({
  ...kind,
  inject: async (scene) => {
    try {
      if (fails) await scene.shell(shell);
      else await mustShell(scene, shell);
      if (seconds) await scene.sleep(between(scene, seconds));
    } finally {
      if (back && !kind.human) await scene.shell(back);
    }
  },
  ...(back && kind.human ? { heal: async (scene: Scene) => void (await scene.shell(back)) } : {}),
});

export const between = ({ random }: Pick<Scene, 'random'>, [from, to]: readonly [number, number]): number =>
  from + random() * (to - from);
