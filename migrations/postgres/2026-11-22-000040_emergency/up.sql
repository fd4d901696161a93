-- S13: where something was opened in an emergency, so that who must look at it finds it. Location only: what was said
-- stands in facts, under the pathway's key.
CREATE TABLE emergency (
    id TEXT PRIMARY KEY,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    at BIGINT NOT NULL
);

-- S4: what an auditor found on looking at one record. A record may be looked at again; nothing that was found changes.
CREATE TABLE access_review (
    id TEXT PRIMARY KEY,
    idx BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('regular','irregular','to_follow_up')),
    at BIGINT NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    remark BYTEA
);

CREATE INDEX emergency_by_pathway ON emergency (pathway);
CREATE INDEX access_review_by_record ON access_review (idx);

CREATE TRIGGER emergency_append_only BEFORE UPDATE OR DELETE ON emergency FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER emergency_no_truncate BEFORE TRUNCATE ON emergency FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE emergency ENABLE ALWAYS TRIGGER emergency_append_only;
ALTER TABLE emergency ENABLE ALWAYS TRIGGER emergency_no_truncate;

CREATE TRIGGER access_review_append_only BEFORE UPDATE OR DELETE ON access_review FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER access_review_no_truncate BEFORE TRUNCATE ON access_review FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE access_review ENABLE ALWAYS TRIGGER access_review_append_only;
ALTER TABLE access_review ENABLE ALWAYS TRIGGER access_review_no_truncate;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON %I.emergency TO relais_app, relais_reader', current_schema());
    EXECUTE format('GRANT SELECT ON %I.access_review TO relais_app, relais_reader', current_schema());
END
$$;
-- Append-only, and no remark to read back.
GRANT INSERT, SELECT ON emergency TO relais_lane;
GRANT INSERT, SELECT (id, idx, outcome, at, by_assignment) ON access_review TO relais_lane;
GRANT SELECT (id, idx, outcome, at) ON access_review TO relais_auditor;

-- Pathways of which a data protection officer has an opening to look at: motives, no items.
CREATE FUNCTION relais_reviewed() RETURNS SETOF TEXT LANGUAGE sql STABLE AS $$
    SELECT e.pathway FROM emergency e, assignment a
    WHERE a.id = relais_assignment() AND a.profession = 'data_protection_officer'
        AND (a.ends_at IS NULL OR a.ends_at > extract(epoch FROM now()) * 1000000)
$$;
CREATE POLICY fact_reviewer ON fact FOR SELECT TO relais_reader USING (pathway IN (SELECT relais_reviewed()));
