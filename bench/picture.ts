import { type Contestant, contestants } from './statistics.ts';
import type { Measured } from './targets.ts';

const colours: Readonly<Record<Contestant, string>> = {
  stock: '#9a9a9a',
  native: '#1f77b4',
  script: '#f2a541',
};
const [width, labelWidth, bar, gap, top] = [900, 300, 9, 12, 46];

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
  const legend = contestants.map(
    (who, n) =>
      `<rect x="${labelWidth + n * 80}" y="26" width="10" height="10" fill="${colours[who]}"/>` +
      `<text x="${labelWidth + n * 80 + 14}" y="35">${who}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">
<title>${escapeXml(title)}</title>
<rect width="100%" height="100%" fill="white"/>
<text x="8" y="16" font-size="13">${escapeXml(title)}</text>
${[...legend, ...body].join('\n')}
</svg>
`;
}

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
