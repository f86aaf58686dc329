import { main } from '../../lib/ocf/main.ts';
import { nfsserver } from './agent.ts';

main(nfsserver, async () => (await import('../../lib/ocf/beneath.ts')).serveBeneath());
