import { main } from '../../lib/ocf/main.ts';
import { nfsserver } from './agent.ts';

main(nfsserver, () => import('../../lib/ocf/beneath.ts'));
