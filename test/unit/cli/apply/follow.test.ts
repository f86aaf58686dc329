import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { apply } from '../../../../cli/apply/command.ts';
import { hangs } from '../../../fake/machine.ts';
import { type FakePacemaker, pacemakerBelow } from '../../../fake/pacemaker.ts';
import { FakePair } from '../../../fake/pair.ts';
import { pairFileIn } from '../../../fake/pair-file.ts';

// What `apply` says once the configuration is in the cluster.

const said = vi.hoisted(() => [] as string[]);
vi.mock('../../../../cli/output/print.ts', () => ({
  print: (_: number, text: string) => void said.push(text),
  printLines: (lines: readonly string[]) => void said.push(`${lines.join('\n')}\n`),
}));

const kept: string[] = [];
beforeEach(() => void said.splice(0));
afterEach(() => {
  for (const dir of kept.splice(0)) rmSync(dir, { recursive: true, force: true });
});

type World = { readonly pair: FakePair; readonly pacemaker: FakePacemaker };
const isPushed = ({ pacemaker }: World) => pacemaker.done.includes('patch');

/** What crm_mon shows, once something is so. */
function shows({ pair }: World, from: RegExp, to: string, when: () => boolean = () => true): void {
  const { node2 } = pair.machines;
  const mon = node2.handler('crm_mon');
  node2.on('crm_mon', async (args, command) => {
    const output = await mon(args, command);
    const text = typeof output === 'string' ? output : (output?.stdout ?? '');
    if (!when()) return text;
    expect(text).toMatch(from);
    return text.replace(from, to);
  });
}

async function world(): Promise<World> {
  const pair = new FakePair('healthy');
  const pacemaker = await pacemakerBelow(pair, 'tsha');
  pair.machines.node2.on('crm_verify', () => '');
  kept.push(...Object.values(pair.lockDirs));
  return { pair, pacemaker };
}

function go({ pair }: World, kill: Parameters<FakePair['run']>[1] = null) {
  const folder = mkdtempSync(join(tmpdir(), 'tsha-follow-'));
  kept.push(folder);
  const work = () => apply(pair.call('node2'), { config: pairFileIn(folder), dryRun: false, yes: true });
  return kill === null ? work() : pair.run(work, kill);
}

const ofAddress = (state: string) =>
  [/(<resource id="nfs_ip"[^>]*) role="Started" active="true"/, `$1 ${state}`] as const;

describe('pushed', () => {
  test('all of it runs, with a second copy', async () => {
    const on = await world();
    expect(await go(on)).toBe('well');
    expect(said.join('')).toContain('All of it runs on node2');
  });

  test.each([
    ['is not there', '<resource id="Data" resource_agent="ocf:tsha:drbd" role="Stopped" active="false"/>'],
    ['has failed', '$1 role="Unpromoted" active="true" failed="true">$2</resource>'],
    ['is still being started', '$1 role="Unpromoted" active="true" pending="Starting">$2</resource>'],
  ])('DRBD on the other node %s: no second copy', async (_, instance) => {
    const on = await world();
    shows(on, /(<resource id="Data"[^>]*) role="Unpromoted"[^>]*>(\s*<node [^>]*>\s*)<\/resource>/, instance);
    expect(await go(on)).toBe('attention');
    expect(said.join('')).toMatch(
      /! All of it runs on node2\.\n! THERE IS NO SECOND COPY: Data does not run on node1\n/,
    );
  });

  test('everything runs as before at first; then Pacemaker restarts it, and fails', async () => {
    const on = await world();
    let isRestarted = false;
    on.pacemaker.onWait = () => {
      isRestarted = true;
      return 0;
    };
    shows(on, ...ofAddress('role="Stopped" active="false"'), () => isRestarted);
    expect(await go(on)).toBe('halfway');
    expect(said.join('')).toMatch(/not everything runs after 300 s/);
  });

  test('a failure on the way there is told, an old one is not', async () => {
    const on = await world();
    const failure = `<failures><failure op_key="nfs_ip_start_0" node="node1" exitreason="gone"/></failures>`;
    shows(on, /(?=<\/pacemaker-result>)/, failure);
    expect(await go(on)).toBe('well');
    const again = await world();
    shows(again, /(?=<\/pacemaker-result>)/, failure, () => isPushed(again));
    expect(await go(again)).toBe('attention');
    expect(said.join('')).toContain('! on the way there these failed:\n  nfs_ip start on node1: gone\n');
  });

  test('Pacemaker has something to do all the time: told, within the bound', async () => {
    const on = await world();
    const { node2 } = on.pair.machines;
    on.pacemaker.onWait = () => {
      node2.clock += 60_000;
      return 124;
    };
    expect(await go(on)).toBe('attention');
    expect(said.join('')).toMatch(
      /all of it runs on node2, and after 300 s Pacemaker still has something to do/,
    );
    expect(node2.clock).toBeLessThan(400_000);
  });

  test('the cluster does not answer for a while', async () => {
    const on = await world();
    const { node2 } = on.pair.machines;
    const mon = node2.handler('crm_mon');
    let hung = 0;
    node2.on('crm_mon', (args, command) =>
      isPushed(on) && hung++ < 3 ? hangs(command, node2) : mon(args, command),
    );
    expect(await go(on)).toBe('well');
    expect(hung).toBeGreaterThan(3);
  });

  test('nor ever: half-way, the configuration is there', async () => {
    const on = await world();
    const { node2 } = on.pair.machines;
    const mon = node2.handler('crm_mon');
    node2.on('crm_mon', (args, command) => (isPushed(on) ? hangs(command, node2) : mon(args, command)));
    expect(await go(on)).toBe('halfway');
    expect(said.join('')).toMatch(/whether all of it runs is not known.*crm_mon did not answer/);
  });
});

test('interrupted at any of its calls: nothing of it is there, or half-way', async () => {
  const whole = await world();
  await whole.pair.run(() => go(whole), null);
  const length = whole.pair.calls;
  const seen = { interrupted: 0, halfway: 0 };
  for (let call = 1; call <= length; call++)
    for (const when of ['before', 'after'] as const) {
      const on = await world();
      await go(on, { call, when, signal: 'INT' });
      const ending = isPushed(on) ? 'halfway' : 'interrupted';
      expect(on.pair.ending, `${when} ${call}`).toBe(ending);
      seen[ending]++;
    }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(3);
});
