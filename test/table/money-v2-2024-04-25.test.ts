// Every story about money, told in dialect v2-2024-04-25.

import { table } from './table.ts';

table('v2-2024-04-25');
