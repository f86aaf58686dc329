import { Checks } from '../test/lab/report/checks.ts';
import { Steps } from '../test/lab/report/steps.ts';
import { campaign } from '../test/lab/scenarios/campaign.ts';
import { type Detection, detection, type Effort } from '../test/lab/scenarios/detection.ts';
import type { Plan } from '../test/lab/scenarios/run.ts';
import type { Suite } from '../test/lab/settings.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';

/** How soon corosync misses a silent node, and how often one that is only slow. */
export async function benchDetection(
  { suite, ...effort }: Effort & { readonly suite: Suite },
  say: (text: string) => void,
): Promise<readonly Detection[]> {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const seen: Detection[] = [];
  const plan: Plan = {
    ...{ suite, campaign: 'detection', provider: 'native', order: 'recommended' },
    ...{ grace: 15, purpose: 'demo' },
  };
  const report = { steps: new Steps(interruption.signal), checks: new Checks(), figures: [] };
  const { failures } = await campaign(plan, [detection(effort, seen)], report, false);
  for (const failure of failures) say(`ended before its time: ${failure.message}`);
  return seen;
}

export const detectionTable = (seen: readonly Detection[]): string =>
  table(
    ['token', 'nodes', 'missed after (median)', 'soonest', 'latest', 'not missed anew', 'false alarms', 'in'],
    2,
    seen.map(({ token, load, noticed, falseAlarms, watched }) => {
      // whoever a false alarm had given up already is not given up again
      const known = noticed.filter((seconds) => !Number.isNaN(seconds));
      return [
        `${token} ms`,
        load,
        ...[median(known), Math.min(...known), Math.max(...known)].map((value) => `${value.toFixed(1)} s`),
        `${noticed.length - known.length} of ${noticed.length}`,
        String(falseAlarms),
        `${watched} s`,
      ];
    }),
  );
