import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostOn } from '../../../lib/host/host.ts';
import { copyRecords, keepRecords, waitingClients } from '../../../lib/host/nfs/nsm-records.ts';
import { beneath } from '../../../lib/host/storage/beneath.ts';
import { nodeSys } from '../../../lib/host/sys/node-sys.ts';
import { agentUnderTest } from '../agent-under-test.ts';

// Records of NFSv3 clients as real files, moved by a real child of the bundled agent.

const patienceMs = 100_000;
const agent = await agentUnderTest('nfsserver');
const host = hostOn(nodeSys({ PATH: process.env['PATH'] }, [process.execPath, agent]), 2 * patienceMs);
const retireAll = (_host: typeof host, where: string, from: 'sm' | 'sm.tsha' = 'sm') =>
  beneath(host, where, 'retire', { from });
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tsha-nsm-'));
  for (const name of ['sm', 'sm.bak']) mkdirSync(join(dir, name));
});
afterEach(() => rmSync(dir, { recursive: true }));

const record = (client: string) => `0100007f 000186b8 00000003 00000010 cookie ${client} here\n`;
const write = (name: string, client = name) => writeFileSync(join(dir, 'sm', name), record(client));
/** Of a directory: each name, its client's, and how many names the file has. */
const found = (list: string): readonly string[] =>
  readdirSync(join(dir, list))
    .sort()
    .map((name) => {
      const file = join(dir, list, name);
      return `${name}: ${readFileSync(file, 'utf8').split(' ')[5]}, ${statSync(file).nlink}`;
    });

describe('N9: a record that has its second name already', () => {
  test.each(['10.0.0.51', '2001:db8::5', 'a b', '-rf', 'two\nlines', "it's", '*', '%s\\n', 'ü'])(
    '%j is retired',
    async (name) => {
      write(name, 'client');
      await keepRecords(host, dir, patienceMs);
      expect([found('sm'), found('sm.bak')]).toEqual([[`${name}: client, 2`], [`${name}: client, 2`]]);
      await retireAll(host, dir);
      expect([found('sm'), found('sm.bak')]).toEqual([[], [`${name}: client, 1`]]);
    },
  );

  test('beside one that has only the first, one only the second, and one of an earlier server', async () => {
    write('kept');
    await keepRecords(host, dir, patienceMs);
    write('new');
    write('again', 'younger');
    writeFileSync(join(dir, 'sm.bak', 'again'), record('older'));
    writeFileSync(join(dir, 'sm.bak', 'waits'), record('waits'));
    await retireAll(host, dir);
    expect(found('sm')).toEqual([]);
    expect(found('sm.bak')).toEqual(['again: younger, 1', 'kept: kept, 1', 'new: new, 1', 'waits: waits, 1']);
  });

  test('and a third among the copies of a monitor', async () => {
    mkdirSync(join(dir, 'sm.tsha'));
    write('one');
    await keepRecords(host, dir, patienceMs);
    linkSync(join(dir, 'sm/one'), join(join(dir, 'sm.tsha'), 'one'));
    write('two');
    await copyRecords(host, dir, patienceMs);
    await retireAll(host, dir);
    await retireAll(host, dir, 'sm.tsha');
    expect([found('sm'), found('sm.tsha')]).toEqual([[], []]);
    expect(found('sm.bak')).toEqual(['one: one, 1', 'two: two, 1']);
  });

  test('twice over, and with nothing there', async () => {
    await retireAll(host, dir);
    write('one');
    await keepRecords(host, dir, patienceMs);
    await keepRecords(host, dir, patienceMs);
    await retireAll(host, dir);
    await retireAll(host, dir);
    expect(found('sm.bak')).toEqual(['one: one, 1']);
  });
});

describe('F8: who is still to be told', () => {
  test('of records, of none, and of no directory', async () => {
    expect(await waitingClients(host, dir)).toEqual([]);
    writeFileSync(join(dir, 'sm.bak', 'one'), record('client'));
    expect(await waitingClients(host, dir)).toEqual([{ file: 'one', client: 'client' }]);
    await expect(waitingClients(host, join(dir, 'none'))).rejects.toThrow(/none: no such file/);
  });
});
