import { main } from '../../lib/ocf/main.ts';
import { ipaddr2 } from './agent.ts';

main(ipaddr2);
