/** How the command ends, the only place these numbers are written. 0 to 3 are what monitoring plugins use. */
export const exitStatus = {
  /** All is well, it is done, or there was nothing to do. */
  well: 0,
  /** Something to look at: degraded but serving. */
  attention: 1,
  /** Not serving, data at risk; refused or failed with nothing half-way. */
  broken: 2,
  /** Could not find out: wrong usage, no cluster here, no answer. */
  unknown: 3,
  /** Begun and not ended. */
  halfway: 4,
  /** By Ctrl-C or a signal; cleaned up. */
  interrupted: 130,
} as const;

export type Ending = keyof typeof exitStatus;

/** The command cannot or will not go on; the message is the sentence for the operator. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly ending: Ending;
  /** What to do instead, one command each. */
  readonly fix: readonly string[];
  constructor(ending: Ending, message: string, fix: readonly string[] = []) {
    super(message);
    this.ending = ending;
    this.fix = fix;
  }
}
