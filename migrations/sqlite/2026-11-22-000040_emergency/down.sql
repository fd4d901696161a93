DROP TABLE access_review;
DROP TABLE emergency;
