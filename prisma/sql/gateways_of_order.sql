-- The gateways over which an order was asked about, told of or held: those that may know of it.
-- $1 merchant uid. Indexes: orders_merchant_uid_key, ..._order_id_idx. Rows: at most 2.
SELECT DISTINCT gateway FROM (
  SELECT v.gateway FROM verdicts v JOIN orders o ON o.id = v.order_id WHERE o.merchant_uid = $1
  UNION ALL
  SELECT p.gateway FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.merchant_uid = $1
  UNION ALL
  SELECT h.gateway FROM holds h JOIN orders o ON o.id = h.order_id WHERE o.merchant_uid = $1) g
