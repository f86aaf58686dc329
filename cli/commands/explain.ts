import { catalogue, isCode } from '../../lib/findings/catalogue.ts';
import type { Finding } from '../../lib/findings/finding.ts';
import { chinese } from '../../lib/findings/zh-CN.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { isBond, type Ticket } from '../facts/cib.ts';
import type { Cluster } from '../facts/cluster.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { orNull } from '../facts/known.ts';
import { replicated } from '../facts/service.ts';
import { findingsNow } from '../findings/now.ts';
import { endingFor, findingLines } from '../output/findings.ts';
import { envelope } from '../output/json.ts';
import { print, printLines } from '../output/print.ts';
import type { Terminal } from '../output/terminal.ts';
import { harmless, wrapped } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import { say, wordsIn } from '../output/words.ts';

/** What is known of one thing: lines for people, findings for programs. */
type Explanation = { readonly lines: readonly string[]; readonly findings: readonly Finding[] };

/** `tsha explain [CODE|RESOURCE|NODE]`: what a code means, or why something is as it is; without a word, what `status` found. */
export async function explain(call: Call, { word }: { readonly word: string | null }): Promise<Ending> {
  if (word !== null && isCode(word.toUpperCase())) {
    if (call.json) throw new CommandError('unknown', 'what a code means is text: leave out --json');
    printLines(codeLines(word.toUpperCase() as keyof typeof catalogue, call.terminal));
    return 'well';
  }
  const facts = await gather(call.host, Date.now());
  const cluster = orNull(facts.cluster);
  if (!cluster) throw new CommandError('unknown', facts.cluster.is === 'unknown' ? facts.cluster.why : '');
  const all = findingsNow(facts);
  const { lines, findings } =
    word === null ? { lines: [], findings: all } : explanationOf(word, facts, cluster, all, call.terminal);
  if (call.json) {
    const { time, node } = facts;
    print(
      1,
      `${JSON.stringify(envelope({ kind: 'explain', time, node, findings, data: { about: word, lines: [...lines] } }))}\n`,
    );
    return endingFor(findings);
  }
  const told = findings.flatMap((one) => findingLines(one, call.terminal, 'why'));
  const empty = lines.length === 0 && told.length === 0 ? [wordsIn(call.terminal.language).nothingToDo] : [];
  printLines([...lines, ...told, ...empty].map((line) => call.terminal.marks(line)));
  return endingFor(findings);
}

function codeLines(code: keyof typeof catalogue, terminal: Terminal): readonly string[] {
  const { severity, about, fix, see } = catalogue[code];
  const { what, why } = terminal.language === 'zh' ? chinese[code] : catalogue[code];
  return [
    `${terminal.paint.bold(code)}  (${severity}, ${about})`,
    ...[what, why]
      .flatMap((text) => wrapped(text, terminal.width && terminal.width - 4))
      .map((line) => `  ${line}`),
    ...fix.map((command) => `  → ${command}`),
    `  docs/operating.md#${see}`,
  ].map((line) => terminal.marks(line));
}

