'use strict';
// Clients that are root's on their machines, and say what they like. One argument each: ADDRESS=WHAT
//
//   honest        rpcbind names a port, and there an rpc.statd confirms
//   port:NUMBER   rpcbind names that port
//   forger        honest, and answers for everybody: every number near those that it sees, from its own address
//   noise         bytes that mean nothing, and the call itself

const { createSocket } = require('node:dgram');
const { randomBytes } = require('node:crypto');

const statd = 40_000;
const near = 300;

function reply(xid, ...result) {
  const words = [xid, 1, 0, 0, 0, 0, ...result];
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, at) => void bytes.writeUInt32BE(word >>> 0, at * 4));
  return bytes;
}

function answers(what, port, call) {
  const xid = call.readUInt32BE(0);
  const truth = port === statd ? reply(xid) : reply(xid, statd);
  if (what === 'noise') return [randomBytes(60), Buffer.alloc(3), call, reply(xid)];
  if (what.startsWith('port:')) return [reply(xid, Number(what.slice(5)))];
  if (what !== 'forger') return [truth];
  const forged = [];
  for (let other = xid - near; other <= xid + near; other++)
    forged.push(reply(other >>> 0, statd), reply(other >>> 0));
  return [truth, ...forged];
}

let opening = 0;
for (const [address, what] of process.argv.slice(2).map((word) => word.split('=')))
  for (const port of [111, statd]) {
    const socket = createSocket('udp4');
    opening++;
    socket.on('message', (call, from) => {
      for (const answer of answers(what, port, call)) socket.send(answer, from.port, from.address);
    });
    socket.bind({ address, port }, () => {
      opening--;
      if (opening === 0) console.log('ready');
    });
  }
