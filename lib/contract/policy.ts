import type { Health, Trouble } from './outcome.ts';

/** The situations that decide how much is forgiven. */
export type Situation =
  | 'start'
  | 'stop'
  | 'probe'
  | 'monitor'
  | 'promote'
  | 'demote'
  | 'notify'
  | 'reload'
  | 'validate';

export const situationOf = (action: string, probe: boolean): Situation => {
  switch (action) {
    case 'monitor':
      return probe ? 'probe' : 'monitor';
    case 'reload-agent':
      return 'reload';
    case 'validate-all':
      return 'validate';
    default:
      return action as Situation;
  }
};

/** `look`: go on with what could be read. */
export type Verdict = Trouble | Health | 'look';

/**
 * A required parameter is missing. A probe that answers "misconfigured" gets the resource banned from the whole cluster, and
 * what has no device or address cannot be running; a stop that fails gets the node fenced. A demote that fails is followed by a stop, which
 * knows the parameters of the start. A recurring monitor says what the stock agents say.
 */
export const whenMissing: Readonly<Record<Situation, Verdict>> = {
  start: 'misconfigured',
  promote: 'misconfigured',
  reload: 'misconfigured',
  validate: 'misconfigured',
  demote: 'failed',
  monitor: 'misconfigured',
  probe: 'notRunning',
  notify: 'ok',
  stop: 'ok',
};

/** What an action's own failure is turned into. */
export function forgive(situation: Situation, trouble: Trouble): Trouble | Health {
  switch (situation) {
    case 'probe':
      return hardErrors.has(trouble) ? 'notRunning' : trouble;
    case 'stop':
      return hardErrors.has(trouble) ? 'failed' : trouble;
    case 'notify':
      return 'ok';
    default:
      return trouble;
  }
}

/**
 * Without its software or a usable configuration a resource is not running here, says a probe. To a stop these tell nothing but
 * "failed"; passed on, they would ban the resource as well.
 */
const hardErrors: ReadonlySet<Trouble> = new Set(['misconfigured', 'notInstalled', 'invalidHere']);

/** Everything that changes the machine needs root; looking does not. */
export const needsRoot: ReadonlySet<Situation> = new Set([
  'start',
  'stop',
  'promote',
  'demote',
  'notify',
  'reload',
]);

/**
 * What these write down, a later monitor or stop relies on: where it cannot be written they have failed. Whatever looks or takes down goes
 * on with what the machine shows.
 */
export const mustRemember: ReadonlySet<Situation> = new Set(['start', 'reload']);

/** Everything that brings the service up needs its tools; taking it down must work with whatever is left of them. */
export const needsTools: ReadonlySet<Situation> = new Set(['start', 'promote', 'reload']);
