import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { nodeSys } from '../../lib/host/sys/node-sys.ts';
import type { UdpSocket } from '../../lib/host/sys/sys.ts';

// What the network does to a socket of ours, on addresses of the loopback interface: in the runtime that loads this file.

const sys = nodeSys({ PATH: process.env['PATH'] });
const [here, closed, open] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;

/** A host that answers every datagram with its own text, and where it does. */
async function echo() {
  const socket = createSocket('udp4').bind({ address: open, port: 0 });
  await once(socket, 'listening');
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
  return { port: socket.address().port, close: () => socket.close() };
}

/** A port of a host where nobody listens: the kernel says so at once. */
async function closedPort(): Promise<number> {
  const socket = createSocket('udp4').bind({ address: closed, port: 0 });
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

type Heard = { readonly text: string; readonly from: string };

/** What a socket has heard once it has been quiet for long enough, or has heard all it wants. */
async function hearing(work: (socket: UdpSocket) => Promise<void> | void, wanted: number) {
  const socket = await sys.openUdp(here, 0);
  const heard: Heard[] = [];
  const all = new Promise<void>((resolve) =>
    socket.onMessage((bytes, from) => {
      heard.push({ text: Buffer.from(bytes).toString(), from: `${from.address} ${from.port}` });
      if (heard.length === wanted) resolve();
    }),
  );
  await work(socket);
  await Promise.race([all, sys.sleep(5000)]);
  socket.close();
  return heard.sort((one, other) => (one.text < other.text ? -1 : 1));
}

/** By name: what happens, and what comes of it in every runtime. */
export const udpStories: Readonly<Record<string, readonly [() => Promise<unknown>, unknown]>> = {
  'S14: hosts that refuse before and between: every other host gets its datagram': [
    async () => {
      const [host, nobody] = [await echo(), await closedPort()];
      const heard = await hearing((socket) => {
        for (let round = 0; round < 20; round++) {
          for (let times = 0; times < 3; times++) socket.send(Buffer.from('lost'), closed, nobody);
          socket.send(Buffer.from(`for you ${round}`), open, host.port);
        }
      }, 20);
      host.close();
      return heard.length;
    },
    20,
  ],
  'S14: a host that refused and is there now is heard': [
    async () => {
      const nobody = await closedPort();
      const late = createSocket('udp4');
      late.on('message', (bytes, from) => late.send(bytes, from.port, from.address));
      const heard = await hearing(async (socket) => {
        socket.send(Buffer.from('too early'), closed, nobody);
        late.bind({ address: closed, port: nobody });
        await once(late, 'listening');
        for (const text of ['one', 'two']) socket.send(Buffer.from(text), closed, nobody);
      }, 2);
      late.close();
      return heard.map(({ text }) => text);
    },
    ['one', 'two'],
  ],
  'S13: who sent it is told': [
    async () => {
      const host = await echo();
      const [first] = await hearing((socket) => socket.send(Buffer.from('x'), open, host.port), 1);
      host.close();
      return first?.from === `${open} ${host.port}`;
    },
    true,
  ],
  'S12: what is no port or no address is lost, and nothing else': [
    async () => {
      const host = await echo();
      const heard = await hearing((socket) => {
        for (const port of [65_536, 0, -1, 1.5, Number.NaN]) socket.send(Buffer.from('lost'), open, port);
        socket.send(Buffer.from('lost'), '255.255.255.255', host.port); // EACCES
        socket.send(Buffer.from('lost'), '203.0.113.1', host.port); // no route from here
        socket.send(Buffer.from('found'), open, host.port);
      }, 1);
      host.close();
      return heard.map(({ text }) => text);
    },
    ['found'],
  ],
  'a closed socket sends nothing and fails nothing': [
    async () => {
      const socket = await sys.openUdp(here, 0);
      const nobody = await closedPort();
      for (let times = 0; times < 5; times++) socket.send(Buffer.from('lost'), closed, nobody);
      socket.close();
      socket.send(Buffer.from('lost'), closed, nobody);
      await sys.sleep(20);
      return 'well';
    },
    'well',
  ],
  'any address of IPv4 and any of IPv6 have a port each of one number': [
    async () => {
      const port = await closedPort();
      const sockets = [];
      for (const any of ['0.0.0.0', '::']) sockets.push(await sys.openUdp(any, port));
      for (const socket of sockets) socket.close();
      return sockets.length;
    },
    2,
  ],
  'an address that is not here, a port that is taken': [
    async () => {
      const host = await echo();
      const codes = [];
      for (const [address, port] of [
        ['203.0.113.1', 0],
        [open, host.port],
      ] as const)
        codes.push(
          await sys.openUdp(address, port).then(
            () => 'open',
            ({ code }) => code,
          ),
        );
      host.close();
      return codes;
    },
    ['EADDRNOTAVAIL', 'EADDRINUSE'],
  ],
};

if (process.versions['bun']) {
  console.log(JSON.stringify(await udpStories[process.argv[2] ?? '']?.[0]()));
  process.exit(0);
}
