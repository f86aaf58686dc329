import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { attribute, below, type Element, isTrue, parseXml, within } from './xml.ts';

/** What Pacemaker would do if a node were lost now. */
export type WhatIf = {
  /** In its own words, in order: `promote Data:1 on beta`. */
  readonly actions: readonly string[];
  /** Resources that run now and would run nowhere. */
  readonly lost: readonly string[];
};

/** Plays the loss of a node through with the cluster as it is; changes nothing. */
export async function whatIf(host: Host, node: string): Promise<WhatIf> {
  const argv: Argv = ['crm_simulate', '--live-check', '--simulate', `--node-fail=${node}`, '--output-as=xml'];
  const output = await host.tryRun(argv, { timeoutMs: 15_000 });
  if (output.code !== 0) throw commandFailure(argv, output);
  return readWhatIf(parseXml(output.stdout));
}

function readWhatIf(answer: Element): WhatIf {
  const [before] = below(answer, 'cluster_status');
  const [after] = below(answer, 'revised_cluster_status');
  if (!before || !after) throw new Failure('failed', 'crm_simulate told only a part');
  const running = runningIn(after);
  return {
    actions: below(answer, 'transition', 'rsc_action').map((action) =>
      [
        attribute(action, 'op') || attribute(action, 'task'),
        attribute(action, 'resource'),
        attribute(action, 'node'),
      ]
        .filter(Boolean)
        .join(' '),
    ),
    lost: [...runningIn(before)].filter((id) => !running.has(id)),
  };
}

const runningIn = (status: Element): ReadonlySet<string> =>
  new Set(
    within(status, 'resource')
      .filter(
        (one) => isTrue(one, 'active') && ['Started', 'Promoted', 'Master'].includes(attribute(one, 'role')),
      )
      .map((one) => attribute(one, 'id').replace(/:\d+$/, '')),
  );
