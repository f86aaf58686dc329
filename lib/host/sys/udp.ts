import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { UdpSocket } from './sys.ts';

/**
 * Bun asks the kernel for the errors of datagrams that were sent before (IP_RECVERR): one that a host refused, or that no route led to,
 * makes the next send fail whoever that is for. So a datagram is handed over again: each time one such error is gone.
 */
const mostTries = 8;

export async function openUdp(address: string, port: number): Promise<UdpSocket> {
  const socket = await bound(address, port);
  let isOpen = true;
  socket.on('error', () => {});
  const send = (bytes: Uint8Array, to: string, toPort: number, tries: number): void => {
    if (!isOpen || tries === 0) return;
    try {
      socket.send(bytes, toPort, to, (error) => {
        if (error) send(bytes, to, toPort, tries - 1);
      });
    } catch {
      // no port, no address: lost like any other
    }
  };
  return {
    send: (bytes, to, toPort) => send(bytes, to, toPort, mostTries),
    onMessage: (listener) =>
      void socket.on('message', (bytes, from) => listener(bytes, { address: from.address, port: from.port })),
    close() {
      isOpen = false;
      socket.close();
    },
  };
}

/** One empty datagram. */
export async function datagram(from: string, to: string, port: number): Promise<void> {
  const socket = await bound(from, 0);
  try {
    await new Promise<void>((resolve, reject) =>
      socket.send('', port, to, (error) => (error ? reject(error) : resolve())),
    );
  } finally {
    socket.close();
  }
}

async function bound(address: string, port: number): Promise<Socket> {
  // a socket of `::` would take the port of this number of IPv4, too
  const socket = createSocket(address.includes(':') ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
