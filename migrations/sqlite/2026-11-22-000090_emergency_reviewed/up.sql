-- S13: which openings were reviewed, so that those that wait are found without reading all that ever were. Location only:
-- what was said stands in facts. An opening reviewed before this table is looked at as one that waits, and found reviewed.
CREATE TABLE emergency_reviewed (
    emergency TEXT PRIMARY KEY REFERENCES emergency(id)
) STRICT, WITHOUT ROWID;

CREATE INDEX emergency_by_time ON emergency (at);

CREATE TRIGGER emergency_reviewed_no_update BEFORE UPDATE ON emergency_reviewed BEGIN SELECT RAISE(ABORT, 'append-only table emergency_reviewed'); END;
CREATE TRIGGER emergency_reviewed_no_delete BEFORE DELETE ON emergency_reviewed BEGIN SELECT RAISE(ABORT, 'append-only table emergency_reviewed'); END;
CREATE TRIGGER emergency_reviewed_no_replace BEFORE INSERT ON emergency_reviewed WHEN EXISTS (SELECT 1 FROM emergency_reviewed WHERE emergency = NEW.emergency) BEGIN SELECT RAISE(ABORT, 'append-only table emergency_reviewed'); END;
