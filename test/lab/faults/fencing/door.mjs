// door.mjs ADDRESS PORT SOCKET: runs in the lab's network namespace, and passes on what the machines have to say to the lab outside of it.
import { connect, createServer } from 'node:net';

const [address, port, socket] = process.argv.slice(2);
createServer((machine) => {
  const lab = connect(socket);
  for (const end of [machine, lab])
    end.on('error', () => {
      machine.destroy();
      lab.destroy();
    });
  machine.pipe(lab).pipe(machine);
}).listen(Number(port), address);
// the lab holds the other end of this; when it is gone, nobody needs a door
process.stdin.on('end', () => process.exit()).resume();
