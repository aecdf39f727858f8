-- A sale is asked about where its payment is known; a hold that was sold to a payment of the other
-- version kept its own.
UPDATE holds h SET gateway = p.gateway
  FROM payments p
 WHERE p.payment_id = h.payment_id AND h.state = 'sold' AND h.gateway <> p.gateway;
