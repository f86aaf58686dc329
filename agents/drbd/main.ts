import { main } from '../../lib/ocf/main.ts';
import { drbd } from './agent.ts';

main(drbd);
