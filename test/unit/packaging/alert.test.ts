import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alertFolder } from '../../../cli/facts/alerts.ts';
import { eventsInLog } from '../../../cli/history/alert-log.ts';
import { projectFolder } from '../../../packaging/products.ts';

// Pacemaker's alert agent as Pacemaker calls it, with a folder and tools of the test's own.

const source = readFileSync(join(projectFolder, 'packaging/share/alert_tsha.sh'), 'utf8');

let home = '';
const at = (name: string) => join(home, name);
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tsha-alert-'));
  mkdirSync(at('log'));
  mkdirSync(at('bin'));
  const script = source
    .replace(/^dir=.*$/m, `dir=${at('log')}`)
    .replace('PATH=/usr/sbin:', `PATH=${at('bin')}:/usr/sbin:`);
  expect(script).toContain(at('bin'));
  writeFileSync(at('alert'), script, { mode: 0o755 });
  tool('logger', 'exit 0');
  tool('sendmail', `{ echo "$*"; cat; echo ===; } >> ${at('mails')}`);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const tool = (name: string, text: string) =>
  writeFileSync(at(`bin/${name}`), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
const log = () => readFileSync(at('log/events.jsonl'), 'utf8');
const lines = () =>
  log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const mails = () => (existsSync(at('mails')) ? readFileSync(at('mails'), 'utf8') : '');

type Env = { readonly [name: string]: string };
type Answer = { readonly code: number | null; readonly said: string };

const run = (env: Env, args: readonly string[] = [], shell = '/bin/sh'): Promise<Answer> =>
  new Promise((resolve) => {
    const child = spawn(shell, [at('alert'), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    child.stderr.on('data', (chunk) => (said += chunk));
    child.on('close', (code) => resolve({ code, said }));
  });

let sequence = 0;
const named = (values: Env): Env =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`CRM_alert_${name}`, value]));
const call = (values: Env, shell?: string): Promise<Answer> =>
  run(
    named({
      version: '2.1.5',
      node: 'node1',
      node_sequence: String(++sequence * 10 + 1),
      timestamp: '13:58:02.012345',
      timestamp_epoch: '1795894312',
      timestamp_usec: '012345',
      recipient: '',
      ...values,
    }),
    [],
    shell,
  );

const action = {
  kind: 'resource',
  rsc: 'nfs_ip',
  task: 'start',
  interval: '0',
  rc: '0',
  target_rc: '0',
  status: '0',
  exec_time: '120',
  desc: 'ok',
};
const failed = { ...action, task: 'monitor', interval: '30000', rc: '7', desc: 'not running' };
const lost = { kind: 'node', node: 'node2', desc: 'lost' };

