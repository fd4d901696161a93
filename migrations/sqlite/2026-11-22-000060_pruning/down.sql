DROP TRIGGER audit_detail_prune_only;
CREATE TRIGGER audit_detail_no_delete BEFORE DELETE ON audit_detail BEGIN SELECT RAISE(ABORT, 'append-only table audit_detail'); END;
DROP TRIGGER audit_index_prune_only;
CREATE TRIGGER audit_index_no_delete BEFORE DELETE ON audit_index BEGIN SELECT RAISE(ABORT, 'append-only table audit_index'); END;
DROP TRIGGER audit_leaf_prune_only;
CREATE TRIGGER audit_leaf_no_update BEFORE UPDATE ON audit_leaf BEGIN SELECT RAISE(ABORT, 'append-only table audit_leaf'); END;
DROP TABLE pruning_decision;
DROP TABLE pruning;
