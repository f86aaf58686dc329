import { peerOf } from '../../settings.ts';
import { now, type Run } from '../run.ts';
import { attacksBelow, untouched } from './plants.ts';
import { move } from './switchovers.ts';

/** Where the client has mounted the export, which is the server's state, too, in the tutorial's first layout. */
const infodir = '/mnt/nfs4.1';

const begin = 'sleep 1; touch /run/hostile-begun; sleep 1';
/** Lines that all must succeed. */
const verdict = `not() { if "$@"; then return 1; fi; }
( set -e
${untouched}
) && echo untouched`;

/** The whole cluster moves while the state is full of plants: every agent stops here and starts there. Their locks may be lost, by their own hand. */
export async function hostileMoves(run: Run): Promise<void> {
  const { cluster, lab, steps, checks } = run;
  checks.begin('hostile moves');
  let active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  for (const { what, client } of attacksBelow(infodir)) {
    const to = peerOf(active);
    const asked = now();
    const seen = await steps.run(`${active} to ${to}, ${what}`, 400, async (signal) => {
      for (const node of lab.nodes) await node.run(begin, { signal });
      await lab.machine('client').run(client, { signal });
      await move(run, to, signal);
      const answers = [];
      for (const node of lab.nodes) answers.push((await node.ask(verdict, { signal })).trim());
      return { answers, failures: (await cluster.seenFrom(to, signal))?.failures };
    });
    checks.add(
      `S1-S6 in a move (${what}): nothing outside the export changed, on either node`,
      seen.answers.every((answer) => answer === 'untouched'),
      `${seen.answers.join(', ')}; ${(now() - asked).toFixed(1)} s`,
    );
    checks.add(
      `S1-S6 in a move (${what}): no action failed`,
      seen.failures?.length === 0,
      seen.failures?.map(({ resource, task, reason }) => `${resource} ${task}: ${reason}`).join('; ') ??
        'unknown',
    );
    active = to;
  }
}
