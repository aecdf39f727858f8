-- Registers orders with their items: one statement for a thousand of them.
-- $1 jsonb [{merchantUid, eventId, buyerId, amount, currency, fingerprint, items}].
-- $2 timestamptz | null: from when on a duty tells PortOne their amounts, unless that was done by
-- then; null: it is not told. Refused by the unique key if an order came in between. Rows: one an order.
WITH given AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS g (
    "merchantUid" text, "eventId" int, "buyerId" text, amount int, currency text,
    fingerprint text, items jsonb)),
inserted AS (
  INSERT INTO orders (merchant_uid, event_id, buyer_id, amount, currency, fingerprint,
                      register_at, amount_registered)
  SELECT "merchantUid", "eventId", "buyerId", amount, currency, fingerprint,
         $2::timestamptz, CASE WHEN $2::timestamptz IS NOT NULL THEN false END
    FROM given
  RETURNING id, merchant_uid, amount, currency, status, amount_registered),
with_items AS (
  INSERT INTO order_items (order_id, ticket_type_id, quantity, unit_price, labels, together)
  SELECT o.id, i."ticketTypeId", i.quantity, i."unitPrice",
         ARRAY (SELECT jsonb_array_elements_text(i.labels)), i.together
    FROM given g
    JOIN inserted o ON o.merchant_uid = g."merchantUid"
   CROSS JOIN LATERAL jsonb_to_recordset(g.items) AS i (
     "ticketTypeId" int, quantity int, "unitPrice" int, labels jsonb, together boolean))
SELECT id, merchant_uid AS "merchantUid", amount, currency, status,
       amount_registered AS "amountRegistered"
  FROM inserted
