-- Money: policies of an event, refunds in parts, cases for the organizer, the ledger.

-- Policies --------------------------------------------------------------------------------------
-- Sales that are on file keep what their buyers were promised; new ones forbid unless told.
ALTER TABLE events
  ADD COLUMN virtual_accounts TEXT NOT NULL DEFAULT 'allow',
  ADD COLUMN virtual_account_max_seconds INTEGER,
  ADD COLUMN bypassed_payments TEXT NOT NULL DEFAULT 'seat-if-free',
  ADD CONSTRAINT events_virtual_accounts_check CHECK (virtual_accounts IN ('forbid', 'allow')),
  ADD CONSTRAINT events_virtual_account_max_check CHECK (virtual_account_max_seconds > 0),
  ADD CONSTRAINT events_bypassed_check CHECK (bypassed_payments IN ('seat-if-free', 'refund'));
ALTER TABLE events ALTER COLUMN virtual_accounts SET DEFAULT 'forbid';

-- Holds to be looked at ------------------------------------------------------------------------
ALTER TABLE holds
  ADD COLUMN check_at TIMESTAMPTZ(3),
  ADD COLUMN doubted_at TIMESTAMPTZ(3);
UPDATE holds SET check_at = answer_by WHERE state = 'held' AND answered_at IS NULL;
-- One index for both looks: a second would cost the confirm path about 15 us a seat.
DROP INDEX holds_unanswered;
CREATE INDEX holds_to_check ON holds (check_at) WHERE state = 'held' AND check_at IS NOT NULL;

-- Payments --------------------------------------------------------------------------------------
ALTER TABLE payments
  ADD COLUMN deposit_by TIMESTAMPTZ(3),
  ADD COLUMN cancel_pending BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN bypassed BOOLEAN NOT NULL DEFAULT false,
  DROP CONSTRAINT payments_status_check,
  ADD CONSTRAINT payments_status_check CHECK (
    status IN ('ready', 'pending', 'waiting_deposit', 'paid', 'failed', 'cancelled'));

-- Refunds ---------------------------------------------------------------------------------------
ALTER TABLE refunds DROP CONSTRAINT refunds_pkey;
ALTER TABLE refunds
  ADD COLUMN id SERIAL PRIMARY KEY,
  ADD COLUMN whole BOOLEAN NOT NULL DEFAULT true,
  ADD COLUMN seats TEXT[],
  ADD COLUMN requested_by TEXT NOT NULL DEFAULT 'settlement',
  ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN cancelled_before INTEGER,
  ADD COLUMN by_hand BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN note TEXT,
  ADD COLUMN account_bank TEXT,
  ADD COLUMN account_number TEXT,
  ADD COLUMN account_holder TEXT,
  ADD COLUMN account_phone TEXT;
ALTER TABLE refunds
  DROP CONSTRAINT refunds_state_check,
  ADD CONSTRAINT refunds_state_check
    CHECK (state IN ('requested', 'done', 'failed', 'needs_person')),
  -- What is owed cannot fail: it waits for a person. Only the organizer's own wish may.
  ADD CONSTRAINT refunds_failed_check CHECK (state <> 'failed' OR requested_by LIKE 'organizer%'),
  ADD CONSTRAINT refunds_seats_check CHECK (NOT whole OR coalesce(cardinality(seats), 0) = 0),
  ADD CONSTRAINT refunds_account_check CHECK (
    num_nulls(account_bank, account_number, account_holder) IN (0, 3)
    AND (state IN ('requested', 'needs_person') OR account_number IS NULL));
CREATE INDEX refunds_payment_id_idx ON refunds (payment_id);
-- One at a time for each payment: no two callers can pay the same money back.
CREATE UNIQUE INDEX refunds_one_open_per_payment ON refunds (payment_id)
  WHERE state IN ('requested', 'needs_person');

-- Cases, steps, reconciliations ------------------------------------------------------------------
CREATE TABLE cases (
  id SERIAL PRIMARY KEY,
  event_id INTEGER NOT NULL REFERENCES events (id),
  order_id INTEGER NOT NULL,
  payment_id TEXT NOT NULL REFERENCES payments (payment_id),
  kind TEXT NOT NULL,
  amount INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0,
  detail TEXT NOT NULL,
  opened_at TIMESTAMPTZ(3) NOT NULL,
  closed_at TIMESTAMPTZ(3),
  closed_by TEXT,
  note TEXT,
  CONSTRAINT cases_order_event_fkey FOREIGN KEY (order_id, event_id) REFERENCES orders (id, event_id),
  CONSTRAINT cases_kind_check CHECK (
    kind IN ('partial_cancel', 'paid_back_twice', 'dispute', 'unknown_payment')),
  CONSTRAINT cases_amount_check CHECK (amount >= 0),
  CONSTRAINT cases_closed_check CHECK ((closed_at IS NULL) = (closed_by IS NULL)),
  CONSTRAINT cases_accepted_check CHECK (accepted = 0 OR closed_at IS NOT NULL)
);
CREATE INDEX cases_order_id_idx ON cases (order_id);
CREATE UNIQUE INDEX cases_one_open_of_a_kind ON cases (payment_id, kind) WHERE closed_at IS NULL;
CREATE INDEX cases_open ON cases (event_id) WHERE closed_at IS NULL;

