-- The spine. Both engines hold the same tables; what differs (types, guards) is noted where it does.
-- Times are UTC microseconds. `body`, `credentials`, `wrapped` and the two halves of `fact` hold ciphertext only (docs/adr/0004).

CREATE TABLE instance (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE data_key (
    key_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    kek_id TEXT NOT NULL,
    wrapped BLOB,
    key_commit BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    destroyed_at INTEGER,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) STRICT;

CREATE TABLE organisation (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE professional (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    login_index TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('invited','unconfirmed','confirmed','ended')),
    invited_by TEXT,
    recognised_by TEXT,
    recognised_at INTEGER,
    totp_last_step INTEGER,
    created_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    credentials BLOB,
    CHECK (recognised_by IS NULL OR recognised_by <> id)
) STRICT;

CREATE TABLE invitation (
    id TEXT PRIMARY KEY,
    professional TEXT NOT NULL REFERENCES professional(id),
    code_hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('open','factor')),
    issued_by TEXT,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE TABLE assignment (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    professional TEXT NOT NULL REFERENCES professional(id),
    organisation TEXT NOT NULL REFERENCES organisation(id),
    mission TEXT NOT NULL,
    profession TEXT NOT NULL,
    function TEXT NOT NULL,
    secrecy TEXT NOT NULL,
    secrecy_basis TEXT NOT NULL,
    secrecy_until INTEGER,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER,
    stated_by TEXT,
    confirmed_by TEXT,
    confirmed_at INTEGER,
    created_at INTEGER NOT NULL,
    CHECK (confirmed_by IS NULL OR stated_by IS NULL OR confirmed_by <> stated_by)
) STRICT;

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    professional TEXT NOT NULL REFERENCES professional(id),
    assignment TEXT REFERENCES assignment(id),
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;

CREATE TABLE login_delay (
    subject BLOB PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

CREATE TABLE charter (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    published_at INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    policy_hash TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    charter_text TEXT NOT NULL,
    policy_text TEXT NOT NULL,
    published_by TEXT
) STRICT;

CREATE TABLE charter_signature (
    charter TEXT NOT NULL REFERENCES charter(id),
    party_kind TEXT NOT NULL CHECK (party_kind IN ('organisation','professional')),
    party TEXT NOT NULL,
    signed_by TEXT NOT NULL,
    signed_at INTEGER NOT NULL,
    text_hash TEXT NOT NULL,
    policy_hash TEXT NOT NULL,
    PRIMARY KEY (charter, party_kind, party)
) STRICT;

CREATE TABLE pathway (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    lead TEXT NOT NULL REFERENCES organisation(id),
    opened_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;

CREATE TABLE participation (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    assignment TEXT NOT NULL REFERENCES assignment(id),
    mandate TEXT NOT NULL,
    role TEXT NOT NULL,
    existence TEXT NOT NULL CHECK (existence IN ('open','judicial','family','health_minimal')),
    invited_by TEXT,
    invited_at INTEGER NOT NULL,
    accepted_at INTEGER,
    ended_at INTEGER,
    until_at INTEGER,
    stands_in_for TEXT
) STRICT;

CREATE TABLE item (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    kind TEXT NOT NULL CHECK (kind IN ('item','action')),
    category TEXT NOT NULL,
    subjects TEXT NOT NULL,
    for_stay INTEGER NOT NULL CHECK (for_stay IN (0,1)),
    author TEXT NOT NULL REFERENCES participation(id),
    author_assignment TEXT NOT NULL REFERENCES assignment(id),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE item_version (
    id TEXT PRIMARY KEY,
    item TEXT NOT NULL REFERENCES item(id),
    pathway TEXT NOT NULL REFERENCES pathway(id),
    number INTEGER NOT NULL,
    author_secrecy TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER,
    body BLOB,
    erased_at INTEGER,
    UNIQUE (item, number),
    CHECK ((body IS NULL) = (erased_at IS NOT NULL))
) STRICT;

CREATE TABLE note (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    author_assignment TEXT NOT NULL REFERENCES assignment(id),
    created_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE fact (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    by_assignment TEXT NOT NULL,
    facts BLOB NOT NULL,
    words BLOB,
    PRIMARY KEY (id, version)
) STRICT;

CREATE TABLE idempotency (
    subject BLOB PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    result TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE sealed_form (
    subject BLOB PRIMARY KEY,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE audit_leaf (
    idx INTEGER PRIMARY KEY,
    leaf_hash BLOB NOT NULL,
    nodes BLOB NOT NULL,
    body TEXT,
    retention_class TEXT NOT NULL
) STRICT;

CREATE TABLE audit_index (
    idx INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT,
    organisation TEXT,
    profession TEXT,
    action TEXT NOT NULL,
    pathway TEXT,
    purpose TEXT,
    decision TEXT NOT NULL
) STRICT;

CREATE TABLE audit_detail (
    idx INTEGER PRIMARY KEY,
    salt BLOB NOT NULL,
    key_id TEXT NOT NULL,
    ciphertext BLOB NOT NULL
) STRICT;

CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    last_at INTEGER
) STRICT;

CREATE TABLE audit_checkpoint (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL
) STRICT;

CREATE INDEX data_key_by_owner ON data_key (owner);
CREATE INDEX session_by_professional ON session (professional);
CREATE INDEX assignment_by_professional ON assignment (professional);
CREATE INDEX assignment_by_organisation ON assignment (organisation);
CREATE INDEX participation_by_assignment ON participation (assignment);
CREATE INDEX participation_by_pathway ON participation (pathway);
CREATE INDEX item_by_pathway ON item (pathway);
CREATE INDEX item_version_by_pathway ON item_version (pathway);
CREATE INDEX note_by_author ON note (author_assignment, pathway);
CREATE INDEX fact_by_pathway ON fact (pathway, kind);
CREATE INDEX idempotency_by_time ON idempotency (at);
CREATE INDEX login_delay_by_time ON login_delay (last_at);
CREATE INDEX audit_index_by_time ON audit_index (at);
CREATE INDEX audit_index_by_pathway ON audit_index (pathway);

INSERT INTO counter (name, version) VALUES ('charter', 1);

-- Append-only tables. `BEFORE INSERT … WHEN EXISTS` stops `INSERT OR REPLACE`, which would overwrite silently.

CREATE TRIGGER fact_no_update BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'append-only table fact'); END;
CREATE TRIGGER fact_no_delete BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'append-only table fact'); END;
CREATE TRIGGER fact_no_replace BEFORE INSERT ON fact WHEN EXISTS (SELECT 1 FROM fact WHERE id = NEW.id AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'append-only table fact'); END;

CREATE TRIGGER charter_no_update BEFORE UPDATE ON charter BEGIN SELECT RAISE(ABORT, 'append-only table charter'); END;
CREATE TRIGGER charter_no_delete BEFORE DELETE ON charter BEGIN SELECT RAISE(ABORT, 'append-only table charter'); END;
CREATE TRIGGER charter_no_replace BEFORE INSERT ON charter WHEN EXISTS (SELECT 1 FROM charter WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'append-only table charter'); END;

CREATE TRIGGER charter_signature_no_update BEFORE UPDATE ON charter_signature BEGIN SELECT RAISE(ABORT, 'append-only table charter_signature'); END;
CREATE TRIGGER charter_signature_no_delete BEFORE DELETE ON charter_signature BEGIN SELECT RAISE(ABORT, 'append-only table charter_signature'); END;
CREATE TRIGGER charter_signature_no_replace BEFORE INSERT ON charter_signature WHEN EXISTS (SELECT 1 FROM charter_signature WHERE charter = NEW.charter AND party_kind = NEW.party_kind AND party = NEW.party) BEGIN SELECT RAISE(ABORT, 'append-only table charter_signature'); END;

CREATE TRIGGER audit_leaf_no_update BEFORE UPDATE ON audit_leaf BEGIN SELECT RAISE(ABORT, 'append-only table audit_leaf'); END;
CREATE TRIGGER audit_leaf_no_delete BEFORE DELETE ON audit_leaf BEGIN SELECT RAISE(ABORT, 'append-only table audit_leaf'); END;
CREATE TRIGGER audit_leaf_no_replace BEFORE INSERT ON audit_leaf WHEN EXISTS (SELECT 1 FROM audit_leaf WHERE idx = NEW.idx) BEGIN SELECT RAISE(ABORT, 'append-only table audit_leaf'); END;

CREATE TRIGGER audit_index_no_update BEFORE UPDATE ON audit_index BEGIN SELECT RAISE(ABORT, 'append-only table audit_index'); END;
CREATE TRIGGER audit_index_no_delete BEFORE DELETE ON audit_index BEGIN SELECT RAISE(ABORT, 'append-only table audit_index'); END;
CREATE TRIGGER audit_index_no_replace BEFORE INSERT ON audit_index WHEN EXISTS (SELECT 1 FROM audit_index WHERE idx = NEW.idx) BEGIN SELECT RAISE(ABORT, 'append-only table audit_index'); END;

CREATE TRIGGER audit_detail_no_update BEFORE UPDATE ON audit_detail BEGIN SELECT RAISE(ABORT, 'append-only table audit_detail'); END;
CREATE TRIGGER audit_detail_no_delete BEFORE DELETE ON audit_detail BEGIN SELECT RAISE(ABORT, 'append-only table audit_detail'); END;
CREATE TRIGGER audit_detail_no_replace BEFORE INSERT ON audit_detail WHEN EXISTS (SELECT 1 FROM audit_detail WHERE idx = NEW.idx) BEGIN SELECT RAISE(ABORT, 'append-only table audit_detail'); END;

CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'append-only table audit_checkpoint'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'append-only table audit_checkpoint'); END;
CREATE TRIGGER audit_checkpoint_no_replace BEFORE INSERT ON audit_checkpoint WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE size = NEW.size) BEGIN SELECT RAISE(ABORT, 'append-only table audit_checkpoint'); END;

-- A version of an item never changes, but for its erasure.
CREATE TRIGGER item_version_no_delete BEFORE DELETE ON item_version BEGIN SELECT RAISE(ABORT, 'append-only table item_version'); END;
CREATE TRIGGER item_version_no_replace BEFORE INSERT ON item_version WHEN EXISTS (SELECT 1 FROM item_version WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'append-only table item_version'); END;
CREATE TRIGGER item_version_erase_only BEFORE UPDATE ON item_version
WHEN NEW.body IS NOT NULL OR NEW.erased_at IS NULL OR OLD.erased_at IS NOT NULL
    OR NEW.id <> OLD.id OR NEW.item <> OLD.item OR NEW.pathway <> OLD.pathway OR NEW.number <> OLD.number
    OR NEW.author_secrecy <> OLD.author_secrecy OR NEW.created_at <> OLD.created_at OR NEW.valid_from <> OLD.valid_from
BEGIN SELECT RAISE(ABORT, 'an item version changes only by its erasure'); END;
