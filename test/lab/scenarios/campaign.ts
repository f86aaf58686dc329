import { GaveUpError } from '../cluster/cluster.ts';
import { disksThatFail, playFaults } from '../faults/faults.ts';
import type { Lab } from '../machines/lab.ts';
import { gatherFacts } from '../report/facts.ts';
import { type CampaignName, isStock, type Suite } from '../settings.ts';
import { clientsOfAllKinds } from '../workload/wishes.ts';
import { applyKilled } from './apply-kills.ts';
import { bootLab, type Report, start } from './bring-up.ts';
import { build, emptyCluster } from './build.ts';
import { detection } from './detection.ts';
import { drbdScenarios } from './drbd/drbd.ts';
import { recover } from './drbd/recover.ts';
import { kill, rejoin, standby, unstandby } from './failover.ts';
import { type Ending, inTurn } from './in-turn.ts';
import { handedOver, killedOnTheWay } from './migrate.ts';
import { mountBelow } from './nested.ts';
import { nfsScenarios } from './nfs/nfs.ts';
import { ocfTester } from './ocf-tester.ts';
import { lookAround } from './operate/looks.ts';
import { lookingScenarios, operateScenarios } from './operate/operate.ts';
import { recoverCluster } from './operate/recover.ts';
import { playOperating } from './operate/situations.ts';
import { packagesScenarios } from './packages.ts';
import { events } from './pause/events.ts';
import { pauses } from './pause/pause.ts';
import { reportScenarios } from './report/report.ts';
import type { Plan, Run } from './run.ts';
import { seedChecked, seedMounts } from './seed.ts';
import { bareMachines, playTutorial } from './tutorial.ts';
import { wanted } from './wanted.ts';

type Scenario = (run: Run) => Promise<void>;

const story: Scenario[] = [start, standby, unstandby, kill, rejoin];

/**
 * What a suite is put through: on Debian 13, only what may differ there. `operate` takes half an hour, and is called for by name as
 * `tutorial`, `seed`, `packages`, `report`, `pause` and `detection` are.
 */
export const campaignsOn: Record<Suite, CampaignName[]> = {
  bookworm: ['failover', 'drbd', 'nfs', 'faults'],
  trixie: ['failover'],
};

/** The demo is the story; the tests go on where it ends, and on Debian 13 leave out what is the same there. */
export function scenariosFor({ suite, provider, purpose, campaign }: Plan): Scenario[] {
  if (campaign === 'drbd') return drbdScenarios;
  if (campaign === 'nfs') return nfsScenarios;
  if (campaign === 'packages') return packagesScenarios;
  if (campaign === 'faults' || campaign === 'fenced') return [disksThatFail, playFaults];
  if (campaign === 'operating') return [playOperating];
  if (campaign === 'tutorial') return [bareMachines, playTutorial];
  if (campaign === 'report') return reportScenarios;
  if (campaign === 'detection') return [detection({ deaths: 5, watched: 120 }, [])];
  if (campaign === 'pause') return [pauses(clientsOfAllKinds, events, [])];
  if (campaign === 'build') return [emptyCluster, build];
  if (campaign === 'migrate') return [start, ...wanted([handedOver, killedOnTheWay, applyKilled])];
  if (campaign === 'seed') return [start, seedMounts, seedChecked, standby, unstandby, standby, unstandby];
  if (campaign === 'operate')
    return [start, ...(suite === 'trixie' || isStock(provider) ? lookingScenarios : operateScenarios)];
  if (purpose === 'demo' || isStock(provider)) return story;
  return suite === 'bookworm'
    ? [...story, mountBelow, lookAround, ocfTester]
    : [start, mountBelow, standby, unstandby, kill];
}

/** One suite from the image to the last scenario. The lab is gone afterwards, unless it is to be kept. */
export async function campaign(
  plan: Plan,
  scenarios: Scenario[],
  report: Report,
  keep: boolean,
): Promise<Ending> {
  let lab: Lab | undefined;
  const tell = async (failure: Error): Promise<void> => {
    if (lab && !isAnswer(plan, failure)) process.stdout.write(`${await gatherFacts(lab)}\n`);
  };
  try {
    const run = await bootLab(plan, report, (created) => {
      lab = created;
    });
    try {
      return await inTurn(scenarios, run, tell, recoveries[plan.campaign]);
    } finally {
      run.writers.stop();
      run.watch.stop();
      run.neighbour.stop();
    }
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    await tell(failure);
    return { failures: [failure], skipped: scenarios.length };
  } finally {
    if (lab && keep) await lab.release();
    else await lab?.remove();
  }
}

/** Pacemaker gave up on a stock agent: that is what the comparison wants to know, not an accident. */
export const isAnswer = ({ provider }: Plan, failure: Error): boolean =>
  isStock(provider) && failure.cause instanceof GaveUpError;

/** How a campaign goes on after a scenario that failed. Where there is none, scenarios build upon each other. */
const recoveries: Partial<Record<CampaignName, Scenario>> = {
  drbd: recover,
  operate: recoverCluster,
};
