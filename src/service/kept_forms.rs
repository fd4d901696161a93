//! Texts that their author could not send (the session had ended, or they left quickly): kept sealed for a day, offered
//! after the next sign-in, to them alone.
//!
//! INVARIANT: what is kept is never shown to anybody but its author, and is part of no pathway: it is sent again through
//! the page where it was written, which decides as if it were new.
//! THREAT: whoever holds a token of a session that is over. They can make Relais keep at most five texts for the holder,
//! one every five seconds, for a day after the session's end; they can read none.
//!
//! It does not look at what was written: the rules of entry apply when it is sent.

use super::ServiceError;
use super::app::App;
use super::credentials::stamp_of;
use super::flow::{ATTEMPTS, Act, Call, Change, Created, Desk, IDLE_SECONDS};
use super::sessions::row_ref;
use crate::audit::Disclosed;
use crate::audit::lane::{Job, LaneError, Priority};
use crate::clock::Timestamp;
use crate::crypto::token::TokenHash;
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, Verdict};
use crate::ids::{AssignmentId, KeptFormId, ProfessionalId, RequestId};
use crate::store::account::{AccountState, Session};
use crate::store::kept_form::{KEPT_SECONDS, KeptForm, SealedForms};
use crate::store::{Snapshot, StoreError, WriteTx};

/// How many texts are kept for one person; the oldest goes first.
const MOST: usize = 5;
/// How long one text may be, names of fields included.
const LONGEST: usize = 64 * 1024;
/// Pressing twice keeps once.
const BETWEEN_SECONDS: i64 = 5;

/// A text that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptLine {
    pub id: KeptFormId,
    /// Where it was written.
    pub path: String,
    /// Under which affectation: its pathways open under that one.
    pub assignment: Option<AssignmentId>,
    pub until: Timestamp,
}

/// A text, to be put back into its form.
pub struct KeptText {
    pub path: String,
    /// The affectation that its form was shown for; without one it is that of the session.
    pub assignment: Option<AssignmentId>,
    pub fields: Vec<(String, String)>,
}

fn until(form: &KeptForm) -> Timestamp {
    Timestamp::from_micros(form.at).plus_seconds(KEPT_SECONDS)
}

fn line(form: &KeptForm) -> KeptLine {
    KeptLine {
        id: form.id.clone(),
        path: form.path.clone(),
        assignment: form.assignment.clone(),
        until: until(form),
    }
}

/// What is kept for `owner` and not too old, with the moment at which the row was written.
fn fresh(
    snapshot: &mut Snapshot,
    owner: &ProfessionalId,
    app_subject: &crate::crypto::hash::Digest,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Vec<KeptForm>), StoreError> {
    Ok(match snapshot.kept_forms(owner, app_subject)? {
        None => (None, Vec::new()),
        Some(kept) => {
            let mut forms = kept.forms;
            forms.retain(|f| now < until(f));
            (Some(kept.written_at), forms)
        }
    })
}

/// The texts that wait for `owner`, last first.
pub(super) fn lines(
    app: &App,
    snapshot: &mut Snapshot,
    owner: &ProfessionalId,
    now: Timestamp,
) -> Result<Vec<KeptLine>, ServiceError> {
    let subject = app.store().instance_keys().kept_forms_subject(owner);
    let (_, forms) = fresh(snapshot, owner, &subject, now)?;
    Ok(forms.iter().rev().map(line).collect())
}

/// When a session was over: by its end, its last hour, or half an hour without use.
fn over_at(session: &Session) -> Timestamp {
    let by_time = session.expires_at.min(session.seen_at.plus_seconds(IDLE_SECONDS));
    session.ended_at.map_or(by_time, |ended| ended.min(by_time))
}

