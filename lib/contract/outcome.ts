/** Every way an action can end, and the number Pacemaker hears. The only place exit codes are written. */
export const exitCode = {
  ok: 0,
  failed: 1,
  invalidHere: 2,
  unimplemented: 3,
  notPermitted: 4,
  notInstalled: 5,
  misconfigured: 6,
  notRunning: 7,
  promoted: 8,
  failedPromoted: 9,
  degraded: 190,
  degradedPromoted: 191,
} as const;

export type Outcome = keyof typeof exitCode;

/** What a look at the machine can find. */
export type Health = 'ok' | 'notRunning' | 'promoted' | 'degraded' | 'degradedPromoted';

/** What a look reports: the health, and for anything but a healthy state the sentence an operator should read. */
export type Report = { readonly health: Health; readonly reason: string };

export type Trouble = Exclude<Outcome, 'ok' | 'notRunning' | 'promoted'>;

/** Thrown anywhere below an action; the message becomes the ocf-exit-reason. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly outcome: Trouble;
  constructor(outcome: Trouble, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.outcome = outcome;
  }
}

/** A recurring monitor's 7, with its reason. */
export const notRunning = (reason: string): Report => ({ health: 'notRunning', reason });
