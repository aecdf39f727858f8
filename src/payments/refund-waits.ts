// What a refund may be waiting for, other than a mended PortOne: noted as its last error, and told
// to the organizer by every list, the audit and the metrics.

/** A virtual account's money goes back to an account that only its buyer can name. */
export const NEEDS_ACCOUNT = 'needs_account';
/** The organizer has it in hand; PortOne is not asked any more. */
export const BY_HAND = 'to be paid back by hand';

/** PortOne said that it will carry it out later; from then on it is only looked at. */
export const TAKEN = 'taken by PortOne, not carried out yet';

/** A person is needed and knows what for: whatever else stops a refund is a fault. */
export const WAITS_FOR_ORGANIZER: readonly string[] = [NEEDS_ACCOUNT, BY_HAND];
