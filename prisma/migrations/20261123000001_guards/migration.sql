-- What the code promises, held by the database as well.

-- Legal values -------------------------------------------------------------------------------
ALTER TABLE events
  ADD CONSTRAINT events_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  ADD CONSTRAINT events_hold_seconds_check CHECK (hold_seconds > 0),
  ADD CONSTRAINT events_language_check CHECK (language IN ('ko', 'en')),
  ADD CONSTRAINT events_limits_check CHECK (max_per_order > 0 AND max_per_buyer > 0),
  ADD CONSTRAINT events_window_check CHECK (closes_at > opens_at),
  ADD CONSTRAINT events_position_check CHECK (last_position >= 0),
  ADD CONSTRAINT events_check_check CHECK (
    (check_url IS NULL) = (check_secret IS NULL)
    AND check_timeout_ms > 0
    AND check_on_silence IN ('refuse', 'allow'));

ALTER TABLE ticket_types
  ADD CONSTRAINT ticket_types_price_check CHECK (price > 0),
  ADD CONSTRAINT ticket_types_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
  ADD CONSTRAINT ticket_types_available_check CHECK (available >= 0),
  ADD CONSTRAINT ticket_types_id_event_id_key UNIQUE (id, event_id);

ALTER TABLE orders
  ADD CONSTRAINT orders_amount_check CHECK (amount > 0),
  ADD CONSTRAINT orders_status_check
    CHECK (status IN ('pending', 'held', 'paid', 'refunded', 'cancelled')),
  ADD CONSTRAINT orders_id_event_id_key UNIQUE (id, event_id);

ALTER TABLE order_items
  ADD CONSTRAINT order_items_quantity_check CHECK (quantity > 0),
  ADD CONSTRAINT order_items_unit_price_check CHECK (unit_price > 0),
  ADD CONSTRAINT order_items_labels_check
    CHECK (cardinality(labels) = 0 OR cardinality(labels) = quantity);

ALTER TABLE holds
  ADD CONSTRAINT holds_state_check CHECK (state IN ('held', 'sold', 'ended')),
  ADD CONSTRAINT holds_ended_check
    CHECK ((state = 'ended') = (ended_at IS NOT NULL) AND (state = 'ended') = (ended_why IS NOT NULL)),
  ADD CONSTRAINT holds_quantity_check CHECK (quantity > 0),
  ADD CONSTRAINT holds_gateway_check CHECK (gateway IN ('v1', 'v2')),
  -- A hold belongs to the event of its order. This key says what the two plain ones said, and
  -- each key costs about 15 us a row on the confirm path, so they go.
  ADD CONSTRAINT holds_order_event_fkey
    FOREIGN KEY (order_id, event_id) REFERENCES orders (id, event_id),
  DROP CONSTRAINT holds_order_id_fkey,
  DROP CONSTRAINT holds_event_id_fkey;

ALTER TABLE verdicts
  ADD CONSTRAINT verdicts_confirmed_check CHECK (
    (code = 'confirmed') = (hold_id IS NOT NULL)
    AND (code <> 'confirmed' OR position IS NOT NULL)),
  ADD CONSTRAINT verdicts_position_check CHECK (position > 0),
  ADD CONSTRAINT verdicts_gateway_check CHECK (gateway IN ('v1', 'v2')),
  ADD CONSTRAINT verdicts_order_event_fkey
    FOREIGN KEY (order_id, event_id) REFERENCES orders (id, event_id),
  DROP CONSTRAINT verdicts_order_id_fkey,
  DROP CONSTRAINT verdicts_event_id_fkey;

-- Moves are written by the database itself, from seats that are there and cannot be deleted.
ALTER TABLE moves DROP CONSTRAINT moves_seat_id_fkey;

ALTER TABLE payments
  ADD CONSTRAINT payments_amount_check CHECK (amount >= 0),
  ADD CONSTRAINT payments_cancelled_check CHECK (cancelled_amount BETWEEN 0 AND amount),
  ADD CONSTRAINT payments_status_check
    CHECK (status IN ('ready', 'waiting_deposit', 'paid', 'failed', 'cancelled')),
  ADD CONSTRAINT payments_gateway_check CHECK (gateway IN ('v1', 'v2'));

ALTER TABLE refunds
  ADD CONSTRAINT refunds_amount_check CHECK (amount > 0),
  ADD CONSTRAINT refunds_state_check
    CHECK (state IN ('requested', 'done', 'needs_person')),
  ADD CONSTRAINT refunds_done_check CHECK ((state = 'done') = (done_at IS NOT NULL));

ALTER TABLE webhooks
  ADD CONSTRAINT webhooks_state_check CHECK (state IN ('pending', 'done')),
  ADD CONSTRAINT webhooks_done_check CHECK ((state = 'done') = (done_at IS NOT NULL));

