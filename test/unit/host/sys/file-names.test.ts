import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textOfFileName } from '../../../../lib/host/memory-of-others.ts';
import { textOf } from '../../../../lib/host/sys/bytes.ts';
import { asFileName, fileNameOf, isFileName } from '../../../../lib/host/sys/file-names.ts';

// S20: names of others, and the files they name.

const bytes = fc.uint8Array({ maxLength: 60 }).map((some) => textOf(Buffer.from(some)));

describe('S20: a name as a file', () => {
  test.each([
    ['nfs-root', 'nfs-root'],
    ['Data:0', 'Data%3A0'],
    ['ünï', '%C3%BCn%C3%AF'],
    ['with/slash', 'with%2Fslash'],
    ['.', '%2E'],
    ['..', '%2E%2E'],
    ['...', '...'],
    ['', ''],
    ['a%2Fb', 'a%252Fb'],
    ['two\nlines', 'two%0Alines'],
    [textOf(Buffer.of(0x61, 0xff)), 'a%FF'],
  ])('%j: %j', (text, name) => {
    expect(fileNameOf(text)).toBe(name);
    expect(textOfFileName(name)).toBe(text);
  });

  test('is what encodeURIComponent made of it, so that no running resource is forgotten in an upgrade', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (text) => {
        fc.pre(!/^\.{1,2}$/.test(text) && encodeURIComponent(text).length <= 200);
        expect(fileNameOf(text)).toBe(encodeURIComponent(text));
      }),
    );
  });

  test('is one file in one directory, found back, whatever bytes it is made of', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        fc.pre(one !== '');
        expect(isFileName(fileNameOf(one))).toBe(true);
        expect(isFileName(asFileName(one))).toBe(true);
        expect(fileNameOf(one) === fileNameOf(other)).toBe(one === other);
        if (!fileNameOf(one).includes('%.')) expect(textOfFileName(fileNameOf(one))).toBe(one);
      }),
    );
  });

  test.each(['x'.repeat(201), 'x'.repeat(5000), 'ü'.repeat(34), '/'.repeat(300)])(
    '%s: too long, and still two of them are two files',
    (long) => {
      const [one, other] = [fileNameOf(`${long}1`), fileNameOf(`${long}2`)];
      expect(one).not.toBe(other);
      for (const name of [one, other]) {
        expect(name.length).toBeLessThanOrEqual(200);
        expect(name).toMatch(/^(?:[\w-]|%[0-9A-F]{2})*%\.[0-9a-f]{16}$/);
      }
      expect(long.startsWith(textOfFileName(one).replace(/%\..*$/, ''))).toBe(true);
    },
  );

  test.each([
    ['Data:0', true],
    ['tsha', true],
    ['', false],
    ['.', false],
    ['..', false],
    ['a/b', false],
    ['../x', false],
    ['a\0b', false],
    ['...', true],
    ['x'.repeat(242), true],
    ['x'.repeat(243), false],
  ])('%j names a file: %s', (text, is) => {
    expect(isFileName(text)).toBe(is);
    expect(asFileName(text) === text).toBe(is || text === '');
  });
});
