//! Pruning of the log: when a record may lose its body, and the two persons who decide it.
//!
//! LAW §6. Technical records (sign-ins, lists, searches) are kept 12 months, up to 36 where the charter says so; records of
//! disclosure and consent live as long as the pathway and then stay in an archive: this version prunes none of them.
//!
//! INVARIANTS
//! * Nothing is pruned before [`least_days`], whatever a charter says.
//! * Nobody decides on a request of their own, under whichever assignment; a request is decided once.
//! * Time closes a request by itself: undecided after [`DECISION_DAYS`], or at the end of its year (of UTC). Pseudonyms
//!   change with the year, so across two of them the records would not show that two persons decided.
//!
//! It knows neither records nor people, and erases nothing.

use chrono::{Datelike, Months, NaiveDate};

use super::record::RetentionClass;
use super::vocabulary::code_enum;
use crate::clock::Timestamp;
use crate::ids::ProfessionalId;

const DAY: i64 = 24 * 3600;
/// A request that nobody decided on lapses.
pub const DECISION_DAYS: i64 = 30;
/// LAW §6: twelve months, as whoever has no charter at hand can check them.
const LEAST_TECHNICAL_DAYS: i64 = 365;
/// LAW §6, C. civ. 2235: the proofs that concern a minor, not before the 23rd birthday.
const DISCLOSURE_YEARS: u32 = 23;

/// How many days a record of this class keeps its body at least; nothing where it is never pruned.
#[must_use]
pub const fn least_days(class: RetentionClass) -> Option<i64> {
    match class {
        RetentionClass::Technical => Some(LEAST_TECHNICAL_DAYS),
        RetentionClass::Disclosure => None,
    }
}

/// The first moment that is too recent to be pruned: what came before it may go. `months` is the charter's.
///
/// Nothing for a class that is never pruned, or outside the calendar.
#[must_use]
pub fn limit(class: RetentionClass, months: u32, now: Timestamp) -> Option<Timestamp> {
    let days = least_days(class)?;
    let by_charter = now.paris_day().checked_sub_months(Months::new(months))?;
    // The months of a charter begin and end at midnight in Paris; the law's days are counted to the second.
    Some(Timestamp::paris_midnight(by_charter).min(now.plus_seconds(-days.saturating_mul(DAY))))
}

/// The latest day, in Paris, before which records may be pruned.
#[must_use]
pub fn latest_day(limit: Timestamp) -> NaiveDate {
    // Midnight of a day is never after a moment of that day.
    limit.paris_day()
}

/// From when on the pseudonyms of a class and year may be unlinked: the last record of that year is past its period.
/// Of disclosures, nobody is concerned any more who was a child in that year.
///
/// Nothing outside the calendar.
#[must_use]
pub fn year_over(class: RetentionClass, year: i32, months: u32) -> Option<Timestamp> {
    let after = NaiveDate::from_ymd_opt(year.checked_add(1)?, 1, 1)?;
    let months = match class {
        RetentionClass::Technical => months,
        RetentionClass::Disclosure => DISCLOSURE_YEARS.checked_mul(12)?,
    };
    // Years of pseudonyms are those of UTC, an hour or two behind Paris: one day more is on the safe side.
    let end = after.checked_add_months(Months::new(months))?.succ_opt()?;
    Some(Timestamp::paris_midnight(end))
}

code_enum! {
    /// What the second person says.
    PruningOpinion, "decision on a pruning" {
        Confirmed = "confirmed", "Je confirme : ces traces perdent leur contenu";
        Refused = "refused", "Je refuse : elles le gardent";
    }
}

code_enum! {
    /// Where a request stands.
    PruningState, "state of a pruning" {
        Waiting = "waiting", "En attente d'une seconde personne";
        Lapsed = "lapsed", "Sans décision, close";
        Refused = "refused", "Refusée";
        Running = "running", "Confirmée, en cours";
        Done = "done", "Faite";
    }
}

impl PruningState {
    /// Whether something can still happen to it.
    #[must_use]
    pub const fn runs(self) -> bool {
        match self {
            Self::Waiting | Self::Running => true,
            Self::Lapsed | Self::Refused | Self::Done => false,
        }
    }
}

/// Why a step of a request cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PruningError {
    #[error("a pruning was decided by the person who asked; look at its row in `pruning_decision`")]
    OnePerson,
    #[error("nobody decides on a request of their own; ask a second person")]
    OwnRequest,
    #[error("the request is in state `{0}`, which does not allow this; look at its state, or ask again")]
    State(PruningState),
}

/// A request, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruning {
    asker: ProfessionalId,
    asked_at: Timestamp,
    decision: Option<PruningOpinion>,
    left: bool,
}

impl Pruning {
    /// A request of `asker`, with what was decided, and by whom. `left`: some of what it covers still has its body.
    ///
    /// # Errors
    /// [`PruningError::OnePerson`] for a decision by who asked.
    pub fn new(
        (asker, asked_at): (ProfessionalId, Timestamp),
        decision: Option<(PruningOpinion, ProfessionalId)>,
        left: bool,
    ) -> Result<Self, PruningError> {
        if decision.as_ref().is_some_and(|(_, by)| *by == asker) {
            return Err(PruningError::OnePerson);
        }
        Ok(Self { asker, asked_at, decision: decision.map(|(outcome, _)| outcome), left })
    }

