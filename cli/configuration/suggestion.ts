/** Insertions, deletions, replacements and swaps of neighbours that make one word of another. */
function distance(one: string, other: string): number {
  const rows = [...Array(one.length + 1)].map((_, row) =>
    [...Array(other.length + 1)].map((_, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= one.length; row++)
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwap =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const steps = [
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
      ];
      if (isSwap) steps.push(at(row - 2, column - 2) + 1);
      (rows[row] as number[])[column] = Math.min(...steps);
    }
  return at(one.length, other.length);
}

/** The known word that was probably meant: at most two fifths of it differ. */
export function suggestion(written: string, known: readonly string[]): string | undefined {
  const word = written.slice(0, 80).toLowerCase();
  const [best] = known
    .map((one) => ({ one, far: distance(word, one.toLowerCase()) }))
    .filter(({ one, far }) => far <= Math.max(1, Math.floor(Math.max(one.length, word.length) * 0.4)))
    .sort((a, b) => a.far - b.far);
  return best?.one;
}
