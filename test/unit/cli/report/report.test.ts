import { execFileSync } from 'node:child_process';
import {
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
import { XMLValidator } from 'fast-xml-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '../../../../cli/command.ts';
import { envelopeShape } from '../../../../cli/output/schema.ts';
import { type Language, terminalFor } from '../../../../cli/output/terminal.ts';
import { report } from '../../../../cli/report/command.ts';
import { gatherReport, type ReportFacts } from '../../../../cli/report/gather.ts';
import { reportPage } from '../../../../cli/report/page.ts';
import { tarOf } from '../../../../cli/report/tar.ts';
import { hostOn } from '../../../../lib/host/host.ts';
import { acted, actedWith, fencedBy, nodeIs, second, startsOn, stopsOn } from '../../../fake/alerts.ts';
import { type Captured, captured } from '../../../fake/captured.ts';

process.env['TZ'] = 'UTC';
const dayBefore = second('00:00:00') * 1000;
const secret = 'hunter2-never-shown';

let home = '';
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'tsha-report-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The survivor of a captured pair, whose other node does not answer. */
function survivor(log: string, name = 'healthy.node2'): Captured {
  const one = captured(name);
  const { machine } = one;
  machine.files.set('/var/lib/tsha/events.jsonl', log);
  machine.on('ssh', () => ({ code: 255, stderr: 'ssh: connect to host node1: No route to host' }));
  machine.on('find', () => '');
  machine.on('corosync-cmapctl', () => 'runtime.config.totem.token (u32) = 3000\n');
  const uptime = 500_000;
  machine.files.set('/proc/uptime', `${uptime}.00 9.00\n`);
  const at = (time: string) => (uptime - (Date.now() / 1000 - second(time))).toFixed(6);
  machine.on('dmesg', () =>
    [
      `[ ${at('13:58:04.900')}] drbd data: peer( Primary -> Unknown ) conn( Connected -> NetworkFailure ) pdsk( UpToDate -> DUnknown )`,
      `[ ${at('13:58:08.700')}] block drbd1: role( Secondary -> Primary )`,
      `[ ${at('13:58:09.000')}] EXT4-fs: not of DRBD`,
    ].join('\n'),
  );
  return one;
}
const reported = ({ machine }: Captured): Promise<ReportFacts> =>
  gatherReport(hostOn(machine, 60_000), dayBefore);

function checked(found: ReportFacts, language: Language): string {
  const page = reportPage(found, language, 'x.tar.gz');
  const [first, ...rest] = page.split('\n');
  expect(first).toBe('<!doctype html>');
  expect(XMLValidator.validate(rest.join('\n'))).toBe(true);
  expect(page).not.toMatch(/\{\w+\}|undefined|NaN|Infinity|\[object/);
  expect(page, 'nothing from elsewhere').not.toMatch(
    /<(script|link|img|iframe|object|embed|form|base)\b|https?:\/\/(?!www\.w3\.org\/)|@import/,
  );
  expect(page, 'no handler').not.toMatch(/<[^>]*\son\w+=/);
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  return page;
}

const death =
  nodeIs('13:58:05.000', 'node1', 'lost') + fencedBy('13:58:07.000', 'node1', 'node2') + startsOn('node2');
const failure =
  actedWith('13:58:00.000', 'node2', 'nfs_ip', 'monitor', 7, '10.77.0.20 is not configured') +
  acted('13:58:00.500', 'node2', 'nfs_ip', 'stop', 100) +
  acted('13:58:01.500', 'node2', 'nfs_ip', 'start', 300);

describe('the page', () => {
  test.each([
    ['a death', death, /node1 was lost; 10\.77\.0\.20 went from node1 to node2, away for at least 10\.0 s/],
    [
      'a move',
      stopsOn('node1') + startsOn('node2'),
      /10\.77\.0\.20 moved from node1 to node2; away for 12\.9 s/,
    ],
    ['a failure', failure, /nfs_ip failed on node2: 10\.77\.0\.20 is not configured/],
    ['what is not back', stopsOn('node2'), /node2/],
    ['nothing', '', /./],
  ] as const)('%s', async (_, log, sentence) => {
    const found = await reported(survivor(log));
    expect(checked(found, 'en')).toMatch(sentence);
    expect(checked(found, 'zh')).toContain('<html lang="zh-CN"');
  });

  test('of a death it shows what is known, and says what is not', async () => {
    const page = checked(await reported(survivor(death)), 'en');
    expect(page).toContain('corosync waits 3000 ms');
    expect(page).toContain('No route to host');
    expect(page).toContain('How many clients there were at that time');
    expect(page).toMatch(/role of node2<\/td><td>Secondary → <strong>Primary/);
    expect(page).toMatch(/disk of the peer<\/td><td>UpToDate → <strong>DUnknown/);
    expect(page.match(/<svg class="(wide|narrow)"/g)).toHaveLength(2);
    expect(page).toMatch(/<title>nfs-daemon start 3\.9 s<\/title>/);
    expect(page).toContain('fencing: reboot');
  });

  test.each(['healthy', 'degraded', 'failed', 'maintenance', 'split', 'standby', 'syncing'])(
    'a pair that is %s',
    async (state) => {
      for (const node of ['node1', 'node2'])
        checked(await reported(survivor(death, `${state}.${node}`)), 'zh');
    },
  );

  test('no cluster on this node: the log tells all the same', async () => {
    const one = survivor(death);
    for (const program of ['cibadmin', 'crm_mon'])
      one.machine.on(program, () => ({ code: 1, stderr: 'Connection refused' }));
    const page = checked(await reported(one), 'en');
    expect(page).toContain('node1 was lost');
    expect(page).toMatch(/The cluster does not answer on this node: .*Connection refused/);
  });
});

describe('values are text whatever they hold', () => {
  test.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</title></svg><script>1</script>',
    '&lt;b&gt; &amp; &#0; ]]>',
    'a\u0000b\u001b[31m\u202e\ufeff',
    '節点 <é> 😀',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it shall stay as it is
    '${7*7} {{7*7}} {node}',
    'x'.repeat(3000),
  ])('%s', async (text) => {
    const log =
      actedWith('13:58:00.000', 'node2', text, 'monitor', 1, text) +
      nodeIs('13:58:01.000', text, 'lost') +
      fencedBy('13:58:02.000', text, text, 1);
    const found = await reported(survivor(log));
    const page = reportPage(found, 'en', text);
    expect(XMLValidator.validate(page.slice(page.indexOf('\n')))).toBe(true);
    expect(page).not.toMatch(/<(script|img)\b|<[^>]*\son\w+=/);
    expect(page).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(page).toContain('13:58:00.000');
  });
});

