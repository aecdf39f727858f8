-- Counts the violations of each law about payments and refunds, for one event; zero when all is well.
-- $1 event id, $2 text[] what a refund may wait for without being stuck. Reads the event's payments
-- and live holds, and by moves_out_of_sale what was sold and came back. Locks: none. Rows: 1.
WITH sold AS (SELECT payment_id, order_id FROM holds WHERE event_id = $1 AND state = 'sold'),
paid AS (SELECT p.* FROM payments p JOIN orders o ON o.id = p.order_id
          WHERE o.event_id = $1 AND p.status = 'paid' AND p.amount > 0),
-- The organizer's word: seats went back with a part of the money, or stand without it; or they were
-- given away, or came back, for a payment that PortOne does not know.
accepted AS (SELECT payment_id, kind FROM cases
              WHERE event_id = $1 AND kind IN ('partial_cancel', 'unknown_payment')
                AND closed_by LIKE 'organizer%'),
back AS (SELECT r.*, p.status, p.cancelled_amount,
                CASE p.status WHEN 'paid' THEN p.amount ELSE p.cancelled_amount END AS came
           FROM refunds r JOIN payments p ON p.payment_id = r.payment_id
           JOIN orders o ON o.id = p.order_id
          WHERE o.event_id = $1 AND r.state <> 'failed')
SELECT
  (SELECT count(*)::int FROM paid p
    WHERE NOT EXISTS (SELECT 1 FROM sold s
                       WHERE s.payment_id = p.payment_id AND s.order_id = p.order_id)
      AND NOT EXISTS (SELECT 1 FROM back b WHERE b.payment_id = p.payment_id
                         AND (b.whole OR cardinality(b.seats) > 0))
      AND NOT EXISTS (SELECT 1 FROM accepted a
                       WHERE a.payment_id = p.payment_id AND a.kind = 'partial_cancel'))
    AS "paidWithoutSeat",
  (SELECT count(*)::int FROM sold s
    WHERE NOT EXISTS (SELECT 1 FROM paid p WHERE p.payment_id = s.payment_id)
      AND NOT EXISTS (SELECT 1 FROM accepted a
                       WHERE a.payment_id = s.payment_id AND a.kind = 'unknown_payment'))
    AS "soldWithoutPayment",
  (SELECT count(*)::int FROM paid p JOIN orders o ON o.id = p.order_id
     JOIN sold s ON s.payment_id = p.payment_id
    WHERE p.amount <> o.amount OR p.currency <> o.currency) AS "wrongAmounts",
  -- One that waits for the buyer's account, or for the organizer's own hand, is well: it is told
  -- among the open cases. One that PortOne would not make is not.
  (SELECT count(*)::int FROM back
    WHERE state = 'needs_person'
      AND coalesce(last_error, '') <> ALL ($2::text[]))
    AS "refundsStuck",
  (SELECT count(*)::int FROM (
     SELECT 1 FROM back WHERE state = 'done'
      GROUP BY payment_id, came, cancelled_amount
     -- What a case tells of, or told of, is known.
     HAVING coalesce(sum(amount) FILTER (WHERE by_hand), 0) + cancelled_amount
          > came + coalesce((SELECT sum(c.amount) FROM cases c
                              WHERE c.payment_id = back.payment_id
                                AND c.kind = 'paid_back_twice'), 0)
         OR count(*) FILTER (WHERE whole) > 1) t) AS "refundsTwice",
  (SELECT count(*)::int
     FROM moves m
     JOIN holds h ON h.id = m.from_hold AND h.event_id = m.event_id
     JOIN seats s ON s.id = m.seat_id
    WHERE m.event_id = $1 AND m.from_state = 'sold' AND m.to_state <> 'sold'
      AND NOT EXISTS (SELECT 1 FROM payments p
                       WHERE p.payment_id = h.payment_id AND p.status = 'cancelled')
      AND NOT EXISTS (SELECT 1 FROM back b
                       WHERE b.payment_id = h.payment_id AND b.state = 'done'
                         AND (b.whole OR s.label = ANY (b.seats)))
      AND NOT EXISTS (SELECT 1 FROM accepted a WHERE a.payment_id = h.payment_id))
    AS "seatsFreedUnrefunded"
