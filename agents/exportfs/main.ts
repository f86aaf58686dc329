import { main } from '../../lib/ocf/main.ts';
import { exportfs } from './agent.ts';

main(exportfs, async () => (await import('../../lib/ocf/beneath.ts')).serveBeneath());
