import { type LoggedResource, placeOf } from './split-brain.ts';

/** A change of DRBD's state, as the kernel's log of one node has it. */
export type StateChange = {
  /** Seconds since boot. */
  readonly second: number;
  /** Empty where the kernel does not name it: 8.4 has but one. */
  readonly peer: string;
  readonly of: 'role' | 'disk' | 'connection' | 'peer-role' | 'peer-disk' | 'replication';
  readonly from: string;
  readonly to: string;
};

/** The kernel's own words; 8.4 has `pdsk` where 9 has `peer-disk`, and calls both connection and replication `conn`. */
const words: { readonly [word: string]: StateChange['of'] } = {
  role: 'role',
  disk: 'disk',
  conn: 'connection',
  peer: 'peer-role',
  pdsk: 'peer-disk',
  'peer-disk': 'peer-disk',
  repl: 'replication',
};

/** Every change of a resource's state that is still in the log, in order: `drbd data: role( Secondary -> Primary )`. */
export function stateChangesIn(log: string, resource: LoggedResource): readonly StateChange[] {
  return log.split('\n').flatMap((line) => {
    const place = placeOf(line, resource);
    if (!place) return [];
    return [...place.message.matchAll(/(?<![a-z-])([a-z-]+)\( (\w+) -> (\w+) \)/g)].flatMap(
      ([, word = '', from = '', to = '']) => {
        const of = words[word];
        return of ? [{ second: place.second, peer: place.peer, of, from, to }] : [];
      },
    );
  });
}