/** Throws `CommandError` for a word that is neither a resource nor a node here. */
export function explanationOf(
  word: string,
  facts: Facts,
  cluster: Cluster,
  all: readonly Finding[],
  terminal: Terminal,
): Explanation {
  const words = wordsIn(terminal.language);
  const { cib } = cluster;
  if (cluster.nodes.some(({ name }) => name === word))
    return {
      lines: nodeLines(word, cluster),
      findings: all.filter((one) => one.node === word || Object.values(one.facts).includes(word)),
    };
  const tickets = cib.tickets.filter(({ ticket }) => ticket === word);
  if (tickets.length > 0)
    return {
      lines: tickets.map(ticketLine),
      findings: all.filter((one) => Object.values(one.facts).includes(word)),
    };
  const byName = replicated(cluster).find(({ name }) => name === word);
  const group = cib.groups.find(({ id }) => id === word);
  const clone = cib.clones.find(({ id }) => id === word);
  const members = group?.members ?? clone?.members ?? [byName?.id ?? word];
  if (!cib.primitives.some(({ id }) => members.includes(id))) {
    const known = [
      ...[...cib.primitives, ...cib.groups, ...cib.clones].map(({ id }) => id),
      ...cib.tickets.map(({ ticket }) => ticket),
    ];
    throw new CommandError('unknown', say(words.notThere, { word: harmless(word), known: known.join(', ') }));
  }
  const related = new Set([
    word,
    ...members,
    ...replicated(cluster)
      .filter(({ id }) => members.includes(id))
      .map(({ name }) => name),
  ]);
  return {
    lines: members.flatMap((id) => resourceLines(id, facts, cluster)),
    findings: all.filter(
      (one) =>
        (one.resource !== null && related.has(one.resource)) ||
        Object.values(one.facts).some((fact) => related.has(fact)),
    ),
  };
}

function nodeLines(node: string, { instances, cib, nodes }: Cluster): readonly string[] {
  const own = instances
    .filter((one) => one.node === node && one.active)
    .map(({ id, role }) => `${id} (${role})`);
  const found = nodes.find(({ name }) => name === node);
  const banned = cib.locations.filter((one) => one.node === node);
  return [
    `${node}: ${found?.online ? 'online' : 'OFFLINE'}, standby ${found?.standby ?? '?'}; runs ${own.join(', ') || 'nothing'}`,
    ...banned.map(({ id, resource, score }) => `  constraint ${id}: ${resource}, score ${score}`),
  ];
}

const ticketLine = ({ ticket, resource, isGranted }: Ticket): string =>
  `${resource} needs ticket ${ticket}, which this site ${isGranted ? 'has' : 'does not have'}`;

/** Where it runs, what it is tied to, and how its last actions ended. */
function resourceLines(id: string, { time }: Facts, { instances, cib }: Cluster): readonly string[] {
  const primitive = cib.primitives.find((one) => one.id === id);
  const places = instances.filter((one) => one.id === id);
  const names = [id, primitive?.group, primitive?.clone].filter((one): one is string => !!one);
  const failed = cib.operations
    .filter((one) => one.resource === id && ![0, 7, 8, 190, 191, 193].includes(one.code))
    .toSorted((one, other) => (other.at ?? 0) - (one.at ?? 0));
  return [
    `${id}  ${primitive?.agent ?? ''}`,
    ...places.map(
      ({ role, node, pending, blocked, managed }) =>
        `  ${role}${node ? ` on ${node}` : ''}${pending ? `, ${pending}` : ''}${blocked ? ', blocked' : ''}${managed ? '' : ', not managed'}`,
    ),
    ...cib.locations
      .filter(({ resource }) => names.includes(resource))
      .map(
        (one) =>
          `  location ${one.id}: ${one.node ?? 'by rule'}, score ${one.score}${one.endsAt === null ? '' : `, until ${clock(one.endsAt, time)}`}`,
      ),
    ...cib.colocations
      .filter(({ resource }) => names.includes(resource))
      .map((one) => {
        const other = `with ${one.with}${one.withRole ? ` (${one.withRole})` : ''}`;
        return isBond(one) ? `  must be ${other}` : `  ${other}: score ${one.score || '0'}`;
      }),
    ...cib.orders
      .filter(({ second }) => names.includes(second))
      .map((one) => `  waits for: ${one.firstAction} ${one.first}`),
    ...cib.tickets.filter(({ resource }) => names.includes(resource)).map((one) => `  ${ticketLine(one)}`),
    ...failed
      .slice(0, 3)
      .map(
        ({ action, node, at, code, reason }) =>
          `  ${at === null ? '' : `${clock(at, time)}  `}${action} on ${node} ended with ${code}${reason ? `: ${harmless(reason)}` : ''}`,
      ),
    '',
  ];
}
