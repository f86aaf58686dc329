import { type Contestant, contestants } from './statistics.ts';
import { escapeXml, svg, width } from './svg.ts';
import type { Measured } from './targets.ts';

const colours: Readonly<Record<Contestant, string>> = {
  stock: '#9a9a9a',
  native: '#1f77b4',
  script: '#f2a541',
};
const [labelWidth, bar, gap, top] = [300, 9, 12, 46];

/** Bars of the processor time of each row, as an SVG document. */
export function picture(title: string, rows: readonly Measured[]): string {
  const longest = Math.max(...rows.flatMap(({ figures }) => contestants.map((who) => figures[who].cpu)));
  const scale = (width - labelWidth - 70) / longest;
  const rowHeight = contestants.length * bar + gap;
  const height = top + rows.length * rowHeight;
  const body = rows.flatMap((row, n) => {
    const y = top + n * rowHeight;
    const label = [row.agent, row.action, row.state].filter(Boolean).join(', ');
    return [
      `<text x="${labelWidth - 8}" y="${y + 1.9 * bar}" text-anchor="end">${escapeXml(label)}</text>`,
      ...contestants.map((who, k) => {
        const { cpu } = row.figures[who];
        const [length, at] = [(cpu * scale).toFixed(1), y + k * bar];
        return (
          `<rect x="${labelWidth}" y="${at}" width="${length}" height="${bar - 1}" fill="${colours[who]}"/>` +
          `<text x="${labelWidth + Number(length) + 4}" y="${at + bar - 1}" font-size="8">${cpu.toFixed(1)}</text>`
        );
      }),
    ];
  });
  const entries = contestants.map((who) => [colours[who], who] as const);
  return svg({ title, height, legend: { from: labelWidth, step: 80, entries }, body });
}