impl App {
    /// Keeps a text for the holder of a session, running or over since less than a day. `None` when there is nobody to
    /// keep it for, when it is too long, or right after another one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn kept_form_keep(
        &self,
        request: &RequestId,
        token: &TokenHash,
        text: &KeptText,
    ) -> Result<Option<KeptLine>, ServiceError> {
        let KeptText { path, assignment, fields } = text;
        let length: usize = fields.iter().map(|(n, v)| n.len().saturating_add(v.len())).sum();
        if fields.is_empty() || length > LONGEST {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let mut snapshot = self.store().snapshot()?;
            let now = self.moment(&mut snapshot)?;
            let Some(session) = snapshot.session_by_token(token)? else { return Ok(None) };
            if now >= over_at(&session).plus_seconds(KEPT_SECONDS) {
                return Ok(None);
            }
            let owner = session.professional.clone();
            let open = snapshot.professional_fetch(&owner)?.is_some_and(|p| p.state != AccountState::Ended);
            if !open {
                return Ok(None);
            }
            let subject = self.store().instance_keys().kept_forms_subject(&owner);
            let (before, mut forms) = fresh(&mut snapshot, &owner, &subject, now)?;
            let cited = self.charter_cited(&mut snapshot, None, now)?;
            drop(snapshot);
            let just_now = now.plus_seconds(-BETWEEN_SECONDS).micros();
            if let Some(recent) = forms.iter().find(|f| f.at > just_now) {
                return Ok((recent.path == *path).then(|| line(recent)));
            }
            // One for each page: the last thing written there is what its author wants back.
            forms.retain(|f| f.path != *path);
            let surplus = forms.len().saturating_add(1).saturating_sub(MOST);
            forms.drain(..surplus);
            let kept = KeptForm {
                id: KeptFormId::random(self.chance())?,
                path: path.clone(),
                assignment: assignment.clone().or_else(|| session.assignment.clone()),
                fields: fields.clone(),
                at: now.micros(),
            };
            let told = line(&kept);
            forms.push(kept);
            let key = self.store().instance_key();
            let sealed = SealedForms::seal(key, self.chance(), (&owner, subject), (before, now), &forms)?;
            let change = Change::new(told.id.as_str()).sealed_step(
                row_ref("sealed_form", told.id.as_str(), 1),
                sealed.ciphertext(),
                |_, _| Ok(()),
            );
            let mut draft = RecordDraft::new(
                request.clone(),
                RetentionClass::Technical,
                Action::Create,
                ResourceKind::KeptForm,
                Verdict::Permit,
            );
            let mut stamp = stamp_of(owner);
            stamp.session = Some(session.id);
            draft.actor = Some(stamp);
            draft.policy_hashes = cited;
            draft.write_digest = change.write_digest();
            draft.written.clone_from(&change.written);
            let job = Job::new(self.prepare(&draft, None)?);
            let written = self
                .lane()
                .submit(Priority::Anonymous, job, move |tx: &mut WriteTx, _| tx.kept_forms_put(&sealed))
                .wait();
            match written {
                Ok(_) => return Ok(Some(told)),
                Err(LaneError::Stale | LaneError::Refused(StoreError::Stale)) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(ServiceError::Unavailable("the facts kept moving".to_owned()))
    }

    /// One of one's own texts, to go on writing. It stays until it is sent, thrown away, or a day old.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] when it is not one's own, was written under another affectation, or is no longer
    /// there.
    pub fn kept_form_take(&self, call: &Call, id: &KeptFormId) -> Result<Disclosed<KeptText>, ServiceError> {
        let act = Act { action: Action::Read, resource: ResourceKind::KeptForm };
        self.read_desk(call, act, |desk| {
            let (_, forms) = own(desk)?;
            let acting = desk.signed_in.session.assignment.as_ref();
            // What was written as one person is not sent as another: their secrecy may differ.
            let here = |f: &KeptForm| f.assignment.is_none() || f.assignment.as_ref() == acting;
            let found =
                forms.into_iter().find(|f| f.id == *id && here(f)).ok_or(ServiceError::AbsentOrRefused)?;
            desk.returned = vec![row_ref("sealed_form", found.id.as_str(), 1)];
            Ok(KeptText { path: found.path, assignment: found.assignment, fields: found.fields })
        })
    }

    /// Throws away one of one's own texts.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] when it is not one's own, or no longer there.
    pub fn kept_form_drop(&self, call: &Call, id: &KeptFormId) -> Result<Created, ServiceError> {
        let act = Act { action: Action::End, resource: ResourceKind::KeptForm };
        // The text is the person's, whatever affectation a form names.
        let call = Call { assignment: None, ..call.clone() };
        self.change_desk(&call, act, |desk| {
            let (before, mut forms) = own(desk)?;
            let count = forms.len();
            forms.retain(|f| f.id != *id);
            if forms.len() == count {
                return Err(ServiceError::AbsentOrRefused);
            }
            let owner = desk.signed_in.professional();
            let subject = self.store().instance_keys().kept_forms_subject(owner);
            let key = self.store().instance_key();
            let sealed = SealedForms::seal(key, self.chance(), (owner, subject), (before, desk.now), &forms)?;
            let ciphertext = sealed.ciphertext().to_vec();
            Ok(Change::new(id.as_str()).sealed_step(
                row_ref("sealed_form", id.as_str(), 2),
                &ciphertext,
                move |tx, _| tx.kept_forms_put(&sealed),
            ))
        })
    }
}

fn own(desk: &mut Desk<'_>) -> Result<(Option<Timestamp>, Vec<KeptForm>), ServiceError> {
    let owner = desk.signed_in.professional().clone();
    let subject = desk.app.store().instance_keys().kept_forms_subject(&owner);
    Ok(fresh(desk.snapshot, &owner, &subject, desk.now)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::service::testing::Territory;
    use crate::store::retention::SweepBefore;

    const PATH: &str = "/parcours/a/ecrire";

    fn words(text: &str) -> Vec<(String, String)> {
        vec![("label".to_owned(), text.to_owned())]
    }

    fn keep(t: &Territory, who: &str, path: &str, text: &str) -> Option<KeptLine> {
        let request = RequestId::random(t.app.chance()).unwrap();
        let token = t.call(who).token;
        let text = KeptText { path: path.to_owned(), assignment: None, fields: words(text) };
        t.app.kept_form_keep(&request, &token, &text).unwrap()
    }

    fn later(t: &Territory, seconds: i64) {
        t.clock.set(t.clock.now().plus_seconds(seconds));
    }

    #[test]
    fn a_text_is_kept_for_its_author_alone_and_for_a_day() {
        let t = Territory::new();
        let kept = keep(&t, "referente", PATH, "Un texte à garder.").unwrap();
        let call = t.call("referente");
        assert_eq!(t.app.greeting(&call).unwrap().kept, vec![kept.clone()]);
        let text = t.app.kept_form_take(&call, &kept.id).unwrap().into_inner();
        assert_eq!((text.path.as_str(), text.fields), (PATH, words("Un texte à garder.")));
        // Nobody else, not even a manager or an auditor.
        for other in ["aemo", "pre_manager", "auditor", "administrator"] {
            let call = t.call(other);
            assert!(t.app.greeting(&call).unwrap().kept.is_empty());
            assert!(matches!(t.app.kept_form_take(&call, &kept.id), Err(ServiceError::AbsentOrRefused)));
            assert!(matches!(t.app.kept_form_drop(&call, &kept.id), Err(ServiceError::AbsentOrRefused)));
        }
        // Neither words nor place stand in the file.
        let bytes = std::fs::read(t.database()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("à garder"));
        t.app.kept_form_drop(&call, &kept.id).unwrap();
        assert!(t.app.greeting(&call).unwrap().kept.is_empty());
        assert!(matches!(t.app.kept_form_drop(&call, &kept.id), Err(ServiceError::AbsentOrRefused)));
    }

    /// Two affectations of one person may hold different secrets.
    #[test]
    fn a_text_written_under_one_affectation_is_not_taken_up_under_another() {
        let t = Territory::new();
        let (call, request) = (t.call("referente"), RequestId::random(t.app.chance()).unwrap());
        let text = |assignment: &AssignmentId| KeptText {
            path: PATH.to_owned(),
            assignment: Some(assignment.clone()),
            fields: words("Un texte."),
        };
        let elsewhere = text(&t.person("aemo").assignment);
        let kept = t.app.kept_form_keep(&request, &call.token, &elsewhere).unwrap().unwrap();
        assert!(matches!(t.app.kept_form_take(&call, &kept.id), Err(ServiceError::AbsentOrRefused)));
        assert_eq!(t.app.greeting(&call).unwrap().kept.len(), 1, "it waits");
        later(&t, BETWEEN_SECONDS);
        let own = text(&t.person("referente").assignment);
        let kept = t.app.kept_form_keep(&request, &call.token, &own).unwrap().unwrap();
        assert!(t.app.kept_form_take(&call, &kept.id).is_ok());
    }

    #[test]
    fn a_session_that_is_over_keeps_for_a_day_and_reads_nothing() {
        let t = Territory::new();
        later(&t, IDLE_SECONDS + 1);
        let call = t.call("referente");
        assert!(matches!(t.app.greeting(&call), Err(ServiceError::Unauthenticated)));
        let kept = keep(&t, "referente", PATH, "Après la fin.").unwrap();
        assert!(matches!(t.app.kept_form_take(&call, &kept.id), Err(ServiceError::Unauthenticated)));
        later(&t, KEPT_SECONDS);
        assert_eq!(keep(&t, "referente", PATH, "Trop tard."), None);
    }

    #[test]
    fn a_kept_text_is_deleted_after_a_day_though_nobody_keeps_another() {
        let t = Territory::new();
        keep(&t, "referente", PATH, "Un texte.").unwrap();
        let never = Timestamp::from_micros(0);
        let all = SweepBefore {
            session_over: never,
            session_seen: never,
            invitation_expired: never,
            idempotency: never,
            delay: never,
            kept_form: Timestamp::MAX,
        };
        let rows = || t.app.store().snapshot().unwrap().sweepable(&all).unwrap().kept_forms;
        later(&t, KEPT_SECONDS - 1);
        t.app.sweep(t.clock.now()).unwrap();
        assert_eq!(rows(), 1);
        later(&t, 1);
        t.app.sweep(t.clock.now()).unwrap();
        assert_eq!(rows(), 0);
    }

    #[test]
    fn threat_a_stolen_token_keeps_five_texts_at_most_one_every_five_seconds() {
        let t = Territory::new();
        let first = keep(&t, "referente", PATH, "Un.").unwrap();
        assert_eq!(keep(&t, "referente", PATH, "Un."), Some(first), "pressing twice keeps once");
        assert_eq!(keep(&t, "referente", "/parcours/b/ecrire", "Deux."), None);
        for n in 0..7 {
            later(&t, BETWEEN_SECONDS + 1);
            assert!(keep(&t, "referente", &format!("/parcours/{n}/ecrire"), "Encore.").is_some());
        }
        later(&t, BETWEEN_SECONDS + 1);
        assert!(keep(&t, "referente", PATH, &"x".repeat(LONGEST)).is_none());
        let lines = t.app.greeting(&t.call("referente")).unwrap().kept;
        assert_eq!(lines.len(), MOST);
        assert_eq!(lines[0].path, "/parcours/6/ecrire");
    }
}
