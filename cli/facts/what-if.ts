import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, type Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { attribute, below, type Element, isTrue, parseXml, within } from './xml.ts';

/** What Pacemaker would do if a node were lost now. */
export type WhatIf = {
  /** In its own words, in order: `promote Data:1 on beta`. */
  readonly actions: readonly string[];
  /** Resources that run now and would run nowhere; no fencing devices, of which the one against a node is not to run there. */
  readonly lost: readonly string[];
};

/** Plays the loss of a node through with the cluster as it is; changes nothing. */
export async function whatIf(host: Host, node: string): Promise<WhatIf> {
  const without = `--node-fail=${node}`;
  const live = ['--live-check', without];
  const answer = parseXml(await simulate(host, [...live, '--simulate', '--output-as=xml']));
  const [before] = below(answer, 'cluster_status');
  const whole = below(answer, 'revised_cluster_status').length > 0 ? answer : await inTwoSteps(host, live);
  const [after] = below(whole, 'revised_cluster_status');
  if (!before || !after) throw new Failure('failed', 'crm_simulate told only a part');
  return readWhatIf(before, whole, after);
}

/**
 * Pacemaker 3.0 leaves out, in XML, everything behind a change that it was asked for: so the changed state is asked for first. In a file,
 * since our pipes are sockets, which no program can open by name.
 */
async function inTwoSteps(host: Host, live: readonly string[]): Promise<Element> {
  const folder = mkdtempSync(join(tmpdir(), 'tsha-what-if-'));
  try {
    const changed = join(folder, 'cib.xml');
    await simulate(host, [...live, '--quiet', `--save-input=${changed}`]);
    return parseXml(await simulate(host, [`--xml-file=${changed}`, '--simulate', '--output-as=xml']));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function simulate(host: Host, options: readonly string[]): Promise<string> {
  const argv: Argv = ['crm_simulate', ...options];
  const output = await host.tryRun(argv, { timeoutMs: 15_000 });
  if (output.code !== 0) throw commandFailure(argv, output);
  return output.stdout;
}

function readWhatIf(before: Element, whole: Element, after: Element): WhatIf {
  const running = runningIn(after);
  return {
    actions: below(whole, 'transition', 'rsc_action').map((action) =>
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
        (one) =>
          isTrue(one, 'active') &&
          !attribute(one, 'resource_agent').startsWith('stonith:') &&
          ['Started', 'Promoted', 'Master'].includes(attribute(one, 'role')),
      )
      .map((one) => attribute(one, 'id').replace(/:\d+$/, '')),
  );
