//! Which charter applies to whom today (S14), and whether person and organisation signed it (R26).

use std::collections::HashMap;
use std::sync::Arc;

use super::facts::AssignmentFacts;
use crate::charter::{Charter, Matrix};
use crate::clock::{Timestamp, plus_days};
use crate::domain::cell::Reason;
use crate::ids::{CharterId, OrganisationId};

/// Days during which an organisation that has not signed a new version goes on under the stricter of both.
pub const TRANSITION_DAYS: u64 = 90;

/// One published version.
#[derive(Clone)]
pub struct Edition {
    pub id: CharterId,
    pub number: i64,
    pub published_at: Timestamp,
    pub effective_at: Timestamp,
    pub charter: Arc<Charter>,
    pub matrix: Arc<Matrix>,
    /// Organisations that signed it.
    pub signed_by: Vec<OrganisationId>,
}

/// All published versions, and the matrices of the transition.
#[derive(Clone)]
pub struct CharterBook {
    /// Raised by every publication and every signature of an organisation.
    version: i64,
    /// In order of their number.
    editions: Vec<Edition>,
    /// The stricter of an edition and its predecessor, by the edition's id.
    transitions: HashMap<CharterId, Arc<Matrix>>,
}

/// The charter under which one assignment acts now.
#[derive(Clone)]
pub struct Standing {
    pub matrix: Arc<Matrix>,
    /// When time alone changes this.
    pub valid_until: Timestamp,
}

impl CharterBook {
    #[must_use]
    pub fn new(version: i64, mut editions: Vec<Edition>) -> Self {
        editions.sort_by_key(|e| e.number);
        let transitions = editions
            .windows(2)
            .filter_map(|pair| match pair {
                [old, new] => Some((new.id.clone(), Arc::new(Matrix::stricter_of(&old.matrix, &new.matrix)))),
                _ => None,
            })
            .collect();
        Self { version, editions, transitions }
    }

    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    #[must_use]
    pub fn editions(&self) -> &[Edition] {
        &self.editions
    }

    /// The edition in force: the latest whose day has come.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> Option<&Edition> {
        self.editions.iter().rev().find(|e| e.effective_at <= now)
    }

    /// The edition whose version a person is asked to sign at sign-in: the latest published.
    #[must_use]
    pub fn latest(&self) -> Option<&Edition> {
        self.editions.last()
    }

    pub(super) fn next_change(&self, now: Timestamp) -> Timestamp {
        self.editions.iter().map(|e| e.effective_at).filter(|t| *t > now).min().unwrap_or(Timestamp::MAX)
    }

    /// Under which matrix an organisation stands.
    ///
    /// # Errors
    /// [`Reason::CharterNotSignedOrganisation`] when it signed neither the edition in force nor, within the ninety
    /// days, the one before.
    pub fn organisation_standing(
        &self,
        organisation: &OrganisationId,
        now: Timestamp,
    ) -> Result<Standing, Reason> {
        let denied = Reason::CharterNotSignedOrganisation;
        let current = self.in_force(now).ok_or(denied)?;
        if current.signed_by.contains(organisation) {
            return Ok(Standing { matrix: Arc::clone(&current.matrix), valid_until: self.next_change(now) });
        }
        // LAW: R26, S14. Ninety days under the stricter of both, for who had signed the version before.
        let previous = self.editions.iter().rev().find(|e| e.number < current.number).ok_or(denied)?;
        let until = plus_days(current.effective_at.paris_day(), TRANSITION_DAYS)
            .map(Timestamp::paris_midnight)
            .ok_or(denied)?;
        if !previous.signed_by.contains(organisation) || now >= until {
            return Err(denied);
        }
        let matrix = self.transitions.get(&current.id).ok_or(denied)?;
        Ok(Standing { matrix: Arc::clone(matrix), valid_until: self.next_change(now).min(until) })
    }

    /// Under which matrix gates 5 to 7 are explained: the own one, and for who has not signed yet, the one in force.
    #[must_use]
    pub fn explaining(&self, assignment: &AssignmentFacts, now: Timestamp) -> Option<Arc<Matrix>> {
        self.standing(assignment, now)
            .map(|standing| standing.matrix)
            .ok()
            .or_else(|| self.in_force(now).map(|edition| Arc::clone(&edition.matrix)))
    }

    /// What a record cites: the versions under which this assignment stands, two during a transition; the one in force
    /// for who acts under none. Nothing before the first.
    #[must_use]
    pub fn cited(&self, assignment: Option<&AssignmentFacts>, now: Timestamp) -> Vec<String> {
        let matrix = match assignment {
            Some(assignment) => self.explaining(assignment, now),
            None => self.in_force(now).map(|edition| Arc::clone(&edition.matrix)),
        };
        matrix.map_or_else(Vec::new, |matrix| matrix.policy_hashes().to_vec())
    }

    /// Gate 1, the charter's part: organisation and person.
    ///
    /// # Errors
    /// Every reason that fails, the organisation's after the person's.
    pub fn standing(&self, assignment: &AssignmentFacts, now: Timestamp) -> Result<Standing, Vec<Reason>> {
        let person = match self.in_force(now) {
            Some(edition) if assignment.signed.contains(&edition.id) => Ok(()),
            Some(_) | None => Err(Reason::CharterNotSignedPerson),
        };
        match (person, self.organisation_standing(&assignment.organisation, now)) {
            (Ok(()), Ok(standing)) => Ok(standing),
            (Err(p), Ok(_)) => Err(vec![p]),
            (Ok(()), Err(o)) => Err(vec![o]),
            (Err(p), Err(o)) => Err(vec![p, o]),
        }
    }
}
