-- LAW §6: technical records are kept for the charter's months, then pruned. One person asks, another decides; the words of both are sealed.
-- 31536000000000 µs are 365 days: the least that the law asks for, whatever a charter says.
CREATE TABLE pruning (
    id TEXT PRIMARY KEY,
    class TEXT NOT NULL CHECK (class = 'technical'),
    before_at BIGINT NOT NULL,
    first_idx BIGINT NOT NULL,
    last_idx BIGINT NOT NULL,
    records BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    reason BYTEA NOT NULL,
    CHECK (0 <= first_idx AND first_idx <= last_idx AND records > 0)
);

-- One decision, once.
CREATE TABLE pruning_decision (
    request TEXT PRIMARY KEY REFERENCES pruning(id),
    outcome TEXT NOT NULL CHECK (outcome IN ('confirmed','refused')),
    at BIGINT NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    remark BYTEA NOT NULL
);

CREATE TRIGGER pruning_append_only BEFORE UPDATE OR DELETE ON pruning FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER pruning_no_truncate BEFORE TRUNCATE ON pruning FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE pruning ENABLE ALWAYS TRIGGER pruning_append_only;
ALTER TABLE pruning ENABLE ALWAYS TRIGGER pruning_no_truncate;

CREATE TRIGGER pruning_decision_append_only BEFORE UPDATE OR DELETE ON pruning_decision FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER pruning_decision_no_truncate BEFORE TRUNCATE ON pruning_decision FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE pruning_decision ENABLE ALWAYS TRIGGER pruning_decision_append_only;
ALTER TABLE pruning_decision ENABLE ALWAYS TRIGGER pruning_decision_no_truncate;

-- These three look at what the lane's role may not read (the body of a record), so they run as their owner, on the tables of this schema
-- only: a temporary table of the same name must not answer for one of them.
CREATE FUNCTION relais_pruning_asked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_TABLE_NAME = 'pruning' THEN
        -- The time is the log's, which never goes back, not what the row says of itself.
        IF NOT EXISTS (SELECT 1 FROM audit_head WHERE NEW.before_at + 31536000000000 <= last_at AND NEW.last_idx < size) THEN
            RAISE EXCEPTION 'a pruning before its time';
        END IF;
    ELSIF EXISTS (
        SELECT 1 FROM pruning p JOIN assignment a ON a.id = p.by_assignment JOIN assignment b ON b.id = NEW.by_assignment
        WHERE p.id = NEW.request AND a.professional = b.professional
    ) THEN
        -- Two persons, whatever the program does.
        RAISE EXCEPTION 'a pruning is decided by a second person';
    END IF;
    RETURN NEW;
END
$$;
-- A record loses its body only under a confirmed pruning of its class that covers its index, when it is older than that pruning's day.
CREATE FUNCTION relais_prune_leaf() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.body IS NOT NULL AND NEW.body IS NULL
            AND NEW.idx = OLD.idx AND NEW.leaf_hash = OLD.leaf_hash AND NEW.nodes = OLD.nodes AND NEW.retention_class = OLD.retention_class
            AND EXISTS (
                SELECT 1 FROM pruning p
                JOIN pruning_decision d ON d.request = p.id AND d.outcome = 'confirmed'
                JOIN audit_index i ON i.idx = OLD.idx AND i.at < p.before_at
                WHERE p.class = OLD.retention_class AND OLD.idx BETWEEN p.first_idx AND p.last_idx
            )
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'append-only table %', TG_TABLE_NAME;
END
$$;
-- What stands beside a record goes only after its body.
CREATE FUNCTION relais_prune_beside() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM audit_leaf WHERE idx = OLD.idx AND body IS NULL) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'append-only table %', TG_TABLE_NAME;
END
$$;
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['relais_pruning_asked', 'relais_prune_leaf', 'relais_prune_beside'] LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %I() FROM PUBLIC', name);
    END LOOP;
    EXECUTE format('GRANT SELECT ON %I.pruning, %I.pruning_decision TO relais_app, relais_reader', current_schema(), current_schema());
END
$$;

CREATE TRIGGER pruning_in_time BEFORE INSERT ON pruning FOR EACH ROW EXECUTE FUNCTION relais_pruning_asked();
ALTER TABLE pruning ENABLE ALWAYS TRIGGER pruning_in_time;
CREATE TRIGGER pruning_second_person BEFORE INSERT ON pruning_decision FOR EACH ROW EXECUTE FUNCTION relais_pruning_asked();
ALTER TABLE pruning_decision ENABLE ALWAYS TRIGGER pruning_second_person;

DROP TRIGGER audit_leaf_append_only ON audit_leaf;
CREATE TRIGGER audit_leaf_prune_only BEFORE UPDATE OR DELETE ON audit_leaf FOR EACH ROW EXECUTE FUNCTION relais_prune_leaf();
ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER audit_leaf_prune_only;
DROP TRIGGER audit_index_append_only ON audit_index;
CREATE TRIGGER audit_index_prune_only BEFORE UPDATE OR DELETE ON audit_index FOR EACH ROW EXECUTE FUNCTION relais_prune_beside();
ALTER TABLE audit_index ENABLE ALWAYS TRIGGER audit_index_prune_only;
DROP TRIGGER audit_detail_append_only ON audit_detail;
CREATE TRIGGER audit_detail_prune_only BEFORE UPDATE OR DELETE ON audit_detail FOR EACH ROW EXECUTE FUNCTION relais_prune_beside();
ALTER TABLE audit_detail ENABLE ALWAYS TRIGGER audit_detail_prune_only;

-- The lane erases by index alone: it still reads no body, and the guards above say which.
GRANT UPDATE (body) ON audit_leaf TO relais_lane;
GRANT DELETE ON audit_index, audit_detail TO relais_lane;
-- Append-only, and no words to read back.
GRANT INSERT, SELECT (id, class, before_at, first_idx, last_idx, records, at, by_assignment) ON pruning TO relais_lane;
GRANT INSERT, SELECT (request, outcome, at, by_assignment) ON pruning_decision TO relais_lane;
GRANT SELECT (id, class, before_at, first_idx, last_idx, records, at) ON pruning TO relais_auditor;
GRANT SELECT (request, outcome, at) ON pruning_decision TO relais_auditor;
