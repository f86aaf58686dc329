import { main } from '../../lib/ocf/main.ts';
import { nfsnotify } from './agent.ts';

main(nfsnotify, () => import('../../lib/ocf/beneath.ts'));
