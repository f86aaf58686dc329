import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { shellLine } from '../../../cli/stack.ts';
import { isCode } from '../../../lib/findings/catalogue.ts';
import { seedCommands } from '../../lab/cluster/seed.ts';
import { situations } from '../../lab/scenarios/operate/situations.ts';
import { campaigns } from '../../lab/settings.ts';
import { forTheLab } from '../../lab/tutorial/lab-values.ts';
import { blocksOf, essenceOf, missingLine } from '../../lab/tutorial/page.ts';

const page = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

const fenced = (info: string, ...lines: string[]): string =>
  [`\`\`\`${info}`, ...lines, '```', ''].join('\n');

describe('blocks of a page', () => {
  test('commands, where they are typed, and what they print', () => {
    const markdown = `# Title\n\n<!-- lab: a disk is lost -->\n${fenced('sh node1 exit=1', 'one', 'two')}\nwords\n${fenced('text', 'out')}${fenced('text passing', '5 %')}`;
    expect(blocksOf(markdown)).toEqual([
      {
        line: 4,
        situation: 'a disk is lost',
        place: 'node1',
        commands: 'one\ntwo',
        exit: 1,
        skip: undefined,
        expected: ['out'],
        passing: ['5 %'],
      },
    ]);
  });

  test('a block that cannot run says why', () => {
    expect(blocksOf(fenced('sh both skip="Red Hat"', 'dnf'))[0]).toMatchObject({
      place: 'both',
      skip: 'Red Hat',
    });
  });

  test.each([
    ['no place', fenced('sh', 'one'), /line 1: ```sh/],
    ['an unknown place', fenced('sh node3', 'one'), /line 1/],
    ['another word', fenced('sh node1 maybe', 'one'), /line 1/],
    ['no language', `text\n\n${fenced('', 'one')}`, /line 3/],
    ['an output first', fenced('text', 'one'), /line 1: an output without/],
    ['not closed', '```sh node1\none\n', /line 1: .*not closed/],
  ])('%s: an error with its line', (_what, markdown, expected) => {
    expect(() => blocksOf(markdown)).toThrow(expected);
  });
});

describe('what is compared of an output', () => {
  test.each([
    ['lab  OK  node2 serves 10.77.0.20 since 19:32:22', 'lab OK node serves 10.77.0.20 since 0'],
    ['Sat Nov 28 23:08:06 2026', 'Day Month 0 0 0'],
    ['✓ Serving from node2 after 64.2 s', '✓ Serving from node after 0 s'],
    ['1: cs:Connected ro:Primary/Secondary', '0: cs:Connected ro:Primary/Secondary'],
    ['/dev/drbd1  344M', '/dev/drbd1 344M'],
  ])('%s', (line, expected) => {
    expect(essenceOf(line)).toBe(expected);
  });

  const output = 'a 1\nb 10.77.0.20\nc done\nb again';
  test.each([
    [['a 2', 'c done'], undefined],
    [['…', 'c …'], undefined],
    [['b 10.77.0.21'], 'b 10.77.0.21'],
    [['c done', 'a 1'], 'a 1'],
    [['b'], 'b'],
    [['a 1', 'a 1'], 'a 1'],
    [[], undefined],
  ])('%j: missing is %s', (expected, missing) => {
    expect(missingLine(expected, output)).toBe(missing);
  });
});

describe('what the lab has otherwise', () => {
  test.each([
    ['mount -o ro /dev/vg0/nfs /mnt', 'mount -o ro /dev/dm-0 /mnt'],
    ['net {\n  ping-int 3;\n}', 'net {\n  ping-int 1;\n  ping-timeout 30;\n}'],
    ['echo $HOME', 'echo $HOME'],
  ])('%j', (commands, expected) => {
    expect(forTheLab(commands)).toBe(expected);
  });

  test('a logical volume grows by its mapping', () => {
    expect(forTheLab('lvextend --size +1G /dev/vg0/nfs')).toMatch(
      /^dmsetup suspend nfs; .*"0 \$\(\(\$\(blockdev --getsz/,
    );
  });
});

describe.each([
  { name: 'tutorial', blocks: 40, skipped: 12 },
  { name: 'operating', blocks: 30, skipped: 5 },
])('docs/$name', ({ name, blocks, skipped }) => {
  const [english, chinese] = [`${name}.md`, `${name}.zh-CN.md`].map((file) => blocksOf(page(file)));

  test('every block is marked, and most of them run', () => {
    expect(english?.length).toBeGreaterThan(blocks);
    expect(english?.filter(({ skip }) => skip !== undefined).length).toBeLessThan(skipped);
  });

  test('its situations are some that the lab can make', () => {
    const named = english?.flatMap(({ situation }) => situation ?? []) ?? [];
    expect(named.filter((one) => !Object.hasOwn(situations, one))).toEqual([]);
  });

  test('both languages have the same commands and outputs', () => {
    const contents = (blocks = english) => blocks?.map(({ line: _line, ...block }) => block);
    expect(contents(chinese)).toEqual(contents(english));
  });

  test('none waits for an answer', () => {
    const commands = english?.filter(({ skip }) => skip === undefined).map(({ commands }) => commands) ?? [];
    expect(commands.filter((text) => /^tsha (?:switch|maintenance on)(?!.* -[yn]\b)/m.test(text))).toEqual(
      [],
    );
  });
});

describe.each(['seed.md', 'seed.zh-CN.md'])('docs/%s', (name) => {
  const text = page(name);
  const codes = [...new Set(text.match(/`[A-Z]+(?:_[A-Z]+)+`/g))].map((code) => code.slice(1, -1));
  const rows = text.split('\n').filter((line) => line.startsWith('| `') || line.startsWith('| *('));

  test('names findings that there are', () => {
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !isCode(code))).toEqual([]);
  });

  test('names campaigns that there are', () => {
    const named = rows.flatMap(
      (row) =>
        row
          .split('|')
          .at(-2)
          ?.match(/`[^`]+`/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((one) => !campaigns.some((campaign) => one === `\`${campaign}\``))).toEqual([]);
  });

  test.each(seedCommands('tsha').map((argv) => `pcs ${shellLine(argv)}`))('shows: %s', (command) => {
    expect(text).toContain(`\`${command}\``);
  });
});
