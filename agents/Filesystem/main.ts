import { main } from '../../lib/ocf/main.ts';
import { filesystem } from './agent.ts';

main(filesystem, () => import('../../lib/ocf/beneath.ts'));