describe('secrets', () => {
  test('are neither on the page nor in the tar', async () => {
    const one = survivor(
      actedWith('13:58:00', 'node2', 'fence', 'start', 1, `fence_x -p ${secret}: refused; ${secret}`) + death,
    );
    const honest = (await one.machine.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 })).stdout;
    one.machine.on('cibadmin', () =>
      honest.replace(
        '<resources>',
        `<resources><primitive id="fence" class="stonith" type="fence_x"><instance_attributes id="i"><nvpair id="p" name="passwd" value="${secret}"/></instance_attributes></primitive>`,
      ),
    );
    one.machine.on('drbdadm', () => `resource data {\n net {\n shared-secret "${secret}-too";\n }\n}\n`);
    const found = await reported(one);
    expect(found.secrets).toBe(2);
    const page = checked(found, 'en');
    expect(page).toContain('shown as ***, here and in the tar: 2.');
    for (const text of [page, ...found.parts.map((part) => part.text)]) expect(text).not.toContain(secret);
    expect(found.parts.find(({ name }) => name === 'cib.xml')?.text).toContain('name="passwd" value="***"');
    expect(found.parts.find(({ name }) => name === 'drbd-configuration.txt')?.text).toContain(
      'shared-secret ***',
    );
    expect(found.parts.find(({ name }) => name === 'alerts.jsonl')?.text).toContain('-p ***');
  });
});

describe('the files', () => {
  const call = (one: Captured, json = false): Call =>
    ({
      host: hostOn(one.machine, 60_000),
      terminal: terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false }),
      json,
    }) as Call;

  test('a page and a tar for their owner alone; links of that name are replaced', async () => {
    const file = join(home, 'nfs.html');
    writeFileSync(join(home, 'target'), 'mine');
    symlinkSync(join(home, 'target'), file);
    expect(await report(call(survivor(death)), { file, since: '52w' })).toBe('well');
    expect(readFileSync(join(home, 'target'), 'utf8')).toBe('mine');
    for (const name of ['nfs.html', 'nfs.tar.gz'])
      expect(statSync(join(home, name)).mode & 0o777).toBe(0o600);
    expect(readdirSync(home).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const list = execFileSync('tar', ['tzf', join(home, 'nfs.tar.gz')], { encoding: 'utf8' });
    for (const name of ['events.json', 'cib.xml', 'drbd-log.txt', 'crm_mon.txt', 'versions.txt'])
      expect(list).toContain(`nfs/${name}\n`);
  });

  test('json', async () => {
    const found = await reported(survivor(death));
    const { envelope } = await import('../../../../cli/output/json.ts');
    const { historyData } = await import('../../../../cli/history/command.ts');
    const data = {
      page: '/x.html',
      archive: '/x.tar.gz',
      secretsMasked: 0,
      ...historyData(found.history, found.incidents),
    };
    const object = envelope({ kind: 'report', time: 0, node: 'node2', findings: found.findings, data });
    expect(envelopeShape.parse(object)).toEqual(object);
  });

  test.each([
    ['/nowhere/x.html', '1w', /cannot write \/nowhere\/x\.tar\.gz: ENOENT/],
    ['/tmp/x.txt', '1w', /must end with \.html/],
    ['/tmp/.html', '1w', /must end with \.html/],
    ['/tmp/x.html', 'ever', /--since takes/],
  ])('%s --since=%s', async (file, since, says) => {
    await expect(report(call(survivor(death)), { file, since })).rejects.toThrow(says);
  });

  test('tar itself reads what is written, of any length', () => {
    const parts = [0, 1, 511, 512, 513, 5000].map((length) => ({
      name: `f${length}`,
      text: 'ä'.repeat(length),
    }));
    writeFileSync(join(home, 'a.tar.gz'), tarOf('d', parts, new Date(second('13:58:00') * 1000)));
    execFileSync('tar', ['xzf', join(home, 'a.tar.gz'), '-C', home]);
    for (const { name, text } of parts) expect(readFileSync(join(home, 'd', name), 'utf8')).toBe(text);
  });
});
