import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bunParts } from '../../../packaging/notices/bun-parts.ts';
import { licenceIds, notices, noticesComment } from '../../../packaging/notices/notices.ts';
import { projectFolder } from '../../../packaging/products.ts';

const ipaddr = { name: 'ipaddr.js', version: '2.5.0', licence: 'MIT', text: 'Copyright whitequark */ x' };
const bun = { bun: '9.8.7', webkit: 'abc123', tinycc: 'def456' };

test('the script flavour names the packages in it, and nothing of Bun', () => {
  const text = notices([ipaddr]);
  expect(text).toMatch(/^ipaddr\.js 2\.5\.0 \(MIT\)$/m);
  expect(text).toContain('Copyright whitequark');
  expect(text).not.toMatch(/Bun|JavaScriptCore/);
});

test('the native flavour names every part of Bun, has every text, and says how to link anew', () => {
  const text = notices([ipaddr], bun);
  for (const { name, copyright, licence } of bunParts) {
    expect(text).toContain(`\n${name}`);
    expect(text).toContain(`Copyright ${copyright}\n  Licence: ${licence}\n`);
  }
  for (const id of licenceIds(bunParts.map(({ licence }) => licence)))
    expect(text).toMatch(new RegExp(`^Text of ${id}$`, 'm'));
  expect(text).toContain('GNU LIBRARY GENERAL PUBLIC LICENSE');
  expect(text).toContain('GNU LESSER GENERAL PUBLIC LICENSE');
  expect(text).toMatch(/oven-sh\/WebKit {3}commit abc123$/m);
  expect(text).toMatch(/oven-sh\/bun {6}tag bun-v9\.8\.7$/m);
});

test('every text is of a licence that somebody has', () => {
  const texts = readdirSync(join(projectFolder, 'packaging/notices/texts'));
  const ids = licenceIds(bunParts.map(({ licence }) => licence)).filter((id) => id !== 'blessing');
  expect(texts.sort()).toEqual(ids.map((id) => `${id}.txt`).sort());
});

test('a comment ends where it ends', () => {
  expect(noticesComment([])).toBe('');
  const comment = noticesComment([ipaddr]);
  expect(comment.trim()).toMatch(/^\/\*[\s\S]*\*\/$/);
  expect(comment.match(/\*\//g)).toHaveLength(1);
});

test('GNU’s texts are whole', () => {
  for (const [id, lines] of [
    ['LGPL-2.0', 481],
    ['LGPL-2.1', 502],
    ['Apache-2.0', 202],
  ] as const)
    expect(
      readFileSync(join(projectFolder, `packaging/notices/texts/${id}.txt`), 'utf8').split('\n').length,
    ).toBeGreaterThanOrEqual(lines - 1);
});
