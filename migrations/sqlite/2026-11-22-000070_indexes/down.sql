DROP INDEX audit_index_by_action;
DROP INDEX pathway_by_lead;
DROP INDEX invitation_by_professional;
DROP INDEX session_by_assignment;
