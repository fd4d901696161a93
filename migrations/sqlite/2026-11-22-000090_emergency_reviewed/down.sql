DROP INDEX emergency_by_time;
DROP TABLE emergency_reviewed;
