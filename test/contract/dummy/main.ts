import { main } from '../../../lib/ocf/main.ts';
import { dummy } from './agent.ts';

main(dummy);
