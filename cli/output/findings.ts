import { type Code, catalogue } from '../../lib/findings/catalogue.ts';
import type { Entry, Severity } from '../../lib/findings/entry.ts';
import { type Finding, filled, filledCommand } from '../../lib/findings/finding.ts';
import { chinese } from '../../lib/findings/zh-CN.ts';
import type { Ending } from '../exit.ts';
import { harmless, type Language, type Terminal, wrapped } from './terminal.ts';

const order: readonly Severity[] = ['danger', 'unknown', 'warning', 'hint'];

export const entryOf = ({ code }: Finding): Entry => catalogue[code];
export const severityOf = (finding: Finding): Severity => entryOf(finding).severity;

export const worstFirst = (findings: readonly Finding[]): readonly Finding[] =>
  findings.toSorted((one, other) => rank(one) - rank(other));

/** What failed once may be over; what is wrong now stands above it. */
const rank = (finding: Finding): number =>
  order.indexOf(severityOf(finding)) + (finding.code === 'RESOURCE_FAILED' ? 0.5 : 0);

/** The sentence of a finding. */
export const sentenceOf = (finding: Finding, language: Language): string =>
  filled((language === 'zh' ? chinese : catalogue)[finding.code].what, finding.facts);

const reasonOf = ({ code }: Pick<Finding, 'code'>, language: Language): string =>
  (language === 'zh' ? chinese : catalogue)[code].why;

export const commandsOf = (finding: Finding): readonly string[] =>
  entryOf(finding)
    .fix.filter((command) => !(command.startsWith('sudo ') && process.getuid?.() === 0))
    .map((command) => filledCommand(command, finding.facts));

/** The worst of several findings decides how a command ends. */
export function endingFor(findings: readonly Finding[]): Ending {
  const found = new Set(findings.map(severityOf));
  if (found.has('danger')) return 'broken';
  if (found.has('unknown')) return 'unknown';
  return found.has('warning') ? 'attention' : 'well';
}

const marks: { readonly [severity in Severity]: string } = {
  danger: '✗',
  unknown: '?',
  warning: '!',
  hint: '·',
};

/** Of a node by itself, which the sentence does not name. */
const ofNodesOwn: ReadonlySet<Entry['about'] | Code> = new Set([
  ...(['boot', 'nfs'] as const),
  ...(['CLUSTER_NOT_HERE', 'COULD_NOT_FIND_OUT', 'DRBD_HANDLER_MISSING'] as const),
]);

/**
 * One finding: its sentence, and the first command that leads on; with `why` also what it means. What belongs to another node than `self`
 * is led by that node's name.
 */
export function findingLines(
  finding: Finding,
  terminal: Terminal,
  why: 'why' | 'short',
  self = finding.node,
): readonly string[] {
  const { paint, language, width } = terminal;
  const severity = severityOf(finding);
  const colour = severity === 'danger' ? paint.bad : severity === 'hint' ? paint.dim : paint.warn;
  const room = width === null ? null : width - 8;
  const isElsewhere =
    finding.node !== null &&
    finding.node !== self &&
    (ofNodesOwn.has(entryOf(finding).about) || ofNodesOwn.has(finding.code));
  const elsewhere = isElsewhere ? `${finding.node}: ` : '';
  const [first = '', ...rest] = wrapped(
    `${finding.code}  ${harmless(elsewhere + sentenceOf(finding, language))}`,
    room,
  );
  const explanation = why === 'why' ? wrapped(reasonOf(finding, language), room) : [];
  const commands = commandsOf(finding).slice(0, why === 'why' ? undefined : 1);
  return [
    `  ${colour(marks[severity])} ${first.replace(finding.code, (code) => colour(code))}`,
    ...rest.map((line) => `      ${line}`),
    ...explanation.map((line) => `      ${line}`),
    ...commands.map((command) => `    → ${paint.bold(harmless(command))}`),
  ];
}
