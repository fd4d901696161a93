-- Roles (SECURITY §5; docs/postgresql.md says how to run under them). Group roles without login, of the whole cluster: made if missing, and never taken away, since another database may use them.
--   relais_app      the server's login joins this one: reads everything through the pool, changes nothing by itself
--   relais_reader   what a request becomes once its session is known: content rows of its own pathways only
--   relais_lane     what the lane is: writes, but cannot read a ciphertext of content
--   relais_auditor  reads the log, but no sealed detail
DO $$
DECLARE
    wanted TEXT;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['relais_app', 'relais_reader', 'relais_lane', 'relais_auditor'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION
                -- Another database of this cluster made it meanwhile.
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'role % is missing and % may not create it: ask the administrator of the cluster for CREATE ROLE %', wanted, current_user, wanted;
            END;
        END IF;
    END LOOP;
    -- The server's role, and whoever runs this, may become reader and lane. A superuser may already.
    FOREACH wanted IN ARRAY ARRAY['relais_reader', 'relais_lane'] LOOP
        IF NOT pg_has_role('relais_app', wanted, 'MEMBER') THEN
            BEGIN
                EXECUTE format('GRANT %I TO relais_app', wanted);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO relais_app, relais_reader, relais_lane, relais_auditor', current_schema());
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO relais_app, relais_reader', current_schema());
END
$$;

-- The lane. Tables without content: everything but TRUNCATE.
GRANT SELECT, INSERT, UPDATE, DELETE ON instance, counter, organisation, professional, invitation, assignment, session, login_delay, pathway, participation, item, idempotency, sealed_form TO relais_lane;
GRANT SELECT, INSERT ON charter, charter_signature TO relais_lane;
-- Append-only, and no ciphertext to read.
GRANT INSERT, SELECT (id, version, pathway, kind, at, by_assignment) ON fact TO relais_lane;
GRANT INSERT, UPDATE (body, erased_at), SELECT (id, item, pathway, number, author_secrecy, created_at, valid_from, valid_until, erased_at) ON item_version TO relais_lane;
GRANT INSERT, UPDATE, DELETE, SELECT (id, version, pathway, author_assignment, created_at) ON note TO relais_lane;
GRANT INSERT, UPDATE (kek_id, wrapped, destroyed_at), SELECT (key_id, owner, kek_id, wrapped, key_commit, created_at, destroyed_at) ON data_key TO relais_lane;
GRANT INSERT, SELECT (idx) ON audit_leaf, audit_index, audit_detail TO relais_lane;
GRANT INSERT, SELECT ON audit_checkpoint TO relais_lane;
GRANT SELECT, INSERT, UPDATE ON audit_head TO relais_lane;

GRANT SELECT ON audit_leaf, audit_index, audit_head, audit_checkpoint TO relais_auditor;
GRANT SELECT (idx, key_id) ON audit_detail TO relais_auditor;

-- The assignment under which this transaction reads; NULL for nobody.
CREATE FUNCTION relais_assignment() RETURNS TEXT LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('relais.assignment', true), '')
$$;

-- Pathways on which the assignment has a place that is not over. An invitation is a place: the invited must see it.
CREATE FUNCTION relais_places() RETURNS SETOF TEXT LANGUAGE sql STABLE AS $$
    SELECT pathway FROM participation
    WHERE assignment = relais_assignment()
        AND (ended_at IS NULL OR ended_at > extract(epoch FROM now()) * 1000000)
$$;

-- Pathways that concern the organisation of a manager or secretary: motives, signatures, participations; no items.
CREATE FUNCTION relais_managed() RETURNS SETOF TEXT LANGUAGE sql STABLE AS $$
    SELECT p.id FROM pathway p JOIN assignment a ON a.organisation = p.lead
    WHERE a.id = relais_assignment() AND a.function IN ('manager', 'secretary')
    UNION
    SELECT q.pathway FROM participation q JOIN assignment b ON b.id = q.assignment JOIN assignment a ON a.organisation = b.organisation
    WHERE a.id = relais_assignment() AND a.function IN ('manager', 'secretary')
$$;

ALTER TABLE item_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE item_version FORCE ROW LEVEL SECURITY;
ALTER TABLE fact ENABLE ROW LEVEL SECURITY;
ALTER TABLE fact FORCE ROW LEVEL SECURITY;
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
ALTER TABLE note FORCE ROW LEVEL SECURITY;

CREATE POLICY item_version_reader ON item_version FOR SELECT TO relais_reader USING (pathway IN (SELECT relais_places()));
CREATE POLICY fact_reader ON fact FOR SELECT TO relais_reader USING (pathway IN (SELECT relais_places()) OR pathway IN (SELECT relais_managed()));
CREATE POLICY note_reader ON note FOR SELECT TO relais_reader USING (author_assignment = relais_assignment());

CREATE POLICY item_version_lane ON item_version TO relais_lane USING (true) WITH CHECK (true);
CREATE POLICY fact_lane ON fact TO relais_lane USING (true) WITH CHECK (true);
CREATE POLICY note_lane ON note TO relais_lane USING (true) WITH CHECK (true);

-- Jobs and maintenance act for nobody: they read as the server itself, or as the owner.
CREATE POLICY item_version_app ON item_version FOR SELECT TO relais_app, CURRENT_USER USING (true);
CREATE POLICY fact_app ON fact FOR SELECT TO relais_app, CURRENT_USER USING (true);
CREATE POLICY note_app ON note FOR SELECT TO relais_app, CURRENT_USER USING (true);
