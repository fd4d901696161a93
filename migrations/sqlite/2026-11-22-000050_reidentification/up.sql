-- S4: an auditor asks whom a pseudonym of the log stands for. The words are sealed; what was found is stored nowhere.
CREATE TABLE reidentification (
    id TEXT PRIMARY KEY,
    idx INTEGER NOT NULL,
    pseudonym_of TEXT NOT NULL CHECK (pseudonym_of IN ('actor','pathway')),
    motive TEXT NOT NULL CHECK (motive IN ('persons_request','irregular_access','data_breach','authority')),
    at INTEGER NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    reason BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One decision, and after a confirmation one reading: the key lets neither happen twice.
CREATE TABLE reidentification_step (
    request TEXT NOT NULL REFERENCES reidentification(id),
    step INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    remark BLOB,
    PRIMARY KEY (request, step),
    CHECK ((step = 1 AND kind IN ('confirmed','refused') AND remark IS NOT NULL) OR (step = 2 AND kind = 'read' AND remark IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX reidentification_by_record ON reidentification (idx);

CREATE TRIGGER reidentification_no_update BEFORE UPDATE ON reidentification BEGIN SELECT RAISE(ABORT, 'append-only table reidentification'); END;
CREATE TRIGGER reidentification_no_delete BEFORE DELETE ON reidentification BEGIN SELECT RAISE(ABORT, 'append-only table reidentification'); END;
CREATE TRIGGER reidentification_no_replace BEFORE INSERT ON reidentification WHEN EXISTS (SELECT 1 FROM reidentification WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'append-only table reidentification'); END;

CREATE TRIGGER reidentification_step_no_update BEFORE UPDATE ON reidentification_step BEGIN SELECT RAISE(ABORT, 'append-only table reidentification_step'); END;
CREATE TRIGGER reidentification_step_no_delete BEFORE DELETE ON reidentification_step BEGIN SELECT RAISE(ABORT, 'append-only table reidentification_step'); END;
CREATE TRIGGER reidentification_step_no_replace BEFORE INSERT ON reidentification_step WHEN EXISTS (SELECT 1 FROM reidentification_step WHERE request = NEW.request AND step = NEW.step) BEGIN SELECT RAISE(ABORT, 'append-only table reidentification_step'); END;

-- Two persons, whatever the program does.
CREATE TRIGGER reidentification_step_second_person BEFORE INSERT ON reidentification_step
WHEN NEW.step = 1 AND EXISTS (
    SELECT 1 FROM reidentification r JOIN assignment a ON a.id = r.by_assignment JOIN assignment b ON b.id = NEW.by_assignment
    WHERE r.id = NEW.request AND a.professional = b.professional
) BEGIN SELECT RAISE(ABORT, 'a re-identification is decided by a second person'); END;
CREATE TRIGGER reidentification_step_asker BEFORE INSERT ON reidentification_step
WHEN NEW.step = 2 AND NOT EXISTS (
    SELECT 1 FROM reidentification r JOIN reidentification_step s ON s.request = r.id
    WHERE r.id = NEW.request AND r.by_assignment = NEW.by_assignment AND s.step = 1 AND s.kind = 'confirmed'
) BEGIN SELECT RAISE(ABORT, 'only the asker reads a re-identification, once it is confirmed'); END;
