DROP TABLE handover_rating;