describe.each(['/bin/sh', '/bin/bash'])('%s', (shell) => {
  test('an action becomes a line, with its moment to the microsecond', async () => {
    expect(await call(action, shell)).toEqual({ code: 0, said: '' });
    expect(log()).toContain('"at":1795894312.012345,');
    expect(lines()).toMatchObject([
      {
        v: 1,
        kind: 'resource',
        node: 'node1',
        resource: 'nfs_ip',
        action: 'start',
        code: 0,
        expected: 0,
        ms: 120,
      },
    ]);
    expect(eventsInLog(log())).toMatchObject([
      { at: 1795894312012, beganAt: 1795894311892, exact: true, kind: 'action', failed: false },
    ]);
  });

  // biome-ignore format: a table
  test.each([
    ['a fence', { kind: 'fencing', task: 'st_notify_fence', rc: '0', desc: 'Operation reboot of node2 by node1 for pacemaker-controld.7@node1: OK (ref=1)' }, { kind: 'fencing', action: 'reboot', failed: false }],
    ['a fence that failed', { kind: 'fencing', task: 'st_notify_fence', rc: '-62', desc: 'Operation off of node2: Timer expired' }, { kind: 'fencing', action: 'off', failed: true, code: -62 }],
    ['a node that is lost', lost, { kind: 'node', node: 'node2', action: 'lost', failed: true }],
    ['a node that is there', { ...lost, desc: 'member' }, { kind: 'node', action: 'member', failed: false }],
    ['an attribute', { kind: 'attribute', attribute_name: 'tsha-drbd-data', attribute_value: 'connected' }, { kind: 'attribute', action: 'tsha-drbd-data', what: 'connected' }],
    ['a failure', failed, { kind: 'action', action: 'monitor', failed: true, code: 7, what: 'not running' }],
    ['a timeout', { ...action, status: '2', rc: '1', desc: 'Timed Out' }, { kind: 'action', failed: true, what: 'Timed Out' }],
  ] as const)('%s', async (_, values, event) => {
    expect(await call(values, shell)).toMatchObject({ code: 0 });
    expect(eventsInLog(log())).toMatchObject([event]);
  });

  test.each([
    ['a monitor that went well', { ...action, task: 'monitor', interval: '30000' }],
    [
      'a monitor of what is promoted',
      { ...action, task: 'monitor', interval: '20000', rc: '8', target_rc: '8' },
    ],
    ['a first look that finds nothing', { ...action, task: 'monitor', rc: '7', target_rc: '7' }],
    ['a first look that finds it running', { ...action, task: 'monitor', rc: '0', target_rc: '7' }],
    ['a notification', { ...action, task: 'notify' }],
    ['what was cancelled', { ...action, status: '1' }],
  ] as const)('%s is no news', async (_, values) => {
    expect(await call(values, shell)).toEqual({ code: 0, said: '' });
    expect(existsSync(at('log/events.jsonl'))).toBe(false);
  });

  test.each([
    ['quotes and backslashes', 'say "no" \\ and \\" and $(id) `id`'],
    ['control characters', 'a\tb\nc\x1b[31md\x7f'],
    ['other languages', '节点 "失联" é'],
    ['what is not UTF-8 at its end', `${'x'.repeat(999)}é`],
    ['ten thousand characters', 'y"'.repeat(5000)],
  ])('a line stays a line of JSON: %s', async (_, desc) => {
    await call({ ...lost, desc, node: 'a"b' }, shell);
    const [line] = lines();
    expect(line.node).toBe('a"b');
    expect(line.what.slice(0, 5)).toBe(desc.slice(0, 5).replace(/[\t\n]/g, ' '));
    expect(log().length).toBeLessThan(3000);
    expect(log().replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  test.each(['', '-', '1e9', '0x10', '007', '1 2', '$(id)', '9'.repeat(30)])(
    'what should be a number and is none is null: %j',
    async (word) => {
      await call({ ...action, exec_time: word, node_sequence: word }, shell);
      expect(lines()).toMatchObject([{ ms: null, seq: null }]);
    },
  );
});

test('without a moment of its own it takes its own clock', async () => {
  await call({ ...action, timestamp_epoch: '', timestamp_usec: '' });
  expect(Math.abs((eventsInLog(log())[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
});

test("the agent's own reason comes from the CIB, and belongs to its event", async () => {
  tool(
    'cibadmin',
    `echo "$*" > ${at('asked')}; echo '<lrm_rsc_op id="x" exit-reason="10.0.0.9 &quot;is&quot; not configured &amp; &lt;gone&gt;" rc-code="7"/>'`,
  );
  await call(failed);
  expect(readFileSync(at('asked'), 'utf8')).toContain(
    "lrm_resource[@id='nfs_ip']/lrm_rsc_op[@operation='monitor'",
  );
  expect(lines()).toHaveLength(2);
  expect(eventsInLog(log())).toMatchObject([
    { reason: '10.0.0.9 "is" not configured & <gone>', failed: true },
  ]);
});

test('a name that would change the question is not asked for', async () => {
  tool('cibadmin', `touch ${at('asked')}`);
  await call({ ...failed, rsc: "x'] | //nvpair[@name='passwd" });
  expect(existsSync(at('asked'))).toBe(false);
  expect(eventsInLog(log())).toHaveLength(1);
});

describe('mail', () => {
  test('what went wrong goes to the recipient', async () => {
    expect(await call({ ...lost, recipient: 'root' })).toEqual({ code: 0, said: '' });
    expect(mails()).toMatch(/^-i -t\nTo: root\nSubject: node node2 is lost\n[\s\S]*\n\n[\s\S]*tsha status/);
    expect(log()).toContain('"lost"');
  });

  test('with the reason', async () => {
    tool('cibadmin', `echo '<lrm_rsc_op exit-reason="10.0.0.9 is not configured"/>'`);
    await call({ ...failed, recipient: 'ops@example.com' });
    expect(mails()).toMatch(
      /Subject: monitor of nfs_ip failed on node1\n[\s\S]*The agent says: 10\.0\.0\.9 is not configured/,
    );
  });

  test('what went well is no mail', async () => {
    await call({ ...action, recipient: 'root' });
    await call({ ...lost, desc: 'member', recipient: 'root' });
    expect(mails()).toBe('');
    expect(lines()).toHaveLength(2);
  });

  test('the same is told once in ten minutes, to each recipient', async () => {
    for (const recipient of ['root', 'root', 'ops', 'root']) await call({ ...lost, recipient });
    expect(mails().match(/^To: .*/gm)).toEqual(['To: root', 'To: ops']);
    expect(eventsInLog(log()), 'an event with two recipients is one').toHaveLength(4);
    const then = readFileSync(at('log/mailed'), 'utf8').replace(/^\d+/gm, (time) =>
      String(Number(time) - 700),
    );
    writeFileSync(at('log/mailed'), then);
    await call({ ...lost, recipient: 'root' });
    expect(mails().match(/^To: .*/gm)).toHaveLength(3);
  });

  test.each(['-oQ/tmp', '/var/log/x', 'a b', 'a;id', 'a\nBcc: b', '$(id)'])(
    '%j is no address',
    async (recipient) => {
      const { said } = await call({ ...lost, recipient });
      expect(said).toMatch(/no address/);
      expect(mails()).toBe('');
      expect(lines()).toHaveLength(1);
    },
  );

  test('a subject stays one line', async () => {
    await call({ kind: 'fencing', rc: '1', desc: 'x\nBcc: evil@example.com', recipient: 'root' });
    expect(mails()).toContain('Subject: fencing: x Bcc: evil@example.com\nAuto');
  });

  test('the attribute of the drbd agent tells of a split brain', async () => {
    const attribute = { kind: 'attribute', attribute_name: 'tsha-drbd-data', recipient: 'root' };
    await call({ ...attribute, attribute_value: 'connected' });
    await call({ ...attribute, attribute_value: 'split-brain' });
    expect(mails().match(/^Subject: .*/gm)).toEqual(['Subject: split brain of data, seen by node1']);
  });

  test('where nothing can send one, it says so, and the event is written down', async () => {
    rmSync(at('bin/sendmail'));
    tool('sendmail', 'exit 75');
    expect((await call({ ...lost, recipient: 'root' })).said).toMatch(/sendmail failed; not sent to root/);
    expect(lines()).toHaveLength(1);
  });
});

const until = async (done: () => boolean) => {
  while (!done()) await sleep(50);
};

test("as DRBD's handler it returns at once and sends a mail", async () => {
  // DRBD waits for its handler: this one returns before any mail can be sent
  tool(
    'sendmail',
    `while [ -d ${home} ] && [ ! -e ${at('answered')} ]; do sleep 0.05; done; { echo "$*"; cat; } >> ${at('mails')}`,
  );
  tool('setpriv', `echo "$*" > ${at('as')}`);
  const answer = await run({ DRBD_RESOURCE: 'data', DRBD_PEERS: 'node2' }, [
    'split-brain',
    'root',
    'ops@example.com',
  ]);
  expect(answer).toEqual({ code: 0, said: '' });
  writeFileSync(at('answered'), '');
  await until(() => (mails().match(/^To: /gm) ?? []).length === 2);
  expect(mails()).toMatch(
    /To: root\nSubject: split brain of data on [\s\S]*tsha split-brain data[\s\S]*To: ops@example.com/,
  );
  expect(readFileSync(at('as'), 'utf8')).toMatch(
    /--reuid=hacluster .*CRM_alert_kind=split-brain .*CRM_alert_rsc=data/,
  );
});

test('the record of a split brain is one that the history knows', async () => {
  await call({ kind: 'split-brain', rsc: 'data' });
  expect(eventsInLog(log())).toMatchObject([{ kind: 'split-brain', resource: 'data', node: 'node1' }]);
});

describe('its folder', () => {
  test('is the one that the command reads and that systemd-tmpfiles makes', () => {
    expect(source).toContain(`\ndir=${alertFolder}\n`);
    const rules = readFileSync(join(projectFolder, 'packaging/share/tsha.tmpfiles'), 'utf8');
    expect(rules).toContain(`d ${alertFolder} 0750 hacluster haclient`);
  });

  test('what it writes is for the cluster’s group alone', async () => {
    await call(action);
    expect(statSync(at('log/events.jsonl')).mode & 0o777).toBe(0o640);
  });

  test.each([
    ['is not there', () => rmSync(at('log'), { recursive: true })],
    [
      'is a link',
      () => {
        rmSync(at('log'), { recursive: true });
        mkdirSync(at('elsewhere'));
        symlinkSync(at('elsewhere'), at('log'));
      },
    ],
  ] as const)('%s: 1, and nothing is written', async (_, make) => {
    make();
    expect(await call(action)).toMatchObject({ code: 1, said: expect.stringMatching(/cannot write to/) });
    expect(existsSync(at('elsewhere')) ? readdirSync(at('elsewhere')) : []).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)('belongs to somebody else: 1', async () => {
    const { chownSync } = await import('node:fs');
    chownSync(at('log'), 65534, 65534);
    expect(await call(action)).toMatchObject({ code: 1, said: expect.stringMatching(/does not belong/) });
  });

  test('a link in the place of the log is not followed', async () => {
    symlinkSync(at('target'), at('log/events.jsonl'));
    expect(await call(action)).toMatchObject({ code: 1 });
    expect(existsSync(at('target'))).toBe(false);
  });

  test('a full disk is told', async () => {
    mkdirSync(at('log/events.jsonl'));
    expect(await call(action)).toMatchObject({ code: 1, said: expect.stringMatching(/cannot write to/) });
  });
});

test('it never grows beyond its bound, and keeps the newest', async () => {
  const old = `${'{"v":1}'.padEnd(1023)}\n`.repeat(1100);
  writeFileSync(at('log/events.jsonl'), old);
  await call({ ...lost, node_sequence: '10' });
  expect(
    readdirSync(at('log'))
      .filter((name) => name.startsWith('events'))
      .sort(),
  ).toEqual(['events.jsonl.1']);
  await call({ ...lost, node_sequence: '20' });
  expect(lines()).toHaveLength(1);
  expect(readFileSync(at('log/events.jsonl.1'), 'utf8').trim().endsWith('"what":"lost"}')).toBe(true);
});

test('twenty at once: every line whole, none lost while the log is changed', async () => {
  writeFileSync(at('log/events.jsonl'), `${'{"v":1}'.padEnd(1023)}\n`.repeat(1100));
  const all = Array.from({ length: 20 }, (_, index) =>
    call({ ...action, rsc: `r${index}`, node_sequence: String(index * 10) }),
  );
  expect((await Promise.all(all)).map(({ code }) => code)).toEqual(all.map(() => 0));
  const whole = `${readFileSync(at('log/events.jsonl.1'), 'utf8')}${existsSync(at('log/events.jsonl')) ? log() : ''}`;
  const names = eventsInLog(whole).map(({ resource }) => resource);
  expect(new Set(names).size).toBe(20);
});

test('called by a person it says what it is', async () => {
  chmodSync(at('alert'), 0o755);
  expect(await run({})).toMatchObject({ code: 0, said: expect.stringMatching(/pcs alert create path=/) });
});
