-- Writes a payment down as the gateway describes it now.
-- $1 payment id, $2 gateway, $3 order id, $4 status, $5 amount, $6 cancelled amount, $7 currency,
-- $8 test, $9 method, $10 flag | null keeps the present one, $11 timestamptz now.
-- Locks: the payment's row, so that one payment is settled once at a time. Rows: 1.
INSERT INTO payments (payment_id, gateway, order_id, status, amount, cancelled_amount, currency,
                      test, method, flag, read_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::timestamptz)
ON CONFLICT (payment_id) DO UPDATE SET
  status = excluded.status, amount = excluded.amount,
  cancelled_amount = excluded.cancelled_amount, currency = excluded.currency,
  test = excluded.test, method = excluded.method,
  flag = coalesce(excluded.flag, payments.flag), read_at = excluded.read_at
RETURNING payment_id
