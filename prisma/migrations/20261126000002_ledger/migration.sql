-- Money that is not there ------------------------------------------------------------------------
-- An account that was closed before any money came was never paid, whatever the gateway calls it.
UPDATE payments SET status = 'failed' WHERE status = 'cancelled' AND cancelled_amount = 0;

-- Each entry names its payment as well: an open refund or case explains the money of its own payment
-- and of no other.
CREATE OR REPLACE VIEW order_ledger AS
-- Money in, and what the gateway gave back of it. An account that was closed before anybody paid
-- into it is cancelled with nothing to give back: no money came.
SELECT o.event_id, p.order_id, p.currency, 'money' AS account, 'paid' AS entry,
       CASE p.status WHEN 'paid' THEN p.amount ELSE p.cancelled_amount END AS amount,
       p.payment_id AS ref, p.payment_id
  FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE p.status IN ('paid', 'cancelled')
   AND CASE p.status WHEN 'paid' THEN p.amount ELSE p.cancelled_amount END > 0
UNION ALL
SELECT o.event_id, p.order_id, p.currency, 'money', 'cancelled', -p.cancelled_amount, p.payment_id,
       p.payment_id
  FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE p.status IN ('paid', 'cancelled') AND p.cancelled_amount > 0
UNION ALL
SELECT o.event_id, p.order_id, p.currency, 'money', 'refunded_by_hand', -r.amount, p.payment_id,
       p.payment_id
  FROM refunds r JOIN payments p ON p.payment_id = r.payment_id JOIN orders o ON o.id = p.order_id
 WHERE r.by_hand AND r.state = 'done'
UNION ALL
-- Seats out, at their order's price, and back. An order may ask for one type in several items.
SELECT o.event_id, o.id, o.currency, 'seats', 'sold',
       -coalesce((SELECT i.unit_price FROM order_items i
                   WHERE i.order_id = h.order_id AND i.ticket_type_id = s.ticket_type_id LIMIT 1), 0),
       s.label, h.payment_id
  FROM moves m
  JOIN holds h ON h.id = m.to_hold AND h.event_id = m.event_id
  JOIN orders o ON o.id = h.order_id AND o.event_id = m.event_id
  JOIN seats s ON s.id = m.seat_id AND s.event_id = m.event_id
 WHERE m.to_state = 'sold' AND m.from_state <> 'sold'
UNION ALL
SELECT o.event_id, o.id, o.currency, 'seats', 'returned',
       coalesce((SELECT i.unit_price FROM order_items i
                  WHERE i.order_id = h.order_id AND i.ticket_type_id = s.ticket_type_id LIMIT 1), 0),
       s.label, h.payment_id
  FROM moves m
  JOIN holds h ON h.id = m.from_hold AND h.event_id = m.event_id
  JOIN orders o ON o.id = h.order_id AND o.event_id = m.event_id
  JOIN seats s ON s.id = m.seat_id AND s.event_id = m.event_id
 WHERE m.from_state = 'sold' AND m.to_state <> 'sold'
UNION ALL
-- A part given back without as many seats, or with more, and what the organizer let stand of a part
-- that somebody else gave back. Both end when all the money has gone back: then so have the seats.
SELECT o.event_id, o.id, p.currency, 'allowance', 'part_refunded',
       r.amount - coalesce((
         SELECT sum(order_price(o.id, s.id))
           FROM seats s WHERE s.event_id = o.event_id AND s.label = ANY (r.seats)), 0)::int,
       p.payment_id, p.payment_id
  FROM refunds r JOIN payments p ON p.payment_id = r.payment_id JOIN orders o ON o.id = p.order_id
 WHERE r.state = 'done' AND NOT r.whole AND p.status = 'paid'
   AND NOT EXISTS (SELECT 1 FROM refunds w
                    WHERE w.payment_id = p.payment_id AND w.whole AND w.state = 'done')
UNION ALL
SELECT o.event_id, o.id, p.currency, 'allowance', 'accepted', c.accepted, p.payment_id,
       p.payment_id
  FROM cases c JOIN payments p ON p.payment_id = c.payment_id JOIN orders o ON o.id = p.order_id
 WHERE c.accepted <> 0
   AND (c.kind = 'paid_back_twice'
        -- Seats that were given away, for a payment that the gateway does not know; it is paid again
        -- as soon as the gateway tells of it.
        OR (c.kind = 'unknown_payment' AND p.status = 'failed')
        OR (c.kind = 'partial_cancel' AND p.status = 'paid'
            AND NOT EXISTS (SELECT 1 FROM refunds w
                             WHERE w.payment_id = p.payment_id AND w.whole AND w.state = 'done')));
