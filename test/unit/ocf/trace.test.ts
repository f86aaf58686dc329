import { describe, expect, test } from 'vitest';
import { parseStat } from '../../../lib/host/sys/process-stat.ts';
import { traced, traceFile, traceHeader } from '../../../lib/ocf/tracing.ts';
import { FakeMachine } from '../../fake/machine.ts';

const now = new Date(2026, 10, 2, 3, 4, 5);

describe('a trace', () => {
  test.each([
    ['off', {}, undefined],
    ['off by a word', { OCF_RESKEY_trace_ra: 'no' }, undefined],
    [
      'on by parameter',
      { OCF_RESKEY_trace_ra: '1', OCF_RESOURCE_INSTANCE: 'fs' },
      '/var/lib/heartbeat/trace_ra/Filesystem/fs.start.2026-11-02.03:04:05',
    ],
    [
      'crmsh’s directory',
      { OCF_RESKEY_trace_ra: '1', OCF_RESKEY_trace_dir: '/t', OCF_RESOURCE_INSTANCE: 'fs' },
      '/t/Filesystem/fs.start.2026-11-02.03:04:05',
    ],
    ['crm_resource -VV', { OCF_TRACE_RA: '1', OCF_TRACE_FILE: '/dev/stderr' }, '/dev/stderr'],
    ['a descriptor', { OCF_TRACE_RA: '1', OCF_TRACE_FILE: '5' }, '/proc/self/fd/5'],
    ['a relative name', { OCF_TRACE_RA: '1', OCF_TRACE_FILE: 'x' }, undefined],
  ])('%s', (_situation, env, file) => {
    expect(traceFile(env, 'Filesystem', 'start', now)).toBe(file);
  });

  test('secrets are veiled, of options as well', () => {
    expect(
      traceHeader({ OCF_RESKEY_password: 'x', A: '1', OCF_RESKEY_options: 'rw,password=hunter 2,user=u' }),
    ).toBe('A=1\nOCF_RESKEY_options=rw,password=***,user=u\nOCF_RESKEY_password=***\n');
  });

  test('secrets of commands and of what they say are veiled', async () => {
    const lines: string[] = [];
    const cib = '<nvpair id="a" name="passwd" value="hunter2"/>';
    const machine = new FakeMachine().on('mount', () => ({
      code: 32,
      stdout: `${cib}\n`,
      stderr: 'bad option pass=hunter2\n',
    }));
    const argv = ['mount', '-o', 'username=u,password=hunter 2', '//nas/x', '/x'] as const;
    await traced(machine, (line) => void lines.push(line)).run({ argv, timeoutMs: 1 });
    expect(lines).toEqual([
      '0.000 mount -o username=u,password=*** //nas/x /x -> 32 0.000 s\n',
      '    <nvpair id="a" name="passwd" value="***"/>\n',
      '    bad option pass=***\n',
    ]);
  });

  test('each command with its end', async () => {
    const lines: string[] = [];
    const machine = new FakeMachine().on('mount', () => ({ code: 32, stderr: 'no\n' }));
    await traced(machine, (line) => void lines.push(line)).run({ argv: ['mount', '/x'], timeoutMs: 1 });
    expect(lines).toEqual(['0.000 mount /x -> 32 0.000 s\n', '    no\n']);
  });
});

test.each([
  [
    '1 (systemd) S 0 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 33 1 1',
    { state: 'S', parent: 0, isKernelThread: false, startTime: 33 },
  ],
  [
    '7 (a) R (b) D 3 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 99 1 1',
    { state: 'D', parent: 3, isKernelThread: false, startTime: 99 },
  ],
  [
    '60 (nfsd) S 2 0 0 0 -1 2129984 1 1 1 1 1 1 1 1 20 0 1 0 5 1 1',
    { state: 'S', parent: 2, isKernelThread: true, startTime: 5 },
  ],
  ['', undefined],
  ['torn (x', undefined],
])('proc_pid_stat %j', (text, stat) => {
  expect(parseStat(text)).toEqual(stat);
});