-- One seat, one holder -------------------------------------------------------------------------
ALTER TABLE seats
  ADD CONSTRAINT seats_state_check CHECK (state IN ('available', 'held', 'sold')),
  ADD CONSTRAINT seats_holder_check CHECK ((state = 'available') = (hold_id IS NULL)),
  ADD CONSTRAINT seats_rank_check CHECK (rank > 0),
  ADD CONSTRAINT seats_moved_check CHECK (state = 'available' OR
    (moved_by IS NOT NULL AND moved_why IS NOT NULL AND moved_at IS NOT NULL)),
  ADD CONSTRAINT seats_type_event_fkey
    FOREIGN KEY (ticket_type_id, event_id) REFERENCES ticket_types (id, event_id);

-- A seat is held or sold exactly as its hold is: the state is half of the key. Checked at
-- commit, so that a hold and its seats may change in either order within one transaction.
ALTER TABLE seats ALTER CONSTRAINT seats_hold_id_state_fkey DEFERRABLE INITIALLY DEFERRED;

-- An order has at most one hold that is alive (held or sold).
CREATE UNIQUE INDEX holds_one_live_per_order ON holds (order_id) WHERE state <> 'ended';

-- The hot statements' indexes: each holds only the rows that its statement may want. -----------
CREATE INDEX seats_free ON seats (ticket_type_id, rank) WHERE state = 'available';
CREATE INDEX seats_of_hold ON seats (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX holds_by_expiry ON holds (event_id, expires_at) WHERE state = 'held';
CREATE INDEX holds_overdue ON holds (expires_at) WHERE state = 'held';
CREATE INDEX holds_unanswered ON holds (answer_by) WHERE state = 'held' AND answered_at IS NULL;
CREATE INDEX holds_by_buyer ON holds (event_id, buyer_id) WHERE state <> 'ended';
CREATE INDEX webhooks_pending ON webhooks (next_try_at) WHERE state = 'pending';
CREATE INDEX refunds_requested ON refunds (next_try_at) WHERE state = 'requested';

-- A seat changes hands often; a fuller page would send each change to a new one.
ALTER TABLE seats SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE events SET (fillfactor = 50);
ALTER TABLE ticket_types SET (fillfactor = 50);

-- The record of moves ---------------------------------------------------------------------------
-- Runs once a statement, whatever the number of seats: writes one move for each seat that
-- changed hands and keeps ticket_types.available. Locks ticket types in id order.
CREATE FUNCTION record_seat_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO moves
    (seat_id, event_id, from_state, to_state, from_hold, to_hold, actor, reason, at)
  SELECT n.id, n.event_id, o.state, n.state, o.hold_id, n.hold_id,
         n.moved_by, n.moved_why, n.moved_at
    FROM new_seats n JOIN old_seats o ON o.id = n.id
   WHERE (o.state, o.hold_id) IS DISTINCT FROM (n.state, n.hold_id);

  PERFORM 1 FROM ticket_types t
    WHERE t.id IN (
      SELECT n.ticket_type_id FROM new_seats n JOIN old_seats o ON o.id = n.id
       WHERE (o.state = 'available') <> (n.state = 'available'))
    ORDER BY t.id FOR NO KEY UPDATE;

  UPDATE ticket_types t SET available = t.available + d.change
    FROM (SELECT n.ticket_type_id AS id,
                 count(*) FILTER (WHERE n.state = 'available')
               - count(*) FILTER (WHERE o.state = 'available') AS change
            FROM new_seats n JOIN old_seats o ON o.id = n.id
           WHERE (o.state = 'available') <> (n.state = 'available')
           GROUP BY n.ticket_type_id) d
   WHERE t.id = d.id AND d.change <> 0;
  RETURN NULL;
END $$;

CREATE TRIGGER seats_moved AFTER UPDATE ON seats
  REFERENCING OLD TABLE AS old_seats NEW TABLE AS new_seats
  FOR EACH STATEMENT EXECUTE FUNCTION record_seat_moves();

CREATE FUNCTION count_new_seats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ticket_types t SET available = t.available + d.created
    FROM (SELECT ticket_type_id AS id, count(*) FILTER (WHERE state = 'available') AS created
            FROM new_seats GROUP BY ticket_type_id) d
   WHERE t.id = d.id;
  RETURN NULL;
END $$;

CREATE TRIGGER seats_created AFTER INSERT ON seats
  REFERENCING NEW TABLE AS new_seats
  FOR EACH STATEMENT EXECUTE FUNCTION count_new_seats();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER moves_append_only BEFORE UPDATE OR DELETE ON moves
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seats_stay BEFORE DELETE ON seats
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- TRUNCATE fires no row's trigger.
CREATE TRIGGER moves_not_emptied BEFORE TRUNCATE ON moves
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seats_not_emptied BEFORE TRUNCATE ON seats
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
