-- Says, before PortOne is asked for a charge, that it is about to be, and keeps the hold until the
-- charge is surely over; never shorter than it was. One whose time is over is kept only for a charge
-- that was asked for before: a new one needs a hold that lives.
-- $1 hold id, $2 payment id, $3 timestamptz now, $4 timestamptz until when, $5 actor.
-- Locks: the hold; a release that waits for it finds it not over. Rows: none where it has ended.
WITH kept AS (
  UPDATE holds h SET expires_at = greatest(h.expires_at, $4::timestamptz), next_ask_at = NULL
   WHERE h.id = $1::uuid AND h.payment_id = $2 AND h.ended_at IS NULL AND h.state <> 'sold'
     AND (h.expires_at > $3::timestamptz
          OR EXISTS (SELECT 1 FROM payment_steps s
                      WHERE s.order_id = h.order_id AND s.payment_id = $2
                        AND s.step = 'charge_asked'))
  RETURNING h.order_id)
INSERT INTO payment_steps (order_id, payment_id, step, actor, at)
SELECT order_id, $2, 'charge_asked', $5, $3::timestamptz FROM kept
RETURNING order_id AS "orderId"
