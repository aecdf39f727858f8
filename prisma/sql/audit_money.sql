-- Money against seats, for one event: what came, what went back, and what the sold seats cost.
-- $1 event id. What the seats cost is read from the seats as they are now, the rest from the ledger,
-- which knows them by the record of moves, so that one proves the other. Locks: none.
-- Rows: one a currency. Amounts are float8, exact to 2^53: bigint would reach the program as text.
WITH balances AS MATERIALIZED (
  SELECT order_id, currency, sum(amount) AS balance,
         coalesce(sum(amount) FILTER (WHERE entry = 'paid'), 0) AS paid,
         coalesce(-sum(amount) FILTER (WHERE entry = 'cancelled'), 0) AS refunded,
         coalesce(-sum(amount) FILTER (WHERE entry = 'refunded_by_hand'), 0) AS by_hand,
         coalesce(sum(amount) FILTER (WHERE account = 'allowance'), 0) AS allowances
    FROM order_ledger WHERE event_id = $1 GROUP BY order_id, currency),
-- Whatever somebody still has to see to: each explains the difference of its order.
waiting AS MATERIALIZED (
  SELECT p.order_id, p.currency
    FROM refunds r JOIN payments p ON p.payment_id = r.payment_id
    JOIN orders o ON o.id = p.order_id
   WHERE o.event_id = $1 AND r.state IN ('requested', 'needs_person')
  UNION ALL
  SELECT c.order_id, p.currency
    FROM cases c JOIN payments p ON p.payment_id = c.payment_id
   WHERE c.event_id = $1 AND c.closed_at IS NULL),
judged AS (
  SELECT b.*, EXISTS (SELECT 1 FROM waiting w
                       WHERE w.order_id = b.order_id AND w.currency = b.currency) AS explained
    FROM balances b),
money AS (
  SELECT currency, sum(paid) AS paid, sum(refunded) AS refunded, sum(by_hand) AS by_hand,
         sum(allowances) AS allowances,
         coalesce(sum(balance) FILTER (WHERE explained), 0) AS open_amount,
         count(*) FILTER (WHERE balance <> 0 AND NOT explained) AS astray
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
