import { describe, expect, test } from 'vitest';
import { closed, follows, notesOf } from '../../../tools/changelog.ts';

const waiting = '# Changelog\n\n## unreleased\n\n- New.\n\n## 0.1.0, 2026-01-01\n\n- Old.\n';

describe('the changelog', () => {
  test('is closed for a version, and tells what it brings', () => {
    const done = closed(waiting, '0.2.0', '2026-02-01');
    expect(done).toContain('## 0.2.0, 2026-02-01\n');
    expect(notesOf(done, '0.2.0')).toBe('- New.');
    expect(notesOf(done, '0.1.0')).toBe('- Old.');
  });

  test('the first version waits under its own number', () => {
    expect(closed('## 0.1.0, unreleased\n\n- All.\n', '0.1.0', '2026-02-01')).toContain(
      '## 0.1.0, 2026-02-01\n',
    );
  });

  test.each([
    ['nothing waits', '## 0.1.0, 2026-01-01\n\n- Old.\n'],
    ['nothing is said', '## unreleased\n\n## 0.1.0, 2026-01-01\n\n- Old.\n'],
  ])('%s: no release', (_what, text) => {
    expect(() => closed(text, '0.2.0', '2026-02-01')).toThrow(/CHANGELOG/);
  });

  test.each([
    ['0.2.0', '0.1.9', true],
    ['0.10.0', '0.9.0', true],
    ['1.0.0', '0.9.9', true],
    ['0.1.0', '0.1.0', false],
    ['0.1.0', '0.2.0', false],
    ['0.2', '0.1.0', false],
    ['v0.2.0', '0.1.0', false],
  ])('%s follows %s: %s', (next, last, answer) => {
    expect(follows(next, last)).toBe(answer);
  });
});
