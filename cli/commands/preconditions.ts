import type { Code } from '../../lib/findings/catalogue.ts';
import { CommandError } from '../exit.ts';
import type { Location } from '../facts/cib.ts';
import type { Cluster } from '../facts/cluster.ts';
import { isAtWork } from '../facts/service.ts';
import { harmless, type Terminal } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import { say, type Words } from '../output/words.ts';

/** What must hold before a command begins anything. */
export type Precondition = {
  readonly holds: boolean;
  /** One sentence for a person. */
  readonly what: string;
  /** What `--although` has to name to go on without it; null where it could not work. */
  readonly acceptable: Code | null;
  /** Something that nobody could look at is no obstacle, and is marked. */
  readonly isCertain?: false;
};

/** Codes that a person has said may be so. */
type Although = readonly string[];

export const must = (holds: boolean, what: string, acceptable: Code | null = null): Precondition => ({
  ...{ holds, what, acceptable },
});

/** `well` where there are none of them, else `otherwise` with `{what}`. */
export const none = (
  found: readonly string[],
  well: string,
  otherwise: string,
  acceptable: Code | null = null,
): Precondition =>
  must(
    found.length === 0,
    found.length === 0 ? well : say(otherwise, { what: found.join(', ') }),
    acceptable,
  );

/** Of nothing an action is under way. */
export const isIdle = ({ instances }: Cluster, words: Words): Precondition =>
  none(
    instances.filter(isAtWork).map(({ id, role }) => `${id} ${role}`),
    words.idle,
    words.busy,
  );

export const noneInTheWay = (found: readonly Location[], time: number, words: Words): Precondition =>
  none(
    found.map(({ id, endsAt }) =>
      endsAt === null ? id : `${id}${say(words.until, { when: clock(endsAt, time) })}`,
    ),
    words.noneInTheWay,
    words.inTheWay,
  );

const isAccepted = ({ acceptable }: Precondition, although: Although): boolean =>
  acceptable !== null && although.includes(acceptable);

/** A line for each, with its mark. */
export const linesOf = (
  conditions: readonly Precondition[],
  although: Although,
  { paint }: Terminal,
): readonly string[] =>
  conditions.map((one) => {
    const mark =
      one.holds && one.isCertain !== false
        ? paint.good('✓')
        : one.holds || isAccepted(one, although)
          ? paint.warn('!')
          : paint.bad('✗');
    return `  ${mark} ${harmless(one.what)}`;
  });

/** Throws `CommandError` where one does not hold and is not accepted; `command` is what could be called again with more accepted. */
export function requireMet(
  conditions: readonly Precondition[],
  although: Although,
  refused: string,
  command: string,
): void {
  const unmet = conditions.filter((one) => !one.holds && !isAccepted(one, although));
  if (unmet.length === 0) return;
  const more = [...new Set(unmet.map((one) => one.acceptable))].map((code) => ` --although=${code}`);
  throw new CommandError('broken', `${refused}: ${unmet.map(({ what }) => harmless(what)).join('; ')}`, [
    'tsha status',
    ...(unmet.every((one) => one.acceptable !== null) ? [`${command}${more.join('')}`] : []),
  ]);
}
