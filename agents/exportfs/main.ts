import { main } from '../../lib/ocf/main.ts';
import { exportfs } from './agent.ts';

main(exportfs, () => import('../../lib/ocf/beneath.ts'));
