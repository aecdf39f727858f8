// The expiry queue; its jobs carry nothing, for the database says what is overdue.

export const EXPIRY_QUEUE = 'expiry';
