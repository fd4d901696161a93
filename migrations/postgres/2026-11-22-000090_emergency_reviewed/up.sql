-- S13: which openings were reviewed, so that those that wait are found without reading all that ever were. Location only:
-- what was said stands in facts. An opening reviewed before this table is looked at as one that waits, and found reviewed.
CREATE TABLE emergency_reviewed (
    emergency TEXT PRIMARY KEY REFERENCES emergency(id)
);

CREATE INDEX emergency_by_time ON emergency (at);

CREATE TRIGGER emergency_reviewed_append_only BEFORE UPDATE OR DELETE ON emergency_reviewed FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER emergency_reviewed_no_truncate BEFORE TRUNCATE ON emergency_reviewed FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE emergency_reviewed ENABLE ALWAYS TRIGGER emergency_reviewed_append_only;
ALTER TABLE emergency_reviewed ENABLE ALWAYS TRIGGER emergency_reviewed_no_truncate;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON %I.emergency_reviewed TO relais_app, relais_reader', current_schema());
END
$$;
GRANT INSERT, SELECT ON emergency_reviewed TO relais_lane;
