import { describe, expect, test } from 'vitest';
import { createLog, logRoute, timestamp } from '../../../lib/contract/log.ts';
import { reasonLine } from '../../../lib/contract/reason.ts';

describe('an exit reason', () => {
  test.each([
    ['plain', 'plain'],
    ['two\nlines\r\n', 'two lines'],
    ['a & b', 'a + b'],
    [`${'x'.repeat(100)} password=hunter2-hunter2-hunter2`, `${'x'.repeat(100)} password=***`],
    ['nul\0byte', 'nul byte'],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['x'.repeat(129), `${'x'.repeat(125)}...`],
    ['ü'.repeat(200), `${'ü'.repeat(62)}...`],
    ['😀'.repeat(100), `${'😀'.repeat(31)}...`],
  ])('%j', (reason, line) => {
    expect(reasonLine(reason)).toBe(line);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(128);
  });
});

describe('where log lines go', () => {
  test.each([
    [
      'a terminal wins over everything',
      { HA_LOGFACILITY: 'daemon', HA_LOGFILE: '/l' },
      true,
      { to: 'terminal' },
    ],
    ['logd', { HA_LOGD: 'yes', HA_LOGFACILITY: 'daemon' }, false, { to: 'logd' }],
    [
      'syslog and a file',
      { HA_LOGFACILITY: 'daemon', HA_LOGFILE: '/l' },
      false,
      { to: 'system', facility: 'daemon', files: ['/l'] },
    ],
    [
      'Pacemaker’s own name for it',
      { PCMK_LOGFACILITY: 'local0' },
      false,
      { to: 'system', facility: 'local0', files: [] },
    ],
    [
      'facility none: the file only',
      { HA_LOGFACILITY: 'none', HA_LOGFILE: '/l' },
      false,
      { to: 'system', files: ['/l'] },
    ],
    [
      'a debug log of its own',
      { HA_LOGFILE: '/l', HA_DEBUGLOG: '/d' },
      false,
      { to: 'system', files: ['/l', '/d'] },
    ],
    ['the same file once', { HA_LOGFILE: '/l', HA_DEBUGLOG: '/l' }, false, { to: 'system', files: ['/l'] }],
    ['nothing configured', { HA_logfacility: 'none' }, false, { to: 'stderr' }],
  ])('%s', (_situation, env, terminal, route) => {
    expect(logRoute(env, terminal)).toEqual(route);
  });

  const lines = (env: NodeJS.ProcessEnv, terminal: boolean): string[] => {
    const out: string[] = [];
    const log = createLog('drbd(data)[7]', env, logRoute(env, terminal), {
      stderr: (text) => out.push(`stderr ${text}`),
      file: (path, text) => out.push(`${path} ${text}`),
      pipe: (argv, text) => out.push(`${argv.join(' ')} < ${text}`),
    });
    log.info('one\n  two');
    log.debug('detail');
    log.crit('bad');
    return out;
  };

  test('ocf-shellfuncs’ words, one line each, debug only when asked for', () => {
    expect(lines({}, true)).toEqual([
      'stderr drbd(data)[7]: INFO: one two\n',
      'stderr drbd(data)[7]: CRIT: bad\n',
    ]);
    expect(lines({ HA_debug: '1' }, true)).toContain('stderr drbd(data)[7]: DEBUG: detail\n');
    expect(lines({ HA_debug: '0' }, true)).not.toContain('stderr drbd(data)[7]: DEBUG: detail\n');
  });

  test('secrets are veiled', () => {
    const out: string[] = [];
    const sinks = { stderr: (text: string) => void out.push(text), file: () => {}, pipe: () => {} };
    createLog('x', {}, { to: 'terminal' }, sinks).warn('options differ: password=hunter2,rw');
    expect(out).toEqual(['x: WARNING: options differ: password=***,rw\n']);
  });

  test('syslog gets the facility and the severity', () => {
    expect(lines({ HA_LOGFACILITY: 'local3' }, false)).toEqual([
      'logger -t drbd(data)[7] --prio-prefix -p local3.info < <158>INFO: one two\n',
      'logger -t drbd(data)[7] --prio-prefix -p local3.info < <154>CRIT: bad\n',
    ]);
  });

  test('the file line has the date, the tag and four blanks', () => {
    expect(lines({ HA_LOGFILE: '/l' }, false)[0]).toMatch(
      /^\/l \w{3} \d\d \d\d:\d\d:\d\d drbd\(data\)\[7\]: {4}INFO: one two\n$/,
    );
  });

  test('the timestamp is ocf-shellfuncs’', () => {
    expect(timestamp(new Date(2026, 0, 2, 3, 4, 5))).toBe('Jan 02 03:04:05');
  });
});
