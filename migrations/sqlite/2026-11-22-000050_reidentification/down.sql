DROP TABLE reidentification_step;
DROP TABLE reidentification;
