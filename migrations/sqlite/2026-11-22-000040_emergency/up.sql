-- S13: where something was opened in an emergency, so that who must look at it finds it. Location only: what was said
-- stands in facts, under the pathway's key.
CREATE TABLE emergency (
    id TEXT PRIMARY KEY,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- S4: what an auditor found on looking at one record. A record may be looked at again; nothing that was found changes.
CREATE TABLE access_review (
    id TEXT PRIMARY KEY,
    idx INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('regular','irregular','to_follow_up')),
    at INTEGER NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    remark BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX emergency_by_pathway ON emergency (pathway);
CREATE INDEX access_review_by_record ON access_review (idx);

CREATE TRIGGER emergency_no_update BEFORE UPDATE ON emergency BEGIN SELECT RAISE(ABORT, 'append-only table emergency'); END;
CREATE TRIGGER emergency_no_delete BEFORE DELETE ON emergency BEGIN SELECT RAISE(ABORT, 'append-only table emergency'); END;
CREATE TRIGGER emergency_no_replace BEFORE INSERT ON emergency WHEN EXISTS (SELECT 1 FROM emergency WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'append-only table emergency'); END;

CREATE TRIGGER access_review_no_update BEFORE UPDATE ON access_review BEGIN SELECT RAISE(ABORT, 'append-only table access_review'); END;
CREATE TRIGGER access_review_no_delete BEFORE DELETE ON access_review BEGIN SELECT RAISE(ABORT, 'append-only table access_review'); END;
CREATE TRIGGER access_review_no_replace BEFORE INSERT ON access_review WHEN EXISTS (SELECT 1 FROM access_review WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'append-only table access_review'); END;
