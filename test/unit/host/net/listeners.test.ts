import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { listenersOn, parseListeners } from '../../../../lib/host/net/listeners.ts';
import { FakeMachine } from '../../../fake/machine.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { run, shared } from '../../../fake/nfsserver-machine.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 00000000f8c8f8c8 100 0 0 10 0\n`;
/** Port 2049 twice, once with a client, and port 111. */
const tcp =
  head +
  row('00000000:0801', '0A', 9001) +
  row('0B004D0A:0801', '01', 9002) +
  row('00000000:006F', '0A', 9003);

test('only sockets that listen on the port', () => {
  expect(parseListeners(tcp, 2049)).toEqual(['9001']);
  expect(parseListeners(tcp, 111)).toEqual(['9003']);
  expect(parseListeners('', 111)).toEqual([]);
});

test('a listener is named; the sockets of the kernel have no program', async () => {
  const machine = new FakeMachine();
  machine.files.set('/proc/net/tcp', tcp);
  machine.process(77, { comm: 'python3\n' }, { 'fd/3': 'socket:[9001]' });
  expect(await listenersOn(hostOn(machine, 1000), 2049)).toEqual(['python3 (pid 77)']);
  expect(await listenersOn(hostOn(machine, 1000), 111)).toEqual([]);
  expect(await listenersOn(hostOn(machine, 1000), 80)).toEqual([]);
});

test('nfsserver#74: nfsd cannot start because its port is taken, and says by whom', async () => {
  const machine = new NfsMachine(shared);
  machine.failing.add('nfs-server.service');
  machine.files.set('/proc/net/tcp', tcp);
  machine.process(77, { comm: 'python3\n' }, { 'fd/3': 'socket:[9001]' });
  expect(await run(machine, 'start')).toMatchObject({
    code: 1,
    reason: 'port 2049 is taken by python3 (pid 77)',
  });
});
