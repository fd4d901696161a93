//! Recognition of a holder by a colleague, and who the people of a structure are.
//!
//! INVARIANT: the recogniser is confirmed and in force, is neither the holder nor who issued the code, and belongs to
//! the holder's organisation; where that has nobody else who could, to the organisation that invites.
//! INVARIANT: an account invited by the command line is recognised by somebody who confirmed none of its affectations
//! (and the other way round, `structures`): two persons, whoever sat before the command line.
//! INVARIANT: the two founders of an instance recognise each other, once, and each thereby confirms the other's first
//! affectation: before them there is nobody who could.

use super::ServiceError;
use super::accounts::professional_check;
use super::app::App;
use super::console::Office;
use super::flow::{Act, Call, Change, Created, Desk};
use super::sessions::{OwnAssignment, SessionOpened, own_assignments, row_ref};
use super::structures::is_second_person;
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::Profession;
use crate::ids::{AssignmentId, OrganisationId, ProfessionalId};
use crate::store::Snapshot;
use crate::store::account::{AccountState, Professional};
use crate::store::organisation::AssignmentRow;

/// The instance value that names the two founders.
pub(super) const FOUNDERS: &str = "founders";

fn refused(code: &'static str, sentence: &str) -> ServiceError {
    ServiceError::rule(code, sentence)
}

fn current(rows: &[AssignmentRow], now: Timestamp) -> impl Iterator<Item = &AssignmentRow> {
    rows.iter().filter(move |r| r.facts.ends_at.is_none_or(|end| now < end))
}

/// The two founders, when this instance was made by `init` or the demonstration.
fn founders(snapshot: &mut Snapshot) -> Result<Vec<ProfessionalId>, ServiceError> {
    let text = snapshot.instance_value(FOUNDERS)?.unwrap_or_default();
    text.split(',')
        .filter(|id| !id.is_empty())
        .map(|id| ProfessionalId::parse(id).map_err(ServiceError::internal))
        .collect()
}

/// Who issued the code under which the account was opened last.
fn issuer(snapshot: &mut Snapshot, holder: &ProfessionalId) -> Result<Option<ProfessionalId>, ServiceError> {
    let mut used: Vec<_> =
        snapshot.invitations_of(holder)?.into_iter().filter(|i| i.used_at.is_some()).collect();
    used.sort_by_key(|i| i.used_at);
    Ok(used.pop().and_then(|i| i.issued_by))
}

/// Whether `organisations` have somebody in force who could recognise: neither holder nor issuer.
fn has_recogniser(
    snapshot: &mut Snapshot,
    organisations: &[OrganisationId],
    excluded: &[&ProfessionalId],
    now: Timestamp,
) -> Result<bool, ServiceError> {
    for organisation in organisations {
        let found = snapshot
            .assignments_in(organisation)?
            .iter()
            .any(|r| r.facts.in_force(now) && !excluded.contains(&&r.facts.professional));
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn organisations_of(rows: &[AssignmentRow], now: Timestamp) -> Vec<OrganisationId> {
    current(rows, now).map(|r| r.facts.organisation.clone()).collect()
}

/// Whether the actor may recognise this holder.
fn may_recognise(
    desk: &mut Desk<'_>,
    holder: &Professional,
    rows: &[AssignmentRow],
) -> Result<(), ServiceError> {
    let now = desk.now;
    let actor = desk.signed_in.actor()?.assignment().clone();
    if !actor.in_force(now) {
        return Err(ServiceError::AbsentOrRefused);
    }
    let issuer = issuer(desk.snapshot, &holder.id)?;
    let mut excluded = vec![&holder.id];
    excluded.extend(issuer.as_ref());
    let own = organisations_of(rows, now);
    let eligible = if has_recogniser(desk.snapshot, &own, &excluded, now)? {
        own
    } else {
        match &issuer {
            Some(issuer) => organisations_of(&desk.snapshot.assignments_of(issuer)?, now),
            // The command line belongs to no organisation: the founders' one stands for it.
            None => {
                let mut all = Vec::new();
                for founder in founders(desk.snapshot)? {
                    all.extend(organisations_of(&desk.snapshot.assignments_of(&founder)?, now));
                }
                all
            }
        }
    };
    if !eligible.contains(&actor.organisation) {
        return Err(ServiceError::AbsentOrRefused);
    }
    // From here on the actor may know of this account.
    if holder.id == actor.professional {
        return Err(refused("recognise_own", "On ne se reconnaît pas soi-même : demandez à un collègue."));
    }
    if issuer.as_ref() == Some(&actor.professional) {
        return Err(refused(
            "recognise_issuer",
            "Vous avez envoyé le code de ce compte : c'est à un autre collègue de reconnaître la personne.",
        ));
    }
    let confirmed_one = current(rows, now)
        .any(|r| r.stated_by.is_none() && r.confirmed_by.as_ref() == Some(&actor.professional));
    if issuer.is_none() && confirmed_one {
        return Err(refused(
            "recognise_confirmer",
            "Vous avez confirmé une affectation de cette personne, saisie en ligne de commande : c'est à un autre collègue de la reconnaître.",
        ));
    }
    Ok(())
}

/// Somebody whose account waits to be recognised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Colleague {
    pub id: ProfessionalId,
    pub name: String,
    pub telephone: String,
    /// What the affectations say of this person.
    pub works: Vec<OwnAssignment>,
}

/// An affectation that waits for its second person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToConfirm {
    pub assignment: AssignmentId,
    pub organisation: OrganisationId,
    /// The holder's name.
    pub name: String,
    pub profession: Profession,
}

