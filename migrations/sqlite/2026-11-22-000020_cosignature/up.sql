-- What witnesses said of our checkpoints (SECURITY §1): one line of a signed note for each, as it came. Append-only, like the checkpoints themselves.
CREATE TABLE audit_cosignature (
    size INTEGER NOT NULL,
    witness TEXT NOT NULL,
    at INTEGER NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (size, witness)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_cosignature_no_update BEFORE UPDATE ON audit_cosignature BEGIN SELECT RAISE(ABORT, 'append-only table audit_cosignature'); END;
CREATE TRIGGER audit_cosignature_no_delete BEFORE DELETE ON audit_cosignature BEGIN SELECT RAISE(ABORT, 'append-only table audit_cosignature'); END;
CREATE TRIGGER audit_cosignature_no_replace BEFORE INSERT ON audit_cosignature WHEN EXISTS (SELECT 1 FROM audit_cosignature WHERE size = NEW.size AND witness = NEW.witness) BEGIN SELECT RAISE(ABORT, 'append-only table audit_cosignature'); END;
