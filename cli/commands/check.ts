import type { Entry } from '../../lib/findings/entry.ts';
import { type Finding, finding } from '../../lib/findings/finding.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import type { Cluster } from '../facts/cluster.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { orNull, tryToKnow } from '../facts/known.ts';
import { comparable } from '../facts/machine.ts';
import { isOn } from '../facts/migration.ts';
import { askLook } from '../facts/other-node.ts';
import { besideOf, movable, replicated, services } from '../facts/service.ts';
import { lookAtSetup } from '../facts/setup.ts';
import { whatIf } from '../facts/what-if.ts';
import { acceptances, withAcceptances } from '../findings/accepted.ts';
import { findingsBetween } from '../findings/comparison.ts';
import { findingsInConfiguration } from '../findings/configuration.ts';
import { findingsNow } from '../findings/now.ts';
import { endingFor, entryOf, findingLines, severityOf, worstFirst } from '../output/findings.ts';
import { envelope } from '../output/json.ts';
import { print, printLines } from '../output/print.ts';
import type { Terminal } from '../output/terminal.ts';
import { say, wordsIn } from '../output/words.ts';

/** Everything there is to find, with what Pacemaker would do at the loss of a node. */
export async function findAll(call: Call, facts: Facts, nodes: readonly string[]) {
  const cluster = orNull(facts.cluster);
  const setup = await lookAtSetup(call.host, cluster);
  const losses: { node: string; actions: readonly string[]; lost: readonly string[] }[] = [];
  const found: Finding[] = [...findingsNow(facts), ...findingsInConfiguration(facts, setup)];
  for (const node of nodes) {
    const answer = await tryToKnow(() => whatIf(call.host, node));
    if (answer.is === 'unknown') {
      found.push(finding('COULD_NOT_FIND_OUT', { subject: `the loss of ${node}`, reason: answer.why }));
      continue;
    }
    const { actions } = answer.value;
    const lost = cluster ? answer.value.lost.filter((id) => isMissed(cluster, id, node)) : answer.value.lost;
    losses.push({ node, actions, lost });
    const text = `without ${node}: ${lost.join(', ')} run nowhere`;
    const evidence = [{ source: 'crm_simulate', text }];
    // of what starts together the first one stands for all
    const together = new Map(lost.toReversed().map((id) => [cluster ? unitOf(cluster, id) : id, id]));
    for (const resource of [...together.values()].toReversed())
      found.push(finding('LOSS_NOT_SURVIVED', { node, resource }, { node, resource, evidence }));
  }
  return { findings: found, losses };
}

const unitOf = ({ cib }: Cluster, id: string): string => {
  const one = cib.primitives.find((each) => each.id === id);
  return one?.group ?? one?.clone ?? id;
};

/**
 * Of what would run nowhere without a node: not what is made for that node alone, by constraints that an administrator gave it, nor the parts
 * of a bundle, which the configuration has no names for. What runs with DRBD, or serves NFS, is missed in any case.
 */
function isMissed(cluster: Cluster, id: string, node: string): boolean {
  const { cib, nodes } = cluster;
  if (!cib.primitives.some((one) => one.id === id)) return false;
  const unit = unitOf(cluster, id);
  const served = [
    ...movable(cluster).flatMap(({ services: together }) => together),
    ...services(cluster).filter((one) => besideOf(cluster, one.id).length > 0),
  ];
  const isServed =
    replicated(cluster).some((one) => one.id === id) || served.some((one) => one.members.includes(id));
  const others = nodes.filter(({ name, isMember }) => isMember && name !== node);
  const isSymmetric = cib.properties['symmetric-cluster'];
  const isOptIn = isSymmetric !== undefined && !isOn(isSymmetric);
  const isKeptFrom = (other: string): boolean => {
    const there = cib.locations.filter(
      ({ resource, node: of }) => (resource === id || resource === unit) && of === other,
    );
    return (
      (isOptIn && there.length === 0) ||
      there.some((one) => one.score === '-INFINITY' && !/^(cli-|drbd-fence-by-handler-)/.test(one.id))
    );
  };
  return isServed || !others.every(({ name }) => isKeptFrom(name));
}

