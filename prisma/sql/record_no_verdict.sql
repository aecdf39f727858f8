-- Settles payments that got no verdict in time: whoever commits first wins, so a worker that
-- comes later finds this one and seats nobody.
-- $1 jsonb [{paymentId, gateway, eventId, orderId, code, amount}], $2 timestamptz now.
-- Locks: the verdicts' keys (waits for a worker that is just committing one). Rows: those written.
INSERT INTO verdicts (payment_id, gateway, event_id, order_id, code, amount, decided_at)
SELECT DISTINCT ON (v."paymentId")
       v."paymentId", v.gateway, v."eventId", v."orderId", v.code, v.amount, $2::timestamptz
  FROM jsonb_to_recordset($1::jsonb) AS v (
    "paymentId" text, gateway text, "eventId" int, "orderId" int, code text, amount int)
 ORDER BY v."paymentId"
ON CONFLICT (payment_id) DO NOTHING
RETURNING payment_id AS "paymentId"
