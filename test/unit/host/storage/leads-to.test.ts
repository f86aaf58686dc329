import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import type { Order } from '../../../../lib/host/jobs.ts';
import { leadTo } from '../../../../lib/host/storage/leads-to.ts';
import { mounts } from '../../../../lib/host/storage/mounts.ts';
import { ExportingMachine } from '../../../fake/exports.ts';

const machineWith = (count: number) => {
  const machine = new ExportingMachine();
  for (let n = 0; n < count; n++) machine.mount(`/m/${n}`, `147:${n}`);
  return { machine, host: hostOn(machine, 60_000) };
};

test('one child for each mount, few of them at once, and an answer for each path', async () => {
  const { machine, host } = machineWith(10);
  machine.links.set('/m/0/link', '/etc');
  const own = machine.handler('/agent');
  const asked: string[] = [];
  let [running, most] = [0, 0];
  machine.on('/agent', async (args, command) => {
    asked.push((JSON.parse(String(command.input)) as Order).anchor);
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
    return own(args, command);
  });
  const paths = Array.from({ length: 10 }, (_, n) => [`/m/${n}/a`, `/m/${n}/link`, `/usr/${n}`]).flat();
  const led = await leadTo(host, paths, await mounts(host));
  expect([...led.keys()].sort()).toEqual(paths.toSorted());
  expect(asked.toSorted()).toEqual(Array.from({ length: 10 }, (_, n) => `/m/${n}`));
  expect(most).toBe(4);
  expect([...led].filter(([, { stray }]) => stray !== undefined)).toEqual([
    ['/m/0/link', { path: '/m/0/link', stray: '/m/0/link is a link to /etc, which leads out of /m/0' }],
  ]);
});

test('once a mount has not answered, the others that nobody has begun with are not asked', async () => {
  const { machine, host } = machineWith(10);
  let asked = 0;
  machine.on('/agent', () => {
    asked++;
    return { code: 124, hung: 'pid 77 in state D after 3 s' };
  });
  const paths = Array.from({ length: 10 }, (_, n) => `/m/${n}/a`);
  const led = await leadTo(host, paths, await mounts(host), 3000);
  expect(paths.map((path) => led.get(path)?.trouble)).toEqual(
    paths.map(() => expect.stringMatching(/^\/m\/\d does not answer/)),
  );
  expect(asked).toBe(4);
});