    /// The first moment at which nobody can decide any more: [`DECISION_DAYS`] on, or the end of the year (of UTC).
    #[must_use]
    pub fn lapses_at(&self) -> Timestamp {
        let late = self.asked_at.plus_seconds(DECISION_DAYS.saturating_mul(DAY));
        let next =
            self.asked_at.utc().year().checked_add(1).and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
        let over = next.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|t| t.and_utc().timestamp_micros());
        over.map_or(late, |over| late.min(Timestamp::from_micros(over)))
    }

    /// Where the request stands.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> PruningState {
        match self.decision {
            None if now >= self.lapses_at() => PruningState::Lapsed,
            None => PruningState::Waiting,
            Some(PruningOpinion::Refused) => PruningState::Refused,
            Some(PruningOpinion::Confirmed) if self.left => PruningState::Running,
            Some(PruningOpinion::Confirmed) => PruningState::Done,
        }
    }

    /// Whether a decision by this person can be taken now.
    ///
    /// # Errors
    /// [`PruningError::OwnRequest`], [`PruningError::State`].
    pub fn accepts_decision(&self, by: &ProfessionalId, now: Timestamp) -> Result<(), PruningError> {
        // THREAT: one person with two affectations. Persons are compared, not what they act under.
        if self.asker == *by {
            return Err(PruningError::OwnRequest);
        }
        match self.state(now) {
            PruningState::Waiting => Ok(()),
            state => Err(PruningError::State(state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(letter: &str) -> ProfessionalId {
        ProfessionalId::parse(&letter.repeat(26)).unwrap()
    }

    fn midnight(year: i32, month: u32, day: u32) -> Timestamp {
        Timestamp::paris_midnight(NaiveDate::from_ymd_opt(year, month, day).unwrap())
    }

    #[test]
    fn law_6_technical_records_are_kept_a_year_at_least_and_as_long_as_the_charter_says() {
        let noon = midnight(2028, 3, 10).plus_seconds(12 * 3600);
        let class = RetentionClass::Technical;
        assert_eq!(
            latest_day(limit(class, 36, noon).unwrap()),
            NaiveDate::from_ymd_opt(2025, 3, 10).unwrap()
        );
        // A charter that would say less is held to the law's days; 2028 has a 29 February.
        let least = limit(class, 6, noon).unwrap();
        assert_eq!(least, noon.plus_seconds(-365 * DAY));
        assert_eq!(latest_day(least), NaiveDate::from_ymd_opt(2027, 3, 11).unwrap());
        assert_eq!(limit(class, 12, noon).unwrap(), midnight(2027, 3, 10));
        // The hour that summer time takes away never makes it less than 365 days.
        for hours in 0..(800 * 24) {
            let now = midnight(2027, 1, 1).plus_seconds(hours * 3600);
            let limit = limit(class, 12, now).unwrap();
            assert!(limit <= now.plus_seconds(-365 * DAY));
            assert!(Timestamp::paris_midnight(latest_day(limit)) <= limit);
        }
        assert_eq!(limit(RetentionClass::Disclosure, 12, noon), None, "kept with the pathway, then archived");
    }

    #[test]
    fn law_6_a_year_of_pseudonyms_lasts_as_long_as_its_last_record() {
        let over = year_over(RetentionClass::Technical, 2026, 12).unwrap();
        assert_eq!(over, midnight(2028, 1, 2));
        assert!(over > year_over(RetentionClass::Technical, 2025, 12).unwrap());
        assert_eq!(year_over(RetentionClass::Technical, 2026, 36), Some(midnight(2030, 1, 2)));
        // LAW: C. civ. 2235. Born on the last day of 2026, 23 on the last day of 2049.
        assert_eq!(year_over(RetentionClass::Disclosure, 2026, 12), Some(midnight(2050, 1, 2)));
    }

    #[test]
    fn a_request_is_decided_once_by_somebody_else_and_in_time() {
        let asked = midnight(2028, 3, 10);
        let of = |decision, left| Pruning::new((person("a"), asked), decision, left);
        let waiting = of(None, true).unwrap();
        assert_eq!(waiting.accepts_decision(&person("e"), asked), Ok(()));
        assert_eq!(waiting.accepts_decision(&person("a"), asked), Err(PruningError::OwnRequest));
        let end = asked.plus_seconds(DECISION_DAYS * DAY);
        assert_eq!(waiting.accepts_decision(&person("e"), end.plus_micros(-1)), Ok(()));
        let lapsed = Err(PruningError::State(PruningState::Lapsed));
        assert_eq!(waiting.accepts_decision(&person("e"), end), lapsed);
        // The last moment of a year, and the first of the next: pseudonyms are others.
        let eve = midnight(2029, 1, 1).plus_seconds(3599);
        let late = Pruning::new((person("a"), eve), None, true).unwrap();
        assert_eq!(late.accepts_decision(&person("e"), eve), Ok(()));
        assert_eq!(late.accepts_decision(&person("e"), eve.plus_seconds(1)), lapsed);
        assert_eq!((waiting.lapses_at(), late.lapses_at()), (end, eve.plus_seconds(1)));
        for (opinion, left, state) in [
            (PruningOpinion::Confirmed, true, PruningState::Running),
            (PruningOpinion::Confirmed, false, PruningState::Done),
            (PruningOpinion::Refused, true, PruningState::Refused),
        ] {
            let decided = of(Some((opinion, person("e"))), left).unwrap();
            assert_eq!(decided.accepts_decision(&person("i"), asked), Err(PruningError::State(state)));
        }
        assert_eq!(of(Some((PruningOpinion::Confirmed, person("a"))), true), Err(PruningError::OnePerson));
    }
}
