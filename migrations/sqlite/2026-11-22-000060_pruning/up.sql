-- LAW §6: technical records are kept for the charter's months, then pruned. One person asks, another decides; the words of both are sealed.
-- 31536000000000 µs are 365 days: the least that the law asks for, whatever a charter says.
CREATE TABLE pruning (
    id TEXT PRIMARY KEY,
    class TEXT NOT NULL CHECK (class = 'technical'),
    before_at INTEGER NOT NULL,
    first_idx INTEGER NOT NULL,
    last_idx INTEGER NOT NULL,
    records INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    reason BLOB NOT NULL,
    CHECK (0 <= first_idx AND first_idx <= last_idx AND records > 0)
) STRICT, WITHOUT ROWID;

-- One decision, once.
CREATE TABLE pruning_decision (
    request TEXT PRIMARY KEY REFERENCES pruning(id),
    outcome TEXT NOT NULL CHECK (outcome IN ('confirmed','refused')),
    at INTEGER NOT NULL,
    by_assignment TEXT NOT NULL REFERENCES assignment(id),
    remark BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER pruning_no_update BEFORE UPDATE ON pruning BEGIN SELECT RAISE(ABORT, 'append-only table pruning'); END;
CREATE TRIGGER pruning_no_delete BEFORE DELETE ON pruning BEGIN SELECT RAISE(ABORT, 'append-only table pruning'); END;
CREATE TRIGGER pruning_no_replace BEFORE INSERT ON pruning WHEN EXISTS (SELECT 1 FROM pruning WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'append-only table pruning'); END;

CREATE TRIGGER pruning_decision_no_update BEFORE UPDATE ON pruning_decision BEGIN SELECT RAISE(ABORT, 'append-only table pruning_decision'); END;
CREATE TRIGGER pruning_decision_no_delete BEFORE DELETE ON pruning_decision BEGIN SELECT RAISE(ABORT, 'append-only table pruning_decision'); END;
CREATE TRIGGER pruning_decision_no_replace BEFORE INSERT ON pruning_decision WHEN EXISTS (SELECT 1 FROM pruning_decision WHERE request = NEW.request) BEGIN SELECT RAISE(ABORT, 'append-only table pruning_decision'); END;

-- The time is the log's, which never goes back, not what the row says of itself.
CREATE TRIGGER pruning_in_time BEFORE INSERT ON pruning
WHEN NOT EXISTS (SELECT 1 FROM audit_head WHERE NEW.before_at + 31536000000000 <= last_at AND NEW.last_idx < size)
BEGIN SELECT RAISE(ABORT, 'a pruning before its time'); END;

-- Two persons, whatever the program does.
CREATE TRIGGER pruning_second_person BEFORE INSERT ON pruning_decision
WHEN EXISTS (
    SELECT 1 FROM pruning p JOIN assignment a ON a.id = p.by_assignment JOIN assignment b ON b.id = NEW.by_assignment
    WHERE p.id = NEW.request AND a.professional = b.professional
) BEGIN SELECT RAISE(ABORT, 'a pruning is decided by a second person'); END;

-- A record loses its body only under a confirmed pruning of its class that covers its index, when it is older than that pruning's day.
DROP TRIGGER audit_leaf_no_update;
CREATE TRIGGER audit_leaf_prune_only BEFORE UPDATE ON audit_leaf
WHEN OLD.body IS NULL OR NEW.body IS NOT NULL
    OR NEW.idx <> OLD.idx OR NEW.leaf_hash <> OLD.leaf_hash OR NEW.nodes <> OLD.nodes OR NEW.retention_class <> OLD.retention_class
    OR NOT EXISTS (
        SELECT 1 FROM pruning p
        JOIN pruning_decision d ON d.request = p.id AND d.outcome = 'confirmed'
        JOIN audit_index i ON i.idx = OLD.idx AND i.at < p.before_at
        WHERE p.class = OLD.retention_class AND OLD.idx BETWEEN p.first_idx AND p.last_idx
    )
BEGIN SELECT RAISE(ABORT, 'append-only table audit_leaf'); END;

-- What stands beside a record goes only after its body.
DROP TRIGGER audit_index_no_delete;
CREATE TRIGGER audit_index_prune_only BEFORE DELETE ON audit_index
WHEN NOT EXISTS (SELECT 1 FROM audit_leaf WHERE idx = OLD.idx AND body IS NULL)
BEGIN SELECT RAISE(ABORT, 'append-only table audit_index'); END;
DROP TRIGGER audit_detail_no_delete;
CREATE TRIGGER audit_detail_prune_only BEFORE DELETE ON audit_detail
WHEN NOT EXISTS (SELECT 1 FROM audit_leaf WHERE idx = OLD.idx AND body IS NULL)
BEGIN SELECT RAISE(ABORT, 'append-only table audit_detail'); END;
