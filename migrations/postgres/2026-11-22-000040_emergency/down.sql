DROP POLICY fact_reviewer ON fact;
DROP FUNCTION relais_reviewed();
DROP TABLE access_review;
DROP TABLE emergency;