/** What the other nodes tell of themselves over ssh, side by side. */
async function findingsElsewhere({ host }: Call, facts: Facts): Promise<readonly Finding[]> {
  const others =
    orNull(facts.cluster)?.nodes.filter(
      ({ name, isMember, online }) => isMember && online && name !== facts.node,
    ) ?? [];
  if (others.length === 0) return [];
  const own = await comparable(host, facts);
  const each = await Promise.all(
    others.map(async ({ name: peer }) => {
      const askedAt = Date.now();
      const theirs = await askLook(host, peer);
      return [...findingsBetween({ node: facts.node, own, peer, theirs, askedAt, answeredAt: Date.now() })];
    }),
  );
  return each.flat();
}

export type CheckOptions = {
  /** To play its loss through. */
  readonly node: string | null;
  /** The configuration; null for the usual one, which need not be there. */
  readonly file: string | null;
};

/** `tsha check`: what is wrong, what will hurt one day, and what happens when a node is lost. Changes nothing. */
export async function check(call: Call, { node, file }: CheckOptions): Promise<Ending> {
  const accepted = await acceptances(file, call.terminal.language);
  const facts = await gather(call.host, Date.now());
  const cluster = orNull(facts.cluster);
  const names = cluster?.nodes.map(({ name }) => name) ?? [];
  if (node !== null && cluster && !names.includes(node))
    throw new CommandError('unknown', `there is no node ${node} in this cluster (${names.join(', ')})`);
  const online = cluster?.nodes.filter((one) => one.online).map(({ name }) => name) ?? [];
  const { findings: here, losses } = await findAll(
    call,
    facts,
    node === null ? (online.length > 1 ? online : []) : [node],
  );
  const { time, node: self } = facts;
  const everything = [...here, ...(node === null ? await findingsElsewhere(call, facts) : [])];
  const findings = withAcceptances(everything, accepted, time, (one) => severityOf(one) === 'danger');
  if (call.json) {
    const data = {
      losses: losses.map(({ node: lost, actions, lost: resources }) => ({
        node: lost,
        actions: [...actions],
        resourcesLost: [...resources],
      })),
    };
    print(1, `${JSON.stringify(envelope({ kind: 'check', time, node: self, findings, data }))}\n`);
  } else if (!call.quiet) printLines(checkScreen(findings, call.terminal, self));
  else print(1, `${summary(findings, call.terminal)}\n`);
  if (node !== null && !call.json && !call.quiet)
    printLines(
      losses.flatMap(({ actions }) => [
        '',
        `crm_simulate, ${node}:`,
        ...actions.map((action) => `  ${action}`),
      ]),
    );
  return endingFor(findings);
}

const groups: readonly Entry['about'][] = ['cluster', 'fencing', 'drbd', 'nfs', 'boot', 'command'];

function summary(findings: readonly Finding[], { language }: Terminal): string {
  const words = wordsIn(language);
  const count = (...severities: readonly string[]) =>
    findings.filter((one) => severities.includes(severityOf(one))).length;
  if (findings.length === 0) return words.wellChecked;
  return say(words.found, { bad: count('danger'), warn: count('warning', 'unknown'), hints: count('hint') });
}

export function checkScreen(
  findings: readonly Finding[],
  terminal: Terminal,
  self: string,
): readonly string[] {
  const { paint } = terminal;
  const lines = groups.flatMap((about) => {
    const own = worstFirst(findings).filter((one) => entryOf(one).about === about);
    return own.length === 0
      ? []
      : [
          paint.bold(about.toUpperCase()),
          ...own.flatMap((one) => findingLines(one, terminal, 'why', self)),
          '',
        ];
  });
  return [
    ...lines,
    summary(findings, terminal),
    ...(findings.length > 0 ? [wordsIn(terminal.language).explainMore] : []),
  ].map((line) => terminal.marks(line));
}
