-- Amounts that PortOne is to be told before a payment window opens, on record with their orders.

-- Set only where amounts are registered. `register_at`: when it is to be told (again), null once
-- nobody need; `amount_registered`: whether PortOne took it, null for orders of which it is not told.
-- No order leaves or enters the index as it is sold: the confirm path pays nothing for it.
ALTER TABLE orders
  ADD COLUMN register_at TIMESTAMPTZ(3),
  ADD COLUMN amount_registered BOOLEAN,
  ADD CONSTRAINT orders_registered_check
    CHECK (amount_registered IS NOT TRUE OR register_at IS NULL);
CREATE INDEX orders_to_register ON orders (register_at) WHERE register_at IS NOT NULL;