CREATE TABLE payment_steps (
  id BIGSERIAL PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES orders (id),
  payment_id TEXT NOT NULL,
  step TEXT NOT NULL,
  detail TEXT,
  actor TEXT NOT NULL,
  at TIMESTAMPTZ(3) NOT NULL
);
CREATE INDEX payment_steps_order_id_idx ON payment_steps (order_id);
CREATE TRIGGER payment_steps_append_only BEFORE UPDATE OR DELETE ON payment_steps
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_steps_not_emptied BEFORE TRUNCATE ON payment_steps
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE reconciliations (
  id SERIAL PRIMARY KEY,
  event_slug TEXT,
  from_at TIMESTAMPTZ(3) NOT NULL,
  to_at TIMESTAMPTZ(3) NOT NULL,
  asked_by TEXT NOT NULL,
  dry_run BOOLEAN NOT NULL,
  started_at TIMESTAMPTZ(3) NOT NULL,
  finished_at TIMESTAMPTZ(3),
  compared INTEGER NOT NULL DEFAULT 0,
  findings JSONB NOT NULL DEFAULT '[]',
  error TEXT,
  CONSTRAINT reconciliations_window_check CHECK (to_at > from_at)
);

-- What was cancelled in part before cases were kept is one now: the organizer has not said yet
-- whether seats go back with it.
INSERT INTO cases (event_id, order_id, payment_id, kind, amount, detail, opened_at)
SELECT o.event_id, p.order_id, p.payment_id, 'partial_cancel', p.cancelled_amount,
       p.cancelled_amount || ' ' || p.currency || ' were cancelled outside Seatline; the seats stand',
       p.read_at
  FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE p.status = 'paid' AND p.cancelled_amount > 0
   AND EXISTS (SELECT 1 FROM holds h
                WHERE h.order_id = o.id AND h.payment_id = p.payment_id AND h.state = 'sold');

ALTER TABLE webhooks
  ADD COLUMN kind TEXT NOT NULL DEFAULT 'payment',
  ADD COLUMN verified BOOLEAN NOT NULL DEFAULT false,
  ADD CONSTRAINT webhooks_kind_check
    CHECK (kind IN ('payment', 'dispute_opened', 'dispute_resolved', 'other'));

-- The ledger ------------------------------------------------------------------------------------
-- Two sides of each order: the money that came and stayed, and the seats that were given for it.
-- `allowance` is money given back with the seats left, or kept with the seats gone (below nought),
-- by the organizer's own word. An order is square when its entries sum to zero; one that is not has
-- an open refund or case. Asked by order or by event: either is pushed down into every part.
-- For single orders; the ledger's long parts say the same in place, five times as fast a row.
CREATE FUNCTION order_price(of_order INTEGER, of_seat INTEGER) RETURNS INTEGER
LANGUAGE sql STABLE AS $$
  SELECT i.unit_price FROM order_items i JOIN seats s ON s.ticket_type_id = i.ticket_type_id
   WHERE i.order_id = of_order AND s.id = of_seat LIMIT 1
$$;
CREATE INDEX moves_out_of_sale ON moves (from_hold) WHERE from_state = 'sold';

CREATE VIEW order_ledger AS
-- Money in, and what the gateway gave back of it. An account that was closed before anybody paid
-- into it is cancelled with nothing to give back: no money came.
SELECT o.event_id, p.order_id, p.currency, 'money' AS account, 'paid' AS entry,
       CASE p.status WHEN 'paid' THEN p.amount ELSE p.cancelled_amount END AS amount,
       p.payment_id AS ref
  FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE p.status IN ('paid', 'cancelled')
   AND CASE p.status WHEN 'paid' THEN p.amount ELSE p.cancelled_amount END > 0
UNION ALL
SELECT o.event_id, p.order_id, p.currency, 'money', 'cancelled', -p.cancelled_amount, p.payment_id
  FROM payments p JOIN orders o ON o.id = p.order_id
 WHERE p.status IN ('paid', 'cancelled') AND p.cancelled_amount > 0
UNION ALL
SELECT o.event_id, p.order_id, p.currency, 'money', 'refunded_by_hand', -r.amount, p.payment_id
  FROM refunds r JOIN payments p ON p.payment_id = r.payment_id JOIN orders o ON o.id = p.order_id
 WHERE r.by_hand AND r.state = 'done'
UNION ALL
-- Seats out, at their order's price, and back. An order may ask for one type in several items.
SELECT o.event_id, o.id, o.currency, 'seats', 'sold',
       -coalesce((SELECT i.unit_price FROM order_items i
                   WHERE i.order_id = h.order_id AND i.ticket_type_id = s.ticket_type_id LIMIT 1), 0),
       s.label
  FROM moves m
  JOIN holds h ON h.id = m.to_hold AND h.event_id = m.event_id
  JOIN orders o ON o.id = h.order_id AND o.event_id = m.event_id
  JOIN seats s ON s.id = m.seat_id AND s.event_id = m.event_id
 WHERE m.to_state = 'sold' AND m.from_state <> 'sold'
UNION ALL
SELECT o.event_id, o.id, o.currency, 'seats', 'returned',
       coalesce((SELECT i.unit_price FROM order_items i
                  WHERE i.order_id = h.order_id AND i.ticket_type_id = s.ticket_type_id LIMIT 1), 0),
       s.label
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
       p.payment_id
  FROM refunds r JOIN payments p ON p.payment_id = r.payment_id JOIN orders o ON o.id = p.order_id
 WHERE r.state = 'done' AND NOT r.whole AND p.status = 'paid'
   AND NOT EXISTS (SELECT 1 FROM refunds w
                    WHERE w.payment_id = p.payment_id AND w.whole AND w.state = 'done')
UNION ALL
SELECT o.event_id, o.id, p.currency, 'allowance', 'accepted', c.accepted, p.payment_id
  FROM cases c JOIN payments p ON p.payment_id = c.payment_id JOIN orders o ON o.id = p.order_id
 WHERE c.accepted <> 0
   AND (c.kind = 'paid_back_twice'
        OR (p.status = 'paid'
            AND NOT EXISTS (SELECT 1 FROM refunds w
                             WHERE w.payment_id = p.payment_id AND w.whole AND w.state = 'done')));
