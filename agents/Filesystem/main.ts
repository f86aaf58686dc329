import { main } from '../../lib/ocf/main.ts';
import { filesystem } from './agent.ts';

main(filesystem, async () => (await import('../../lib/ocf/beneath.ts')).serveBeneath());
