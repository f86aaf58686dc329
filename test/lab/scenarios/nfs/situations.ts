import type { AgentName } from '../../cluster/configuration.ts';
import type { Machine } from '../../machines/machine.ts';
import type { Run } from '../run.ts';

/** An agent called by hand on a node that somebody has brought into a certain state: what it must answer, and leave behind. */
export interface Situation {
  /** Becomes the check's name. */
  readonly what: string;
  readonly agent: AgentName;
  readonly action: string;
  /** `name=value` each. */
  readonly params?: readonly string[];
  /** Pacemaker's limit for the action, seconds. */
  readonly timeout?: number;
  /** Shell, where every line must succeed. */
  readonly before?: string;
  readonly exit: number;
  /** In what the agent says on stderr: its exit reason and its log. */
  readonly says?: RegExp;
  /** The action must end within these seconds. */
  readonly within?: number;
  /** Shell, where every line must succeed. */
  readonly leaves?: string;
  /** Shell, to tidy up; whatever it answers. */
  readonly after?: string;
}

export interface Verdict {
  readonly passed: boolean;
  readonly detail: string;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const mark = '@@';
const defaultTimeout = 40;

/** What the situations' shell lines may use. */
const vocabulary = `
threads() { sed -n 's/^th \\([0-9]*\\).*/\\1/p' /proc/net/rpc/nfsd; }
serving() { [ "$(threads)" -gt 0 ]; }
idle() { [ "$(threads)" = 0 ]; }
bound() { mountpoint -q /var/lib/nfs; }
free() { ! bound; }
runs() { pgrep -x "$1" > /dev/null; }
gone() { ! runs "$1"; }
`;

/** The whole situation as one shell script; its answer is for \`judgeSituation\`. */
export function scriptOf(situation: Situation): string {
  const { agent, action, params = [], timeout = defaultTimeout, before, leaves, after } = situation;
  const environment = [
    'OCF_ROOT=/usr/lib/ocf',
    `OCF_RESOURCE_INSTANCE=by-hand-${agent}`,
    `OCF_RESKEY_CRM_meta_timeout=${timeout * 1000}`,
    ...params.map((setting) => (setting.startsWith('OCF_') ? setting : `OCF_RESKEY_${setting}`)),
  ];
  const lines = (text: string): string => `( set -ex\n${text}\n) > /run/by-hand.log 2>&1 < /dev/null`;
  const kept = `|| { echo "${mark}KIND"; tail -n 4 /run/by-hand.log; }`;
  return [
    vocabulary,
    'systemctl reset-failed', // five starts in ten seconds are an accident to systemd, here they are the test
    ...(before ? [`${lines(before)} ${kept.replace('KIND', 'unprepared')}`] : []),
    'began=$(date +%s.%N)',
    `timeout -k 1 ${timeout} env ${environment.map(quoted).join(' ')} /usr/lib/ocf/resource.d/tsha/${agent} ${action} > /run/by-hand.out 2> /run/by-hand.err < /dev/null`,
    `echo "${mark}exit $? $began $(date +%s.%N)"; cat /run/by-hand.err`,
    ...(leaves ? [`${lines(leaves)} ${kept.replace('KIND', 'unexpected')}`] : []),
    ...(after ? [`${lines(after)}`] : []),
    'true',
  ].join('\n');
}

export function judgeSituation({ exit, says, within }: Situation, answer: string): Verdict {
  const part = (kind: string): string | undefined =>
    new RegExp(`^${mark}${kind}([^]*?)(?=^${mark}|$(?![^]))`, 'm').exec(answer)?.[1]?.trim();
  const unprepared = part('unprepared');
  if (unprepared !== undefined) return { passed: false, detail: `could not be prepared: ${unprepared}` };
  const [head = '', ...said] = (part('exit') ?? '').split('\n');
  const [code = Number.NaN, began = 0, ended = 0] = head.split(' ').map(Number);
  const reason = said.find((line) => line.startsWith('ocf-exit-reason:'))?.replace(/^[^:]*:/, '');
  const took = ended - began;
  const unexpected = part('unexpected');
  const faults = [
    ...(code === exit ? [] : [`exit ${code} instead of ${exit}`]),
    ...(says && !said.some((line) => says.test(line)) ? [`did not say ${says}: ${said.join(' | ')}`] : []),
    ...(within !== undefined && took > within ? [`took ${took.toFixed(1)} s, not ${within}`] : []),
    ...(unexpected === undefined ? [] : [`left behind: ${unexpected}`]),
  ];
  const found = reason ?? `${took.toFixed(1)} s`;
  return { passed: faults.length === 0, detail: faults.length === 0 ? found : [...faults, found].join('; ') };
}

/** One situation after the other, each in the state that the one before it left. */
export async function meet(
  { checks }: Run,
  machine: Machine,
  situations: readonly Situation[],
  signal: AbortSignal,
): Promise<void> {
  for (const situation of situations) {
    const answer = await machine.run(scriptOf(situation), { signal, timeout: 90_000 });
    const { passed, detail } = judgeSituation(situation, answer);
    checks.add(situation.what, passed, detail);
  }
}
