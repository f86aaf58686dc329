// Mounts, answers INIT, and then never says another word. What touches it hangs.
// usage: node silent-fuse.mjs <mount point> [<source>]; prints a line once mounted. A source below /dev stays open.
import { mountFuse } from './fuse.mjs';

const [, , directory, source = 'silent:/export'] = process.argv;
mountFuse(directory, source);
console.log('mounted');
setInterval(() => {}, 60_000);
