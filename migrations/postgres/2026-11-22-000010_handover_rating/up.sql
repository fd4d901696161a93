-- S2: how often services that took over had to start again, by month and kind of structure. A number, never a mark on
-- a colleague: no row names a pathway, a handover or a person.
CREATE TABLE handover_rating (
    month TEXT NOT NULL,
    kind TEXT NOT NULL,
    answer TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    PRIMARY KEY (month, kind, answer)
);

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON %I.handover_rating TO relais_app, relais_reader', current_schema());
END
$$;
GRANT SELECT, INSERT, UPDATE ON handover_rating TO relais_lane;
