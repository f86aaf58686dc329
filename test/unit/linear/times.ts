import { manyLines, parsers } from '../../parsers.ts';
import { type Splice, spliced, splices } from './texts.ts';

// Prints docs/security/parsers.md's table: `npx tsx test/unit/linear/times.ts`, or by Bun, without its compiler as the native flavour runs.

const sizes = [16_384, 131_072, 1_048_576] as const;

function milliseconds(work: (text: string) => unknown, text: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const since = performance.now();
    try {
      work(text);
    } catch {
      // refused
    }
    least = Math.min(least, performance.now() - since);
  }
  return least;
}

const written = (ms: number): string => (ms < 0.1 ? '< 0.1' : ms < 10 ? ms.toFixed(1) : ms.toFixed(0));

console.log('| What is read | shape | 16 KiB | 128 KiB | 1 MiB |\n|---|---|---|---|---|');
for (const parser of parsers.filter(({ isOwn }) => !isOwn)) {
  const row = (shape: string, textOf: (size: number) => string) =>
    console.log(
      `| ${[parser.what, shape, ...sizes.map((size) => written(milliseconds(parser.work, textOf(size))))].join(' | ')} |`,
    );
  const { line } = parser;
  if (line) row('lines', (size) => manyLines(parser, Math.ceil(size / (line(1).length + 1))));
  let worst: { readonly ms: number; readonly splice: Splice } | undefined;
  for (const splice of splices(parser)) {
    const ms = milliseconds(parser.work, spliced(splice, 4096));
    if (worst === undefined || ms > worst.ms) worst = { ms, splice };
  }
  if (worst) {
    const { splice } = worst;
    row('the worst that goes on and on', (size) => spliced(splice, size));
  }
}
