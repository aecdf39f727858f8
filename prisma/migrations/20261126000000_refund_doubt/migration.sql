-- What PortOne was asked for, and what came of it: two instants that no other word may overwrite.
ALTER TABLE refunds
  -- A call that was not answered may still be carried out; until then V1, which knows no keys, is not
  -- asked a second time.
  ADD COLUMN in_doubt_until TIMESTAMPTZ(3),
  -- PortOne said that it will give the money back later.
  ADD COLUMN taken_at TIMESTAMPTZ(3);
-- Of those that were asked for and are open nobody noted whether they were answered.
UPDATE refunds SET in_doubt_until = greatest(next_try_at, now()) + interval '1 min'
 WHERE state IN ('requested', 'needs_person') AND cancelled_before IS NOT NULL;
UPDATE refunds SET taken_at = requested_at
 WHERE state IN ('requested', 'needs_person') AND last_error LIKE 'taken by PortOne,%';
