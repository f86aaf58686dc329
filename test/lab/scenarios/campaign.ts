import { GaveUpError } from '../cluster/cluster.ts';
import type { Lab } from '../machines/lab.ts';
import { gatherFacts } from '../report/facts.ts';
import { isStock } from '../settings.ts';
import { bootLab, type Report, start } from './bring-up.ts';
import { kill, rejoin, standby, unstandby } from './failover.ts';
import type { Plan, Run } from './run.ts';

const scenarioNames = ['start', 'standby', 'unstandby', 'kill', 'rejoin'] as const;

async function scenarios(run: Run, begin: (name: (typeof scenarioNames)[number]) => void): Promise<void> {
  begin('start');
  await start(run);
  begin('standby');
  const rested = await standby(run);
  begin('unstandby');
  await unstandby(run, rested);
  begin('kill');
  const killed = await kill(run);
  begin('rejoin');
  await rejoin(run, killed);
}

export interface Ending {
  /** Why the run ended early. */
  failure?: Error;
  /** Scenarios that were never begun. */
  skipped: number;
}

/** One suite from the image to the last scenario. The lab is gone afterwards, unless it is to be kept. */
export async function campaign(plan: Plan, report: Report, keep: boolean): Promise<Ending> {
  let lab: Lab | undefined;
  let begun = 0;
  try {
    const run = await bootLab(plan, report, (created) => {
      lab = created;
    });
    try {
      await scenarios(run, (name) => {
        begun = scenarioNames.indexOf(name) + 1;
      });
    } finally {
      run.watch.stop();
    }
    return { skipped: 0 };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    const ending = { failure, skipped: scenarioNames.length - Math.max(begun, 1) };
    if (lab && !isAnswer(plan, ending)) process.stdout.write(`${await gatherFacts(lab)}\n`);
    return ending;
  } finally {
    if (lab) await (keep ? lab.release() : lab.remove());
  }
}

/** Pacemaker gave up on a stock agent: that is what the comparison wants to know, not an accident. */
export const isAnswer = ({ provider }: Plan, { failure }: Ending): boolean =>
  isStock(provider) && failure?.cause instanceof GaveUpError;