/// What waits for the asker as a second person.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecondPerson {
    pub to_recognise: Vec<Colleague>,
    pub to_confirm: Vec<ToConfirm>,
}

impl App {
    /// The accounts that the actor may recognise now.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn colleagues_to_recognise(&self, call: &Call) -> Result<Disclosed<Vec<Colleague>>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Professional };
        self.read_desk(call, act, |desk| self.recognisable(desk))
    }

    fn recognisable(&self, desk: &mut Desk<'_>) -> Result<Vec<Colleague>, ServiceError> {
        let mut found = Vec::new();
        if desk.signed_in.actor().is_err() {
            return Ok(found);
        }
        for person in desk.snapshot.professionals_unconfirmed()? {
            let rows = desk.snapshot.assignments_of(&person.id)?;
            if !self.is_founding(desk, &person)? {
                match may_recognise(desk, &person, &rows) {
                    Ok(()) => {}
                    Err(ServiceError::AbsentOrRefused | ServiceError::Rule { .. }) => continue,
                    Err(e) => return Err(e),
                }
            }
            desk.returned.push(row_ref("professional", person.id.as_str(), person.version));
            let mut works = own_assignments(desk.snapshot, &rows, desk.now)?;
            works.retain(|a| a.ends_at.is_none());
            found.push(Colleague {
                works,
                id: person.id,
                name: person.words.name,
                telephone: person.words.telephone,
            });
        }
        Ok(found)
    }

    /// What waits for the asker as a second person: accounts to recognise, affectations to confirm.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn awaiting_second_person(&self, call: &Call) -> Result<Disclosed<SecondPerson>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::Assignment };
        self.read_desk(call, act, |desk| {
            let to_recognise = self.recognisable(desk)?;
            let mut to_confirm = Vec::new();
            let me = desk.signed_in.professional().clone();
            for row in desk.snapshot.assignments_unconfirmed(desk.now)? {
                let organisation = &row.facts.organisation;
                if Office::at(desk).administers_or_manages(std::slice::from_ref(organisation)).is_err() {
                    continue;
                }
                let holder = desk.snapshot.professional_fetch(&row.facts.professional)?;
                let Some(holder) = holder.filter(|h| h.state != AccountState::Ended) else { continue };
                if !is_second_person(&me, &row, &holder) {
                    continue;
                }
                desk.returned.push(row_ref("assignment", row.facts.id.as_str(), row.facts.version));
                to_confirm.push(ToConfirm {
                    assignment: row.facts.id,
                    organisation: row.facts.organisation,
                    name: holder.words.name,
                    profession: row.facts.profession,
                });
            }
            Ok(SecondPerson { to_recognise, to_confirm })
        })
    }

    /// Recognises the holder of an account: this is the person, and the telephone is theirs.
    ///
    /// # Errors
    /// [`ServiceError::AbsentOrRefused`] for who is not of the right organisation; a rule for the issuer.
    pub fn recognise(&self, call: &Call, id: &ProfessionalId) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Confirm, resource: ResourceKind::Professional };
        self.change_desk(call, act, |desk| {
            let holder = desk.snapshot.professional_fetch(id)?.ok_or(ServiceError::AbsentOrRefused)?;
            let rows = desk.snapshot.assignments_of(id)?;
            let founding = self.is_founding(desk, &holder)?;
            if !founding {
                may_recognise(desk, &holder, &rows)?;
            }
            match holder.state {
                AccountState::Unconfirmed => {}
                AccountState::Invited => {
                    return Err(refused(
                        "not_opened",
                        "Ce compte n'est pas encore ouvert : la personne doit d'abord utiliser son code.",
                    ));
                }
                AccountState::Confirmed => {
                    return Err(refused("already_recognised", "Cette personne est déjà reconnue."));
                }
                AccountState::Ended => return Err(ServiceError::AbsentOrRefused),
            }
            let by = desk.signed_in.professional().clone();
            let (person, recogniser, version) = (id.clone(), by.clone(), holder.version);
            let touched: Vec<_> = rows.iter().map(|r| r.facts.id.clone()).collect();
            let mut change = Change::new(id.as_str()).checked(professional_check(&holder)).step(
                row_ref("professional", id.as_str(), version.saturating_add(1)),
                move |tx, at| {
                    tx.professional_recognise(&person, version, &recogniser, at)?;
                    touched.iter().try_for_each(|a| tx.assignment_touch(a))
                },
            );
            if founding {
                for row in current(&rows, desk.now).filter(|r| r.confirmed_by.is_none()) {
                    let (assignment, by) = (row.facts.id.clone(), by.clone());
                    // Touched by the step before: one version higher.
                    let version = row.facts.version.saturating_add(1);
                    change = change.step(
                        row_ref("assignment", assignment.as_str(), version.saturating_add(1)),
                        move |tx, at| tx.assignment_confirm(&assignment, version, &by, at),
                    );
                }
            }
            Ok(change)
        })
    }

    /// Of `settled`, somebody who works where this holder does; `otherwise` where nobody does.
    pub(super) fn recogniser<'a>(
        &self,
        holder: &ProfessionalId,
        otherwise: &'a SessionOpened,
        settled: impl Iterator<Item = &'a SessionOpened>,
    ) -> Result<&'a SessionOpened, ServiceError> {
        let mut snapshot = self.store().snapshot()?;
        let now = self.moment(&mut snapshot)?;
        let own = organisations_of(&snapshot.assignments_of(holder)?, now);
        for session in settled {
            let Some(acting) = &session.assignment else { continue };
            let row = snapshot.assignment_fetch(acting)?;
            if row.is_some_and(|r| r.facts.in_force(now) && own.contains(&r.facts.organisation)) {
                return Ok(session);
            }
        }
        Ok(otherwise)
    }

    /// Whether this is the one recognition by which an instance begins.
    fn is_founding(&self, desk: &mut Desk<'_>, holder: &Professional) -> Result<bool, ServiceError> {
        let founders = founders(desk.snapshot)?;
        let by = desk.signed_in.professional().clone();
        if by == holder.id || !founders.contains(&by) || !founders.contains(&holder.id) {
            return Ok(false);
        }
        let other = desk.snapshot.professional_fetch(&by)?.ok_or(ServiceError::AbsentOrRefused)?;
        let first = holder.recognised_by.is_none();
        Ok(match other.state {
            // Before the other has been recognised in turn; afterwards the ordinary rule holds.
            AccountState::Unconfirmed => first && other.recognised_by.is_none(),
            AccountState::Confirmed => first && other.recognised_by.as_ref() == Some(&holder.id),
            AccountState::Invited | AccountState::Ended => false,
        })
    }
}
