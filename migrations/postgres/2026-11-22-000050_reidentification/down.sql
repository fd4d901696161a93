DROP TABLE reidentification_step;
DROP TABLE reidentification;
DROP FUNCTION relais_two_persons();
