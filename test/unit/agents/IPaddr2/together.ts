import type { Command } from '../../../../lib/host/sys/sys.ts';
import type { Router } from './router.ts';

const firstPid = 5000;

/** A call of the agent. */
export type Call = {
  readonly action: string;
  /** What the machine's does not have. */
  readonly env: NodeJS.ProcessEnv;
  /** The first of its commands that contains this fails. */
  readonly failing?: string;
};

/**
 * Calls on one machine at the same time, of which one goes on at a time, until it has run as many commands as `lengths` say, sleeps or
 * ends; then the next one. Beyond the lengths each goes on until it sleeps or ends.
 */
export async function together(router: Router, calls: readonly Call[], lengths: readonly number[]) {
  const over = new Set<number>();
  const left = [...lengths];
  let turn = 0;
  let steps = 0;
  let wake: (() => void)[] = [];
  const next = () => {
    steps = left.shift() ?? Number.POSITIVE_INFINITY;
    do turn = (turn + 1) % calls.length;
    while (over.has(turn) && over.size < calls.length);
    if (steps === 0 && over.size < calls.length) return next();
    for (const resume of wake.splice(0)) resume();
  };
  turn = calls.length - 1;
  next();
  for (const who of calls.keys()) router.process(firstPid + who, { comm: 'IPaddr2' });

  return Promise.all(
    calls.map(async ({ action, env, failing }, who) => {
      let hasFailed = false;
      const call: Router = Object.create(router, {
        env: { value: { ...router.env, ...env } },
        pid: { value: firstPid + who },
        run: {
          value: async (command: Command) => {
            if (turn === who && steps <= 0) next();
            while (turn !== who)
              await new Promise<void>((resolve) => {
                wake = [...wake, resolve];
              });
            steps -= 1;
            const isRefused = !hasFailed && failing !== undefined && command.argv.join(' ').includes(failing);
            hasFailed ||= isRefused;
            return isRefused
              ? { code: 2, stdout: '', stderr: 'RTNETLINK answers: No\n' }
              : router.run(command);
          },
        },
        sleep: {
          value: async (ms: number) => {
            call.clock += ms;
            if (turn === who) next();
          },
        },
      });
      const result = await call.act(action);
      router.endProcess(firstPid + who);
      over.add(who);
      if (turn === who) next();
      return result;
    }),
  );
}
