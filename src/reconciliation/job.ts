// The reconciliation queue; its jobs carry nothing, for the record of runs says where to go on.

export const RECONCILIATION_QUEUE = 'reconciliation';
