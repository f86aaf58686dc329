import type { AgentName } from '../../cluster/configuration.ts';
import type { Machine } from '../../machines/machine.ts';
import { mountOptions } from '../../workload/workload.ts';
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
  /** The same, on the client, after that. */
  readonly client?: string;
  readonly exit: number;
  /** In what the agent says on stderr: its exit reason and its log. */
  readonly says?: RegExp;
  /** Seconds that the action takes at most where nothing else runs; what has {@link busy} times as long is given on a busy machine. */
  readonly within?: number;
  /** Shell, where every line must succeed. */
  readonly leaves?: string;
  /** The same, on the client, after that. */
  readonly clientSees?: string;
  /** Shell, to tidy up; whatever it answers. */
  readonly after?: string;
}

/** What a situation has besides its call. */
export type Rest = Omit<Situation, 'agent' | 'action' | 'params'>;

/** Situations of one agent, a line each. */
export const call =
  (agent: Situation['agent']) =>
  (action: string, params: readonly string[], rest: Rest): Situation => ({ agent, action, params, ...rest });

export interface Verdict {
  readonly passed: boolean;
  readonly detail: string;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const marker = '@@';
export const agents = '/usr/lib/ocf/resource.d/tsha';
/** A timeout is long enough for as much, so that what waits for a share of it is still told from what does not. */
const busy = 3;
const defaultTimeout = 40;
const longest = 300_000;

/** `set -e` overlooks a line that begins with an exclamation mark. */
const not = 'not() { if "$@"; then return 1; fi; }';

/** What the shell lines for nodes may use. */
const onNode = `
${not}
threads() { sed -n 's/^th \\([0-9]*\\).*/\\1/p' /proc/net/rpc/nfsd; }
serving() { [ "$(threads)" -gt 0 ]; }
idle() { [ "$(threads)" = 0 ]; }
bound() { mountpoint -q /var/lib/nfs; }
free() { ! bound; }
# the kernel refuses to end what has ended
endgrace() { for file in /proc/fs/nfsd/v4_end_grace /proc/fs/lockd/nlm_end_grace; do grep -q Y $file || echo Y > $file; done; }
runs() { pgrep -x "$1" > /dev/null; }
gone() { ! runs "$1"; }
# a client with a delegation keeps its locks to itself
locked() { grep -qE " (POSIX|DELEG) .* WRITE .*:$(stat -c %i "$1") " /proc/locks; }
within() { local i; for i in $(seq $(($1 * 10))); do "\${@:2}" > /dev/null 2>&1 && return; sleep 0.1; done; "\${@:2}"; }
`;

/** And those for the client. */
const onClient = `
${not}
attach() {
  detach $2
  mkdir -p /mnt/$2
  timeout 30 mount -t nfs -o ${mountOptions},vers=$1 $3 /mnt/$2
}
detach() {
  kill $(cat /run/holder-$1.pid) 2> /dev/null || true
  rm -f /run/holder-$1 /run/holder-$1.pid
  # mountpoint would ask the server
  ! grep -q " /mnt/$1 " /proc/mounts || umount -f -l /mnt/$1
}
hold() {
  setsid python3 /root/lab/holder.py /mnt/$1/lock-$1 /run/holder-$1 > /dev/null 2>&1 < /dev/null &
  echo $! > /run/holder-$1.pid
  for i in $(seq 300); do
    ! grep -q ^ok /run/holder-$1 || return 0
    sleep 0.1
  done
  return 1
}
`;

/** Shell lines that all must succeed; otherwise the last ones of their trace, behind a mark. `set -e` has no effect before `||`. */
const lines = (text: string, mark: string): string => `
( set -ex
${text}
) > /run/by-hand.log 2>&1 < /dev/null
[ $? = 0 ] || { echo "${marker}${mark}"; tail -n 4 /run/by-hand.log; }`;

const prepareScript = ({ before }: Situation): string =>
  // five starts in ten seconds are an accident to systemd, here they are the test
  [onNode, 'systemctl reset-failed', before ? lines(before, 'unprepared') : ''].join('\n');

function actScript({ agent, action, params = [], timeout = defaultTimeout, leaves }: Situation): string {
  const environment = [
    'OCF_ROOT=/usr/lib/ocf',
    `OCF_RESOURCE_INSTANCE=by-hand-${agent}`,
    `OCF_RESKEY_CRM_meta_timeout=${timeout * 1000}`,
    ...params.map((setting) => (setting.startsWith('OCF_') ? setting : `OCF_RESKEY_${setting}`)),
  ];
  const command = `timeout -k 1 ${busy * timeout} env ${environment.map(quoted).join(' ')} ${agents}/${agent} ${action}`;
  return [
    onNode,
    'began=$(date +%s.%N)',
    `${command} > /run/by-hand.out 2> /run/by-hand.err < /dev/null`,
    `echo "${marker}exit $? $began $(date +%s.%N)"; cat /run/by-hand.err`,
    leaves ? lines(leaves, 'unexpected') : '',
  ].join('\n');
}

export function judgeSituation({ exit, says, within }: Situation, answer: string): Verdict {
  const part = (kind: string): string | undefined =>
    new RegExp(`^${marker}${kind}([^]*?)(?=^${marker}|$(?![^]))`, 'm').exec(answer)?.[1]?.trim();
  const unprepared = part('unprepared');
  if (unprepared !== undefined) return { passed: false, detail: `could not be prepared: ${unprepared}` };
  const answered = part('exit');
  if (answered === undefined) return { passed: false, detail: 'no answer' };
  const [head = '', ...said] = answered.split('\n');
  const [code = Number.NaN, began = 0, ended = 0] = head.split(' ').map(Number);
  const reason = said.find((line) => line.startsWith('ocf-exit-reason:'))?.replace(/^[^:]*:/, '');
  const took = ended - began;
  const unexpected = part('unexpected');
  const faults = [
    ...(code === exit ? [] : [`exit ${code} instead of ${exit}`]),
    ...(says && !said.some((line) => says.test(line)) ? [`did not say ${says}: ${said.join(' | ')}`] : []),
    ...(within !== undefined && took > busy * within
      ? [`took ${took.toFixed(1)} s, not ${busy} times ${within}`]
      : []),
    ...(unexpected === undefined ? [] : [`left behind: ${unexpected}`]),
  ];
  const found = reason ?? `${took.toFixed(1)} s`;
  return { passed: faults.length === 0, detail: faults.length === 0 ? found : [...faults, found].join('; ') };
}

/** One situation after the other, each in the state that the one before it left. */
export async function meet(
  { lab, checks }: Pick<Run, 'lab' | 'checks'>,
  machine: Machine,
  situations: readonly Situation[],
  signal: AbortSignal,
): Promise<void> {
  const client = lab.machine('client');
  const at = { signal, timeout: longest };
  for (const situation of situations) {
    const { what, client: first, clientSees, after } = situation;
    const parts = [await machine.run(`${prepareScript(situation)}\ntrue`, at)];
    if (first) parts.push(await client.run(`${onClient}${lines(first, 'unprepared')}\ntrue`, at));
    parts.push(await machine.run(`${actScript(situation)}\ntrue`, at));
    if (clientSees) parts.push(await client.run(`${onClient}${lines(clientSees, 'unexpected')}\ntrue`, at));
    if (after) await machine.run(`${onNode}${lines(after, 'untidy')}\ntrue`, at);
    const { passed, detail } = judgeSituation(situation, parts.join('\n'));
    checks.add(what, passed, detail);
  }
}
