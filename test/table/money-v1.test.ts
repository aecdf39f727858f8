// Every story about money, told in dialect v1.

import { table } from './table.ts';

table('v1');
