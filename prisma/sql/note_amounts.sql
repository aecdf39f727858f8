-- What came of telling PortOne the amounts of orders.
-- $1 jsonb [{id, registered, registerAt}]; a null registerAt: it is not told again.
-- Locks: the orders, skipping those that a sale has just now: they are told once more when their
-- claim runs out, which does no harm. What is registered stays so. Rows: none.
WITH given AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS g (
    id int, registered boolean, "registerAt" timestamptz)),
target AS (
  SELECT o.id FROM given g JOIN orders o ON o.id = g.id
   WHERE o.amount_registered IS NOT TRUE
   ORDER BY o.id FOR NO KEY UPDATE OF o SKIP LOCKED)
UPDATE orders o SET amount_registered = g.registered, register_at = g."registerAt"
  FROM given g JOIN target ON target.id = g.id
 WHERE o.id = g.id
