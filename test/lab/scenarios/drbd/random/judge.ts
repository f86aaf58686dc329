// What DRBD 8.4's own table says, and which answers of the agent agree with it.

/** Of one minor. */
export interface Minor {
  readonly connection: string;
  /** This node's: Primary, Secondary. */
  readonly role: string;
  /** This node's: UpToDate, Diskless… */
  readonly disk: string;
}

/**
 * /proc/drbd of 8.4:
 *
 *      1: cs:WFConnection ro:Secondary/Unknown ds:UpToDate/DUnknown C r-----
 *     (1)    (2)             (3)                  (4)
 *
 * (1) minor, (2) connection, (3) roles, (4) disks, of this node and its peer. An Unconfigured minor is a number that is kept: nothing is up.
 */
export function parseTable(text: string): ReadonlyMap<number, Minor> {
  const lines = text.matchAll(/^ *(\d+): cs:(\S+) ro:([^/\s]+)\/\S+ ds:([^/\s]+)\//gm);
  return new Map(
    [...lines].map(([, minor, connection = '', role = '', disk = '']) => [
      Number(minor),
      { connection, role, disk },
    ]),
  );
}

export const agentActions = ['start', 'stop', 'promote', 'demote', 'monitor', 'notify'] as const;
export type AgentAction = (typeof agentActions)[number];

export interface Called {
  readonly action: AgentAction;
  readonly code: number;
  readonly said: string;
  readonly before: Minor | undefined;
  readonly after: Minor | undefined;
  /** Somebody has the device open. */
  readonly isHeld: boolean;
  readonly isWithoutDrbdadm: boolean;
}

/** What is wrong with an answer; nothing when the kernel agrees. */
export function complaintsAbout(called: Called): readonly string[] {
  const { action, code, said, before, after, isHeld, isWithoutDrbdadm } = called;
  const isPrimary = after?.role === 'Primary';
  const rules: readonly (readonly [isRight: boolean, what: string])[] = {
    start: [
      [code !== 0 || after !== undefined, 'started, and nothing is up'],
      [code !== 0 || !isPrimary || before?.role === 'Primary', 'started as Primary'],
      [code === 0 || isWithoutDrbdadm || isHeld, 'could not be started'],
    ] as const,
    stop: [
      [code !== 0 || after === undefined, 'stopped, and still up'],
      [code === 0 || isHeld, 'could not be stopped although nobody holds it'],
    ] as const,
    promote: [[code !== 0 || isPrimary, 'promoted, and not Primary']] as const,
    demote: [
      [code !== 0 || (after !== undefined && !isPrimary), 'demoted, and not Secondary'],
      [code !== 7 || after === undefined, 'not running, and up'],
      [code === 0 || code === 7 || isHeld, 'could not be demoted although nobody holds it'],
    ] as const,
    monitor: [
      [code === rightCode(after), `the table says ${rightCode(after)}`],
      [isSame(before, after), 'a monitor changed something'],
    ] as const,
    notify: [
      [code === 0, 'a notification failed'],
      [isSame(before, after), 'a notification changed something'],
    ] as const,
  }[action];
  const wrong = rules.filter(([isRight]) => !isRight).map(([, what]) => what);
  // whoever runs into its timeout is killed without a word, and Pacemaker's own exit codes end at 9
  const isTold = code === 0 || code === 8 || (code < 10 && said.includes('ocf-exit-reason:'));
  return [...wrong, ...(isTold || code === 7 ? [] : ['failed without a reason'])].map(
    (what) => `${action} ${code}: ${what} (${said.split('\n').at(-1) ?? ''})`,
  );
}

const rightCode = (minor: Minor | undefined): number => (minor ? (minor.role === 'Primary' ? 8 : 0) : 7);

/** The connection changes by itself. */
const isSame = (before: Minor | undefined, after: Minor | undefined): boolean => before?.role === after?.role;
