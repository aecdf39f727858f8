-- Writes a payment down as the gateway described it, unless what is there is further on already:
-- an answer may be read before another and be settled after it, and no payment ever goes back.
-- $1 payment id, $2 gateway, $3 order id, $4 status, $5 amount, $6 cancelled amount, $7 currency,
-- $8 test, $9 method, $10 flag | null keeps the present one, $11 timestamptz now,
-- $12 timestamptz | null due date, $13 cancellation pending, $14 never asked for its seats.
-- Locks: the payment's row, so that one payment is settled once at a time. Rows: none if outdated.
INSERT INTO payments AS p (payment_id, gateway, order_id, status, amount, cancelled_amount, currency,
                           test, method, flag, read_at, deposit_by, cancel_pending, bypassed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::timestamptz, $12::timestamptz, $13, $14)
ON CONFLICT (payment_id) DO UPDATE SET
  status = excluded.status, amount = excluded.amount,
  cancelled_amount = greatest(p.cancelled_amount, excluded.cancelled_amount),
  currency = excluded.currency, test = excluded.test, method = excluded.method,
  flag = coalesce(excluded.flag, p.flag), read_at = excluded.read_at,
  deposit_by = coalesce(excluded.deposit_by, p.deposit_by),
  cancel_pending = excluded.cancel_pending, bypassed = p.bypassed OR excluded.bypassed
  WHERE p.order_id = excluded.order_id
    AND array_position(ARRAY['ready', 'pending', 'waiting_deposit', 'failed', 'paid', 'cancelled'],
                       p.status)
     <= array_position(ARRAY['ready', 'pending', 'waiting_deposit', 'failed', 'paid', 'cancelled'],
                       excluded.status)
RETURNING payment_id
