import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { clusterName, metricsText } from '../../cli/commands/metrics.ts';
import { gather } from '../../cli/facts/gather.ts';
import { hostOn } from '../../lib/host/host.ts';
import { projectFolder } from '../../packaging/products.ts';
import { captured } from '../fake/captured.ts';
import { run } from './call.ts';

// What `tsha metrics` writes and the alerts that are shipped, as Prometheus' own tool reads them.

const dir = mkdtempSync(join(tmpdir(), 'tsha-metrics-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const rules = join(projectFolder, 'packaging/share/tsha-alerts.yml');
const path = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

const textOf = async (name: string): Promise<string> => {
  const { machine, time } = captured(name);
  const host = hostOn(machine, 60_000);
  const facts = await gather(host, time);
  return metricsText(facts, await clusterName(host, facts));
};

test.each([
  'healthy.node1',
  'degraded.node2',
  'syncing.node1',
  'split.node2',
  'moving.node1',
  'standby.node1',
])('promtool has nothing to say about the metrics of %s', async (name) => {
  writeFileSync(join(dir, name), await textOf(name));
  const answer = await run(['sh', '-c', `promtool check metrics < ${join(dir, name)}`], path);
  expect(answer).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('promtool takes the alerts', async () => {
  const answer = await run(['promtool', 'check', 'rules', rules], path);
  expect(answer).toMatchObject({ code: 0, stdout: expect.stringMatching(/SUCCESS: 11 rules found/) });
});

test('every metric that an alert asks for is written', async () => {
  const written = (await textOf('split.node2')) + (await textOf('healthy.node2'));
  const asked = new Set([...readFileSync(rules, 'utf8').matchAll(/\btsha_\w+/g)].map(([name]) => name));
  for (const name of asked) expect(written, name).toMatch(new RegExp(`^${name}[ {]`, 'm'));
});

test('every sample says whose cluster it is, on a node whose cluster is stopped, too', async () => {
  const samples = (text: string) => text.split('\n').filter((line) => /^tsha_/.test(line));
  for (const line of samples(await textOf('split.node2')))
    expect(line).toMatch(/^tsha_\w+\{cluster="lab"[,}]/);
  const { machine, time } = captured('healthy.node2');
  machine.on('cibadmin', () => ({ code: 102 }));
  machine.files.set('/etc/corosync/corosync.conf', 'totem {\n  cluster_name: lab\n}\n');
  const host = hostOn(machine, 60_000);
  const facts = await gather(host, time);
  const down = samples(metricsText(facts, await clusterName(host, facts)));
  expect(down).toContain('tsha_cluster_up{cluster="lab"} 0');
  for (const line of down) expect(line).toMatch(/^tsha_\w+\{cluster="lab"[,}]/);
});

/** Two nodes; a value for each, or one for both, that stays so for a day. */
const nodes = (metric: string, values: readonly (number | string)[], labels = '', cluster = 'lab') =>
  values.map((value, index) => ({
    series: `${metric}{cluster="${cluster}",instance="${cluster}-node${index + 1}"${labels}}`,
    values: typeof value === 'string' ? value : `${value}x1500`,
  }));

describe('an alert', () => {
  // biome-ignore format: a table
  test.each([
    ['TshaNobodyServes', nodes('tsha_service_up', [0, 0], ',service="nfs"'), '3m', true],
    ['TshaNobodyServes', nodes('tsha_service_up', [0, 1], ',service="nfs"'), '3m', false],
    ['TshaNobodyServes', [...nodes('tsha_service_up', [0, 0], ',service="nfs"'), ...nodes('tsha_service_up', [1, 1], ',service="nfs"', 'other')], '3m', true],
    ['TshaNoCluster', nodes('tsha_cluster_up', [0, 0]), '3m', true],
    ['TshaNoCluster', [...nodes('tsha_cluster_up', [0, 0]), ...nodes('tsha_cluster_up', [1, 1], '', 'other')], '3m', true],
    ['TshaNoCluster', nodes('tsha_cluster_up', [0, 1]), '3m', false],
    ['TshaUnknown', [...nodes('tsha_level', [3, 0]), ...nodes('tsha_cluster_up', [1, 1])], '11m', true],
    ['TshaUnknown', [...nodes('tsha_level', [3, 0]), ...nodes('tsha_cluster_up', [0, 1])], '11m', false],
    ['TshaMetricsGone', nodes('tsha_time_seconds', ['0+60x30 _x1470', '0+60x1500']), '50m', true],
    ['TshaMetricsGone', nodes('tsha_time_seconds', ['0+60x1500', '0+60x1500']), '50m', false],
    ['TshaSplitBrain', nodes('tsha_drbd_split_brain', [0, 1], ',resource="data"'), '1m', true],
    ['TshaSplitBrain', nodes('tsha_drbd_split_brain', [0, 0], ',resource="data"'), '1m', false],
    ['TshaClusterDown', nodes('tsha_cluster_up', [1, 0]), '6m', true],
    ['TshaBroken', nodes('tsha_level', [1, 2]), '3m', true],
    ['TshaBroken', nodes('tsha_level', [1, 1]), '3m', false],
    ['TshaNoSecondCopy', nodes('tsha_second_copy', [0, 0]), '16m', true],
    ['TshaNoSecondCopy', nodes('tsha_second_copy', [0, 0]), '5m', false],
    ['TshaNoSecondCopy', [...nodes('tsha_second_copy', [1, 1]), ...nodes('tsha_second_copy', [0, 0], '', 'other')], '16m', true],
    ['TshaFailedActions', nodes('tsha_failed_actions', [2, 2]), '6m', true],
    ['TshaNodeInStandby', nodes('tsha_node_standby', [1, 1], ',node="node2"'), '13h', true],
    ['TshaNodeInStandby', nodes('tsha_node_standby', [1, 1], ',node="node2"'), '3h', false],
    ['TshaMetricsOld', nodes('tsha_time_seconds', [0]), '12m', true],
    ['TshaMetricsOld', nodes('tsha_time_seconds', ['0+60x1500']), '12m', false],
  ] as const)('%s with %j after %s: %s', async (alert, series, after, fires) => {
    const firing = `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`;
    const file = join(dir, 'alerts.json');
    const story = {
      rule_files: [rules],
      evaluation_interval: '30s',
      tests: [
        {
          interval: '1m',
          input_series: series,
          promql_expr_test: [
            {
              expr: `(${firing}) > bool 0`,
              eval_time: after,
              exp_samples: [{ labels: '{}', value: Number(fires) }],
            },
          ],
        },
      ],
    };
    writeFileSync(file, JSON.stringify(story));
    const answer = await run(['promtool', 'test', 'rules', file], path);
    expect(answer.code, answer.stdout + answer.stderr).toBe(0);
  });
});

test('systemd has nothing to say about the units', async () => {
  const units = ['service', 'timer'].map((kind) => {
    const text = readFileSync(join(projectFolder, `packaging/share/tsha-metrics.${kind}`), 'utf8');
    const file = join(dir, `tsha-metrics.${kind}`);
    // the command need not be installed on this machine
    writeFileSync(file, text.replace('/usr/sbin/tsha', '/bin/true'));
    return file;
  });
  const answer = await run(['systemd-analyze', 'verify', '--man=no', ...units], path);
  expect(answer.stdout + answer.stderr).not.toContain('tsha-metrics');
  expect(answer.code).toBe(0);
});
