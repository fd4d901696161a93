DROP POLICY item_version_app ON item_version;
DROP POLICY fact_app ON fact;
DROP POLICY note_app ON note;
DROP POLICY item_version_lane ON item_version;
DROP POLICY fact_lane ON fact;
DROP POLICY note_lane ON note;
DROP POLICY item_version_reader ON item_version;
DROP POLICY fact_reader ON fact;
DROP POLICY note_reader ON note;
ALTER TABLE item_version NO FORCE ROW LEVEL SECURITY;
ALTER TABLE item_version DISABLE ROW LEVEL SECURITY;
ALTER TABLE fact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE fact DISABLE ROW LEVEL SECURITY;
ALTER TABLE note NO FORCE ROW LEVEL SECURITY;
ALTER TABLE note DISABLE ROW LEVEL SECURITY;
DROP FUNCTION relais_managed();
DROP FUNCTION relais_places();
DROP FUNCTION relais_assignment();
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM relais_app, relais_reader, relais_lane, relais_auditor', current_schema());
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM relais_app, relais_reader, relais_lane, relais_auditor', current_schema());
END
$$;
