import type { Run } from '../run.ts';

/** Rows of the specification that tell what DRBD 8.4 shows; what DRBD 9 shows in the same situation is another row. */
const only84 = (number: number): boolean =>
  (number >= 83 && number <= 101) || number === 143 || number === 181;

export const isDrbd9 = ({ drbd }: Pick<Run, 'drbd'>): boolean => drbd?.startsWith('9.') ?? false;

/** The tag of a check that shows rows of the specification on this kernel; nothing when it shows none. */
export function tag(run: Pick<Run, 'drbd'>, ...numbers: number[]): string {
  const shown = numbers.filter((number) => !(isDrbd9(run) && only84(number)));
  return shown.length > 0 ? `drbd#${shown.join()} ` : '';
}
