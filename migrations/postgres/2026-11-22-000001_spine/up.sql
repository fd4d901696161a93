-- The spine. Both engines hold the same tables; what differs (types, guards) is noted where it does.
-- Times are UTC microseconds. `body`, `credentials`, `wrapped` and the two halves of `fact` hold ciphertext only (docs/adr/0004).

CREATE TABLE instance (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);

CREATE TABLE data_key (
    key_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    kek_id TEXT NOT NULL,
    wrapped BYTEA,
    key_commit BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    destroyed_at BIGINT,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE TABLE organisation (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    body BYTEA NOT NULL
);

CREATE TABLE professional (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    login_index TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('invited','unconfirmed','confirmed','ended')),
    invited_by TEXT,
    recognised_by TEXT,
    recognised_at BIGINT,
    totp_last_step BIGINT,
    created_at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    credentials BYTEA,
    CHECK (recognised_by IS NULL OR recognised_by <> id)
);

CREATE TABLE invitation (
    id TEXT PRIMARY KEY,
    professional TEXT NOT NULL REFERENCES professional(id),
    code_hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('open','factor')),
    issued_by TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE assignment (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    professional TEXT NOT NULL REFERENCES professional(id),
    organisation TEXT NOT NULL REFERENCES organisation(id),
    mission TEXT NOT NULL,
    profession TEXT NOT NULL,
    function TEXT NOT NULL,
    secrecy TEXT NOT NULL,
    secrecy_basis TEXT NOT NULL,
    secrecy_until BIGINT,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT,
    stated_by TEXT,
    confirmed_by TEXT,
    confirmed_at BIGINT,
    created_at BIGINT NOT NULL,
    CHECK (confirmed_by IS NULL OR stated_by IS NULL OR confirmed_by <> stated_by)
);

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    professional TEXT NOT NULL REFERENCES professional(id),
    assignment TEXT REFERENCES assignment(id),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE TABLE login_delay (
    subject BYTEA PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

CREATE TABLE charter (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    published_at BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    policy_hash TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    charter_text TEXT NOT NULL,
    policy_text TEXT NOT NULL,
    published_by TEXT
);

CREATE TABLE charter_signature (
    charter TEXT NOT NULL REFERENCES charter(id),
    party_kind TEXT NOT NULL CHECK (party_kind IN ('organisation','professional')),
    party TEXT NOT NULL,
    signed_by TEXT NOT NULL,
    signed_at BIGINT NOT NULL,
    text_hash TEXT NOT NULL,
    policy_hash TEXT NOT NULL,
    PRIMARY KEY (charter, party_kind, party)
);

CREATE TABLE pathway (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    lead TEXT NOT NULL REFERENCES organisation(id),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT
);

CREATE TABLE participation (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    assignment TEXT NOT NULL REFERENCES assignment(id),
    mandate TEXT NOT NULL,
    role TEXT NOT NULL,
    existence TEXT NOT NULL CHECK (existence IN ('open','judicial','family','health_minimal')),
    invited_by TEXT,
    invited_at BIGINT NOT NULL,
    accepted_at BIGINT,
    ended_at BIGINT,
    until_at BIGINT,
    stands_in_for TEXT
);

CREATE TABLE item (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    kind TEXT NOT NULL CHECK (kind IN ('item','action')),
    category TEXT NOT NULL,
    subjects TEXT NOT NULL,
    for_stay BIGINT NOT NULL CHECK (for_stay IN (0,1)),
    author TEXT NOT NULL REFERENCES participation(id),
    author_assignment TEXT NOT NULL REFERENCES assignment(id),
    created_at BIGINT NOT NULL
);

CREATE TABLE item_version (
    id TEXT PRIMARY KEY,
    item TEXT NOT NULL REFERENCES item(id),
    pathway TEXT NOT NULL REFERENCES pathway(id),
    number BIGINT NOT NULL,
    author_secrecy TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT,
    body BYTEA,
    erased_at BIGINT,
    UNIQUE (item, number),
    CHECK ((body IS NULL) = (erased_at IS NOT NULL))
);

CREATE TABLE note (
    id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    author_assignment TEXT NOT NULL REFERENCES assignment(id),
    created_at BIGINT NOT NULL,
    body BYTEA NOT NULL
);

CREATE TABLE fact (
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    pathway TEXT NOT NULL REFERENCES pathway(id),
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    by_assignment TEXT NOT NULL,
    facts BYTEA NOT NULL,
    words BYTEA,
    PRIMARY KEY (id, version)
);

CREATE TABLE idempotency (
    subject BYTEA PRIMARY KEY,
    fingerprint BYTEA NOT NULL,
    result TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE sealed_form (
    subject BYTEA PRIMARY KEY,
    at BIGINT NOT NULL,
    body BYTEA NOT NULL
);

CREATE TABLE audit_leaf (
    idx BIGINT PRIMARY KEY,
    leaf_hash BYTEA NOT NULL,
    nodes BYTEA NOT NULL,
    body TEXT,
    retention_class TEXT NOT NULL
);

CREATE TABLE audit_index (
    idx BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT,
    organisation TEXT,
    profession TEXT,
    action TEXT NOT NULL,
    pathway TEXT,
    purpose TEXT,
    decision TEXT NOT NULL
);

CREATE TABLE audit_detail (
    idx BIGINT PRIMARY KEY,
    salt BYTEA NOT NULL,
    key_id TEXT NOT NULL,
    ciphertext BYTEA NOT NULL
);

CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    frontier BYTEA NOT NULL,
    last_at BIGINT
);

CREATE TABLE audit_checkpoint (
    size BIGINT PRIMARY KEY,
    note TEXT NOT NULL
);

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

-- Append-only tables: nobody but their owner can lift these guards, and the owner is seen by checkpoints kept elsewhere.
CREATE FUNCTION relais_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only table %', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER fact_append_only BEFORE UPDATE OR DELETE ON fact FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER fact_no_truncate BEFORE TRUNCATE ON fact FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE fact ENABLE ALWAYS TRIGGER fact_append_only;
ALTER TABLE fact ENABLE ALWAYS TRIGGER fact_no_truncate;

CREATE TRIGGER charter_append_only BEFORE UPDATE OR DELETE ON charter FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER charter_no_truncate BEFORE TRUNCATE ON charter FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE charter ENABLE ALWAYS TRIGGER charter_append_only;
ALTER TABLE charter ENABLE ALWAYS TRIGGER charter_no_truncate;

CREATE TRIGGER charter_signature_append_only BEFORE UPDATE OR DELETE ON charter_signature FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER charter_signature_no_truncate BEFORE TRUNCATE ON charter_signature FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE charter_signature ENABLE ALWAYS TRIGGER charter_signature_append_only;
ALTER TABLE charter_signature ENABLE ALWAYS TRIGGER charter_signature_no_truncate;

CREATE TRIGGER audit_leaf_append_only BEFORE UPDATE OR DELETE ON audit_leaf FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER audit_leaf_no_truncate BEFORE TRUNCATE ON audit_leaf FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER audit_leaf_append_only;
ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER audit_leaf_no_truncate;

CREATE TRIGGER audit_index_append_only BEFORE UPDATE OR DELETE ON audit_index FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER audit_index_no_truncate BEFORE TRUNCATE ON audit_index FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE audit_index ENABLE ALWAYS TRIGGER audit_index_append_only;
ALTER TABLE audit_index ENABLE ALWAYS TRIGGER audit_index_no_truncate;

CREATE TRIGGER audit_detail_append_only BEFORE UPDATE OR DELETE ON audit_detail FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER audit_detail_no_truncate BEFORE TRUNCATE ON audit_detail FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE audit_detail ENABLE ALWAYS TRIGGER audit_detail_append_only;
ALTER TABLE audit_detail ENABLE ALWAYS TRIGGER audit_detail_no_truncate;

CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE ON audit_checkpoint FOR EACH ROW EXECUTE FUNCTION relais_append_only();
CREATE TRIGGER audit_checkpoint_no_truncate BEFORE TRUNCATE ON audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION relais_append_only();
ALTER TABLE audit_checkpoint ENABLE ALWAYS TRIGGER audit_checkpoint_append_only;
ALTER TABLE audit_checkpoint ENABLE ALWAYS TRIGGER audit_checkpoint_no_truncate;

-- A version of an item never changes, but for its erasure.
CREATE FUNCTION relais_item_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'append-only table item_version'; END IF;
    IF NEW.body IS NOT NULL OR NEW.erased_at IS NULL OR OLD.erased_at IS NOT NULL
        OR (NEW.id, NEW.item, NEW.pathway, NEW.number, NEW.author_secrecy, NEW.created_at, NEW.valid_from) IS DISTINCT FROM (OLD.id, OLD.item, OLD.pathway, OLD.number, OLD.author_secrecy, OLD.created_at, OLD.valid_from)
    THEN RAISE EXCEPTION 'an item version changes only by its erasure'; END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER item_version_guard BEFORE UPDATE OR DELETE ON item_version FOR EACH ROW EXECUTE FUNCTION relais_item_version_guard();
ALTER TABLE item_version ENABLE ALWAYS TRIGGER item_version_guard;
