-- What the lane and the pages look for by other columns than a key: an affectation that ends, codes that close, the
-- pathways of an organisation, the last act of a kind.
CREATE INDEX session_by_assignment ON session (assignment);
CREATE INDEX invitation_by_professional ON invitation (professional);
CREATE INDEX pathway_by_lead ON pathway (lead);
CREATE INDEX audit_index_by_action ON audit_index (action, idx);
