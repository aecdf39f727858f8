// Every story about money, told in dialect v2-2024-01-01.

import { table } from './table.ts';

table('v2-2024-01-01');
