import { describe, expect, test } from 'vitest';
import { bytesOf, isEscaped, textOf } from '../../../../lib/host/sys/bytes.ts';
import { parseEnviron, trueEnvironment } from '../../../../lib/host/sys/environment.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

// [what, the bytes, the text]
test.each([
  ['ASCII', bytes('/srv/data'), '/srv/data'],
  ['UTF-8', Buffer.from('/srv/größe/数据/😀'), '/srv/größe/数据/😀'],
  ['U+FFFD itself', Buffer.from('a\ufffdb'), 'a\ufffdb'],
  ['ISO 8859-1', bytes('/srv/gr\xf6\xdfe'), '/srv/gr\udcf6\udcdfe'],
  ['both', Buffer.concat([Buffer.from('ü/'), bytes('\xfc')]), 'ü/\udcfc'],
  ['half of a character', bytes('a\xe2\x82'), 'a\udce2\udc82'],
  ['an overlong slash', bytes('\xc0\xaf'), '\udcc0\udcaf'],
  ['a surrogate in UTF-8', bytes('\xed\xb2\x80'), '\udced\udcb2\udc80'],
  ['beyond Unicode', bytes('\xf4\x90\x80\x80'), '\udcf4\udc90\udc80\udc80'],
  ['nothing', Buffer.alloc(0), ''],
])('F9: %s is read, and written as it was', (_, raw, text) => {
  expect(textOf(raw)).toBe(text);
  expect(bytesOf(text)).toEqual(raw);
});

test('F9: every pair of bytes finds back', () => {
  const all = Array.from({ length: 0x10000 }, (_, n) => Buffer.of(n >> 8, n & 0xff));
  expect(all.filter((raw) => !bytesOf(textOf(raw)).equals(raw))).toEqual([]);
});

test('a pair of surrogates is a character, no byte', () => {
  expect(isEscaped('😀')).toBe(false);
  expect(isEscaped('\udc80')).toBe(true);
});

describe('the environment', () => {
  test('F9: proc_pid_environ(5)', () => {
    expect(parseEnviron(bytes('A=1\0DIR=/srv/\xfc\0EMPTY=\0EQUAL=a=b\0junk\0'))).toEqual({
      A: '1',
      DIR: '/srv/\udcfc',
      EMPTY: '',
      EQUAL: 'a=b',
    });
  });

  test('one that is UTF-8 is left alone', () => {
    const env = { DIR: '/srv/ü' };
    expect(trueEnvironment(env)).toBe(env);
  });
});
