import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../metadata/catalogue.ts';
import { agentManPage, languages } from '../../../metadata/man.ts';
import { commandManPage, commandsIn, parseHelp } from '../../../metadata/man-command.ts';
import { filled, paragraphs, roff } from '../../../metadata/roff.ts';

const edition = { version: '1.2.3', date: '2026-11-28' };

describe('text in the language of man(7)', () => {
  test.each([
    ['what would be a request', '.sp\n.TH', '\\&.sp\n\\&.TH'],
    ['an escape', 'a\\fBb', 'a\\efBb'],
    ['an option', '--json', '\\-\\-json'],
    ['quotes', "'tis", '\\(aqtis'],
  ])('%s stays text', (_what, text, expected) => {
    expect(roff(text)).toBe(expected);
  });

  test('a word that begins with a full stop may begin a line', () => {
    for (const line of filled(`${'word '.repeat(15)}.hidden ${'word '.repeat(5)}`).split('\n'))
      expect(line).not.toMatch(/^[.']/);
  });

  test('Chinese is joined without a blank, English with one', () => {
    expect(paragraphs('提供\n服务\n\nlast\nline')).toEqual(['提供服务', 'last line']);
  });
});

describe.each(languages)('pages in %s', (language) => {
  test.each(catalogue.map((one) => [one.agent.name, one] as const))(
    'ocf_tsha_%s has every parameter and action',
    (name, one) => {
      const page = agentManPage(one, language, edition);
      expect(page).toMatch(/^\.TH "OCF_TSHA_\w+" 7 "2026-11-28" "tsha 1\.2\.3"/);
      for (const param of Object.keys(one.agent.params)) expect(page).toContain(`\n.TP\n.B ${roff(param)}\n`);
      for (const action of Object.keys(one.agent.actions))
        expect(page).toContain(`\n.TP\n.B ${roff(action)}\n`);
      expect(page).toContain(`ocf:tsha:${name}`);
      expect(page).not.toContain('undefined');
    },
  );
});

const help = `tsha <command>: for people

Commands:
  tsha plan          Print the pcs commands that make a highly available NFS
                     server
  tsha status [-w]   One screen

Options:
      --help     Show help                                             [boolean]
  -f, --file     A file                              [string] [default: "a  b"]
`;

test('what yargs prints is read', () => {
  const read = parseHelp(help);
  expect(read.usage).toEqual(['tsha <command>: for people']);
  expect(commandsIn(read)).toEqual(['plan', 'status']);
  expect(read.blocks).toMatchObject([
    {
      title: 'Commands',
      rows: [
        { term: 'tsha plan', text: 'Print the pcs commands that make a highly available NFS server' },
        { term: 'tsha status [-w]', text: 'One screen' },
      ],
    },
    {
      title: 'Options',
      rows: [{ term: '--help', text: 'Show help [boolean]' }, { term: '-f, --file' }],
    },
  ]);
});

test.each(languages)('tsha(8) in %s has every command and every exit status', (language) => {
  const whole = parseHelp(help);
  const page = commandManPage(whole, new Map([['plan', whole]]), ['drbd'], language, edition);
  expect(page).toContain('.SS "tsha plan"');
  for (const code of [0, 1, 2, 3, 4, 130]) expect(page).toContain(`\n.TP\n.B ${code}\n`);
  expect(page).toContain('.BR ocf_tsha_drbd (7),');
});
