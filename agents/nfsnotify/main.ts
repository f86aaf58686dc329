import { main } from '../../lib/ocf/main.ts';
import { nfsnotify } from './agent.ts';

main(nfsnotify, async () => (await import('../../lib/ocf/beneath.ts')).serveBeneath());
