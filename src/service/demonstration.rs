//! The door of a demonstration: a session of one of its invented people, in one click.
//!
//! INVARIANT: it opens nothing in a database that is not a demonstration's: the kind is read from the open store, which
//! refuses a database of another kind than it was opened for. The route is there only under `relais demo` besides.

use super::app::App;
use super::credentials::{Login, stamp_of};
use super::sessions::{SESSION_SECONDS, SessionOpened, row_ref};
use super::{Act, ServiceError};
use crate::audit::Job;
use crate::audit::lane::Priority;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::RequestId;
use crate::store::{InstanceKind, WriteTx};

impl App {
    /// Opens a session of a person of the demonstration, recorded like any sign-in.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] on a real instance, and for an unknown person.
    pub fn demonstration_session(
        &self,
        request: &RequestId,
        login: &Login,
    ) -> Result<SessionOpened, ServiceError> {
        match self.store().kind() {
            InstanceKind::Demo => {}
            InstanceKind::Real => return Err(ServiceError::AbsentOrRefused),
        }
        let act = Act { action: Action::SignIn, resource: ResourceKind::Session };
        let index = self.store().instance_keys().login_index(login.as_str());
        let mut snapshot = self.store().snapshot()?;
        let now = self.moment(&mut snapshot)?;
        let account = snapshot.account_by_login(&index)?.ok_or(ServiceError::AbsentOrRefused)?;
        let person = &account.person;
        let in_force: Vec<_> =
            snapshot.assignments_of(&person.id)?.into_iter().filter(|r| r.facts.in_force(now)).collect();
        let chosen = match in_force.as_slice() {
            [only] => Some(&only.facts),
            _ => None,
        };
        let cited = self.charter_cited(&mut snapshot, chosen, now)?;
        let chosen = chosen.map(|a| a.id.clone());
        let fresh = self.fresh_session(&person.id, chosen, now, now.plus_seconds(SESSION_SECONDS))?;
        let opened = self.session_opened(&mut snapshot, &account, &fresh, now)?;
        drop(snapshot);
        let mut draft = RecordDraft::new(
            request.clone(),
            RetentionClass::Technical,
            act.action,
            act.resource,
            Verdict::Permit,
        );
        let mut stamp = stamp_of(person.id.clone());
        stamp.session = Some(fresh.row.id.clone());
        draft.actor = Some(stamp);
        draft.policy_hashes = cited;
        draft.written = vec![row_ref("session", fresh.row.id.as_str(), 1)];
        let job = Job::new(self.prepare(&draft, None)?);
        let (row, hash) = (fresh.row, fresh.hash);
        self.lane()
            .submit(Priority::Anonymous, job, move |tx: &mut WriteTx, _| tx.session_insert(&row, &hash))
            .wait()?;
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::testing::Territory;

    #[test]
    fn threat_the_door_of_a_demonstration_opens_nothing_on_a_real_instance() {
        let attempt = |kind| {
            let t = Territory::of(kind);
            let request = RequestId::random(t.app.chance()).unwrap();
            t.app.demonstration_session(&request, &Login::parse("referente").unwrap()).map(drop)
        };
        assert!(attempt(InstanceKind::Demo).is_ok());
        assert!(matches!(attempt(InstanceKind::Real), Err(ServiceError::AbsentOrRefused)));
    }
}
