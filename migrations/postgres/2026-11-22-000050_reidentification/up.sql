-- S4: an auditor asks whom a pseudonym of the log stands for. The words are sealed; what was found is stored nowhere.
CREATE TABLE reidentification (
    id TEXT PRIMARY KEY,
    idx BIGINT NOT NULL,
    pseudonym_of TEXT NOT NULL CHECK (pseudonym_of IN ('actor','pathway')),
    motive TEXT NOT NULL CHECK (motive IN ('persons_request','irregular_access','data_breach','authority')),
    at BIGINT NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    reason BYTEA NOT NULL
);

-- One decision, and after a confirmation one reading: the key lets neither happen twice.
CREATE TABLE reidentification_step (
    request TEXT NOT NULL REFERENCES reidentification(id),
    step BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    remark BYTEA,
    PRIMARY KEY (request, step),
    CHECK ((step = 1 AND kind IN ('confirmed','refused') AND remark IS NOT NULL) OR (step = 2 AND kind = 'read' AND remark IS NULL))
);

CREATE INDEX reidentification_by_record ON reidentification (idx);

CREATE TRIGGER reidentification_append_only BEFORE UPDATE OR DELETE ON reidentification FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER reidentification_no_truncate BEFORE TRUNCATE ON reidentification FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE reidentification ENABLE ALWAYS TRIGGER reidentification_append_only;
ALTER TABLE reidentification ENABLE ALWAYS TRIGGER reidentification_no_truncate;

CREATE TRIGGER reidentification_step_append_only BEFORE UPDATE OR DELETE ON reidentification_step FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER reidentification_step_no_truncate BEFORE TRUNCATE ON reidentification_step FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE reidentification_step ENABLE ALWAYS TRIGGER reidentification_step_append_only;
ALTER TABLE reidentification_step ENABLE ALWAYS TRIGGER reidentification_step_no_truncate;

-- Two persons, whatever the program does.
CREATE FUNCTION relais_two_persons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.step = 1 AND EXISTS (
        SELECT 1 FROM reidentification r JOIN assignment a ON a.id = r.by_assignment JOIN assignment b ON b.id = NEW.by_assignment
        WHERE r.id = NEW.request AND a.professional = b.professional
    ) THEN
        RAISE EXCEPTION 'a re-identification is decided by a second person';
    END IF;
    IF NEW.step = 2 AND NOT EXISTS (
        SELECT 1 FROM reidentification r JOIN reidentification_step s ON s.request = r.id
        WHERE r.id = NEW.request AND r.by_assignment = NEW.by_assignment AND s.step = 1 AND s.kind = 'confirmed'
    ) THEN
        RAISE EXCEPTION 'only the asker reads a re-identification, once it is confirmed';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER reidentification_step_two_persons BEFORE INSERT ON reidentification_step FOR EACH ROW EXECUTE FUNCTION relais_two_persons();
ALTER TABLE reidentification_step ENABLE ALWAYS TRIGGER reidentification_step_two_persons;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON %I.reidentification, %I.reidentification_step TO relais_app, relais_reader', current_schema(), current_schema());
END
$$;
-- Append-only, and no words to read back.
GRANT INSERT, SELECT (id, idx, pseudonym_of, motive, at, by_assignment) ON reidentification TO relais_lane;
GRANT INSERT, SELECT (request, step, kind, at, by_assignment) ON reidentification_step TO relais_lane;
GRANT SELECT (id, idx, pseudonym_of, motive, at) ON reidentification TO relais_auditor;
GRANT SELECT (request, step, kind, at) ON reidentification_step TO relais_auditor;
