// Every story about money, told in dialect v2-2024-01-01. Its API is that of 2024-04-25, whose table
// has its faults.

import { table } from './table.ts';

table('v2-2024-01-01', []);
