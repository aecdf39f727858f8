-- The verdicts given to these payments, with the state of the hold each one granted.
-- $1 text[] payment ids. Locks: none. Rows: one a payment that has a verdict, as JSON.
SELECT jsonb_build_object(
  'paymentId', v.payment_id, 'merchantUid', o.merchant_uid, 'code', v.code,
  'amount', v.amount, 'position', v.position, 'holdId', v.hold_id,
  'holdState', h.state, 'holdPaymentId', h.payment_id, 'holdExpiresAt', h.expires_at
) AS document
  FROM verdicts v
  JOIN orders o ON o.id = v.order_id
  LEFT JOIN holds h ON h.id = v.hold_id
 WHERE v.payment_id = ANY ($1::text[])
