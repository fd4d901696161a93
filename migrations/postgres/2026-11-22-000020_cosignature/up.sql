-- What witnesses said of our checkpoints (SECURITY §1): one line of a signed note for each, as it came. Append-only, like the checkpoints themselves.
CREATE TABLE audit_cosignature (
    size BIGINT NOT NULL,
    witness TEXT NOT NULL,
    at BIGINT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (size, witness)
);

CREATE TRIGGER audit_cosignature_append_only BEFORE UPDATE OR DELETE ON audit_cosignature FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER audit_cosignature_no_truncate BEFORE TRUNCATE ON audit_cosignature FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE audit_cosignature ENABLE ALWAYS TRIGGER audit_cosignature_append_only;
ALTER TABLE audit_cosignature ENABLE ALWAYS TRIGGER audit_cosignature_no_truncate;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON %I.audit_cosignature TO relais_app, relais_reader, relais_auditor', current_schema());
END
$$;
GRANT INSERT, SELECT ON audit_cosignature TO relais_lane;
