-- Money against seats, for one event: what came, what went back, and what the sold seats cost.
-- $1 event id. What the seats cost is read from the seats as they are now, the rest from the ledger,
-- which knows them by the record of moves, so that one proves the other. Locks: none.
-- Rows: one a currency. Amounts are float8, exact to 2^53: bigint would reach the program as text.
WITH balances AS MATERIALIZED (
  SELECT order_id, payment_id, currency, sum(amount) AS balance,
         coalesce(sum(amount) FILTER (WHERE entry = 'paid'), 0) AS paid,
         coalesce(-sum(amount) FILTER (WHERE entry = 'cancelled'), 0) AS refunded,
         coalesce(-sum(amount) FILTER (WHERE entry = 'refunded_by_hand'), 0) AS by_hand,
         coalesce(sum(amount) FILTER (WHERE account = 'allowance'), 0) AS allowances
    FROM order_ledger WHERE event_id = $1 GROUP BY order_id, payment_id, currency),
-- Whatever somebody still has to see to. All of a payment that is to go back takes its seats along,
-- and so explains whatever there is; a part goes and frees its seats in one transaction, and explains
-- nothing before. A case explains what it says; a dispute, or a payment that PortOne does not know,
-- makes no difference between our money and our seats.
waiting AS MATERIALIZED (
  SELECT r.payment_id, p.currency, r.whole, 0 AS amount
    FROM refunds r JOIN payments p ON p.payment_id = r.payment_id
    JOIN orders o ON o.id = p.order_id
   WHERE o.event_id = $1 AND r.state IN ('requested', 'needs_person')
  UNION ALL
  SELECT c.payment_id, p.currency, false,
         CASE WHEN c.kind IN ('partial_cancel', 'paid_back_twice') THEN -c.amount ELSE 0 END
    FROM cases c JOIN payments p ON p.payment_id = c.payment_id
   WHERE c.event_id = $1 AND c.closed_at IS NULL),
explained AS MATERIALIZED (
  SELECT payment_id, currency, bool_or(whole) AS whole, sum(amount) AS amount
    FROM waiting GROUP BY payment_id, currency),
judged AS (
  SELECT b.*, CASE WHEN e.whole THEN b.balance ELSE coalesce(e.amount, 0) END AS open
    FROM balances b LEFT JOIN explained e USING (payment_id, currency)),
money AS (
  SELECT currency, sum(paid) AS paid, sum(refunded) AS refunded, sum(by_hand) AS by_hand,
         sum(allowances) AS allowances,
         sum(open) AS open_amount,
         count(DISTINCT order_id) FILTER (WHERE balance <> open) AS astray
    FROM judged GROUP BY currency),
sold AS (
  SELECT o.currency, sum((SELECT i.unit_price FROM order_items i
                           WHERE i.order_id = h.order_id
                             AND i.ticket_type_id = s.ticket_type_id LIMIT 1)) AS price
    FROM seats s JOIN holds h ON h.id = s.hold_id AND h.event_id = s.event_id
    JOIN orders o ON o.id = h.order_id AND o.event_id = s.event_id
   WHERE s.event_id = $1 AND s.state = 'sold'
   GROUP BY o.currency),
currencies AS (
  SELECT currency FROM ticket_types WHERE event_id = $1 UNION SELECT currency FROM money)
SELECT c.currency,
       coalesce(m.paid, 0)::float8 AS paid,
       coalesce(m.refunded, 0)::float8 AS refunded,
       coalesce(m.by_hand, 0)::float8 AS "byHand",
       coalesce(m.allowances, 0)::float8 AS allowances,
       coalesce(s.price, 0)::float8 AS "seatsSold",
       (SELECT count(*)::int FROM waiting w WHERE w.currency = c.currency) AS "openCount",
       coalesce(m.open_amount, 0)::float8 AS "openAmount",
       coalesce(m.astray, 0)::int AS "ordersAstray"
  FROM currencies c LEFT JOIN money m USING (currency) LEFT JOIN sold s USING (currency)
 ORDER BY c.currency
