import { GaveUpError } from '../cluster/cluster.ts';
import type { Lab } from '../machines/lab.ts';
import { gatherFacts } from '../report/facts.ts';
import { type CampaignName, isStock, type Suite } from '../settings.ts';
import { bootLab, type Report, start } from './bring-up.ts';
import { drbdScenarios } from './drbd/drbd.ts';
import { kill, rejoin, standby, unstandby } from './failover.ts';
import { nfsScenarios } from './nfs/nfs.ts';
import { ocfTester } from './ocf-tester.ts';
import type { Plan, Run } from './run.ts';

type Scenario = (run: Run) => Promise<void>;

const story: Scenario[] = [start, standby, unstandby, kill, rejoin];

/** What a suite is put through: on Debian 13, only what may differ there. */
export const campaignsOn: Record<Suite, CampaignName[]> = {
  bookworm: ['failover', 'drbd', 'nfs'],
  trixie: ['failover'],
};

/** The demo is the story; the tests go on where it ends, and on Debian 13 leave out what is the same there. */
export function scenariosFor({ suite, provider, purpose, campaign }: Plan): Scenario[] {
  if (campaign === 'drbd') return drbdScenarios;
  if (campaign === 'nfs') return nfsScenarios;
  if (campaign !== 'failover') throw new Error(`there are no ${campaign} scenarios`);
  if (purpose === 'demo' || isStock(provider)) return story;
  return suite === 'bookworm' ? [...story, ocfTester] : [start, standby, unstandby, kill];
}

export interface Ending {
  /** Why the run ended early. */
  failure?: Error;
  /** Scenarios that were never begun. */
  skipped: number;
}

/** One suite from the image to the last scenario. The lab is gone afterwards, unless it is to be kept. */
export async function campaign(
  plan: Plan,
  scenarios: Scenario[],
  report: Report,
  keep: boolean,
): Promise<Ending> {
  let lab: Lab | undefined;
  let begun = 0;
  try {
    const run = await bootLab(plan, report, (created) => {
      lab = created;
    });
    try {
      for (const scenario of scenarios) {
        begun++;
        await scenario(run);
      }
    } finally {
      run.writers.stop();
      run.watch.stop();
      run.neighbour.stop();
    }
    return { skipped: 0 };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    const ending = { failure, skipped: scenarios.length - begun };
    if (lab && !isAnswer(plan, ending)) process.stdout.write(`${await gatherFacts(lab)}\n`);
    return ending;
  } finally {
    if (lab && keep) await lab.release();
    else await lab?.remove();
  }
}

/** Pacemaker gave up on a stock agent: that is what the comparison wants to know, not an accident. */
export const isAnswer = ({ provider }: Plan, { failure }: Ending): boolean =>
  isStock(provider) && failure?.cause instanceof GaveUpError;
