//! Emergency (S13): an opening of identity and minimal health by somebody who already takes part, for a day at most, with
//! a written reason, looked at afterwards by the data protection officer.
//!
//! LAW: CP 223-6 and 226-14, CASF L226-4 II. The duty to help somebody in peril binds everyone; calls come first. This is
//! the design's reading of it (marked so in LAW §5): little, for a short time, told at once, reviewed.
//!
//! INVARIANTS
//! * What is opened is an [`EmergencyCategory`]: nothing else can be expressed.
//! * The end is worked out from the beginning and stored nowhere: no row can prolong an opening, only shorten it.
//! * Nobody reviews an opening of one's own.
//!
//! It decides on nobody's access: that is `access`.

use serde::{Deserialize, Serialize};

use super::cell::{Cell, Need, Reason};
use super::vocabulary::{Category, code_enum};
use crate::clock::Timestamp;
use crate::ids::{AssignmentId, EmergencyId, ParticipationId, ProfessionalId};

const HOUR: i64 = 3600;
/// LAW §5: at most a day.
pub const OPEN_HOURS: i64 = 24;
/// LAW §5: looked at within three days of the opening.
pub const REVIEW_HOURS: i64 = 72;
/// Openings of one place within this many days count together.
pub const REPEAT_DAYS: i64 = 7;
/// From this many within that time on, no further one opens: it is no emergency any more, and an accord or a statutory
/// share is the way.
pub const MOST_REPEATS: usize = 3;

code_enum! {
    /// All that an emergency can open.
    EmergencyCategory, "category of an emergency" {
        Identity = "identity", "Identité et contact";
        HealthMinimal = "health_minimal", "Santé : le strict nécessaire";
    }
}

impl EmergencyCategory {
    /// The category of the charter that it is.
    #[must_use]
    pub const fn category(self) -> Category {
        match self {
            Self::Identity => Category::Identity,
            Self::HealthMinimal => Category::HealthMinimal,
        }
    }

    /// LAW: never judicial, affective, evaluation or detailed health; never anything else either.
    #[must_use]
    pub const fn of(category: Category) -> Option<Self> {
        match category {
            Category::Identity => Some(Self::Identity),
            Category::HealthMinimal => Some(Self::HealthMinimal),
            Category::Schooling
            | Category::Family
            | Category::Housing
            | Category::HealthDetailed
            | Category::Judicial
            | Category::Leisure
            | Category::Mobility
            | Category::Integration
            | Category::Affective
            | Category::Evaluation
            | Category::Practical => None,
        }
    }
}

/// Gate 5 of an emergency: whether this category, under this cell, may be opened at all. A replay of a recorded decision
/// asks the same.
///
/// # Errors
/// [`Reason::CeilingNever`]: ambiguity denies, and nothing turns `N` into a permit (LAW §4).
pub const fn emergency_opens(category: Category, cell: Cell) -> Result<EmergencyCategory, Reason> {
    match (EmergencyCategory::of(category), cell.need()) {
        (Some(opened), Need::Opening | Need::Category | Need::Informed) => Ok(opened),
        (Some(_), Need::Never) | (None, _) => Err(Reason::CeilingNever),
    }
}

code_enum! {
    /// What a review finds.
    EmergencyOutcome, "outcome of a review" {
        Justified = "justified", "Justifié";
        NotJustified = "not_justified", "Non justifié";
        ToFollowUp = "to_follow_up", "Suites à donner";
    }
}

code_enum! {
    /// LAW §5: the persons concerned are informed afterwards, unless it is contrary to the child's interest.
    FamilyTelling, "whether the family is to be told" {
        ToTell = "to_tell", "À dire au jeune et à sa famille";
        ContraryToInterest = "contrary_to_interest", "Contraire à l'intérêt de l'enfant : ne pas le dire";
    }
}

/// An opening, as it was made. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyOpening {
    id: EmergencyId,
    place: ParticipationId,
    assignment: AssignmentId,
    professional: ProfessionalId,
    at: Timestamp,
}

/// What happened to an opening afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EmergencyEventKind {
    /// Its author needs it no longer.
    Ended,
    /// Looked at, by this person.
    Reviewed { by: ProfessionalId, outcome: EmergencyOutcome, family: FamilyTelling },
    /// The young person and the family know.
    FamilyTold,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyEvent {
    pub emergency: EmergencyId,
    pub at: Timestamp,
    pub kind: EmergencyEventKind,
}

/// Why something cannot be done to an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmergencyError {
    #[error("this place has an opening in force; wait for its end")]
    AlreadyOpen,
    #[error("too many openings of this place within `{REPEAT_DAYS}` days; share by accord or by the statute")]
    TooMany,
    #[error("nobody reviews an opening of one's own; let another officer do it")]
    OwnOpening,
    #[error("this opening is reviewed already")]
    AlreadyReviewed,
}

impl EmergencyOpening {
    /// A new opening of a place, given those made on the pathway before it.
    ///
    /// # Errors
    /// [`EmergencyError::AlreadyOpen`] (nothing prolongs an opening), [`EmergencyError::TooMany`].
    pub fn open(
        id: EmergencyId,
        place: ParticipationId,
        by: (AssignmentId, ProfessionalId),
        at: Timestamp,
        before: &[Emergency],
    ) -> Result<Self, EmergencyError> {
        let (assignment, professional) = by;
        let own = || before.iter().filter(|e| e.opening.professional == professional);
        if own().any(|e| e.in_force(at)) {
            return Err(EmergencyError::AlreadyOpen);
        }
        let since = at.plus_seconds(-REPEAT_DAYS.saturating_mul(24 * HOUR));
        if own().filter(|e| e.opening.at > since).count() >= MOST_REPEATS {
            return Err(EmergencyError::TooMany);
        }
        Ok(Self { id, place, assignment, professional, at })
    }
}

/// An opening with what happened to it.
#[derive(Clone, Debug)]
pub struct Emergency {
    opening: EmergencyOpening,
    events: Vec<EmergencyEvent>,
}

/// A review, as it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmergencyReview {
    pub at: Timestamp,
    pub outcome: EmergencyOutcome,
    pub family: FamilyTelling,
}

impl Emergency {
    /// An opening with those of `events` that speak of it.
    #[must_use]
    pub fn new(opening: EmergencyOpening, events: &[EmergencyEvent]) -> Self {
        let events = events.iter().filter(|e| e.emergency == opening.id).cloned().collect();
        Self { opening, events }
    }

    #[must_use]
    pub const fn id(&self) -> &EmergencyId {
        &self.opening.id
    }

    /// The place in the circle whose holder opened it.
    #[must_use]
    pub const fn place(&self) -> &ParticipationId {
        &self.opening.place
    }

    #[must_use]
    pub const fn assignment(&self) -> &AssignmentId {
        &self.opening.assignment
    }

    #[must_use]
    pub const fn professional(&self) -> &ProfessionalId {
        &self.opening.professional
    }

    #[must_use]
    pub const fn opened_at(&self) -> Timestamp {
        self.opening.at
    }

    /// When its author ended it, if so.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.events.iter().find(|e| e.kind == EmergencyEventKind::Ended).map(|e| e.at)
    }

    /// From when on nothing is open: a day after the beginning, or its author's word before that.
    #[must_use]
    pub fn closes_at(&self) -> Timestamp {
        let latest = self.opening.at.plus_seconds(OPEN_HOURS * HOUR);
        self.ended_at().map_or(latest, |t| t.min(latest))
    }

    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.opening.at <= now && now < self.closes_at()
    }

    /// By when it must have been reviewed.
    #[must_use]
    pub const fn review_due(&self) -> Timestamp {
        self.opening.at.plus_seconds(REVIEW_HOURS * HOUR)
    }

    #[must_use]
    pub fn review(&self) -> Option<EmergencyReview> {
        self.events.iter().find_map(|e| match &e.kind {
            EmergencyEventKind::Reviewed { outcome, family, by: _ } => {
                Some(EmergencyReview { at: e.at, outcome: *outcome, family: *family })
            }
            EmergencyEventKind::Ended | EmergencyEventKind::FamilyTold => None,
        })
    }

    /// Not reviewed though the time for it is over.
    #[must_use]
    pub fn review_overdue(&self, now: Timestamp) -> bool {
        self.review().is_none() && now >= self.review_due()
    }

    /// Reviewed, to be told, and nobody has noted yet that the family knows.
    #[must_use]
    pub fn family_waits(&self) -> bool {
        let told = self.events.iter().any(|e| e.kind == EmergencyEventKind::FamilyTold);
        self.review().is_some_and(|r| r.family == FamilyTelling::ToTell) && !told
    }

    /// Whether another opening of the same person stood within the days before it: told to whoever reviews.
    #[must_use]
    pub fn repeated(&self, all: &[Self]) -> bool {
        let since = self.opening.at.plus_seconds(-REPEAT_DAYS.saturating_mul(24 * HOUR));
        all.iter().any(|e| {
            e.opening.professional == self.opening.professional
                && e.opening.at < self.opening.at
                && e.opening.at > since
        })
    }

    /// Whether this person may review it.
    ///
    /// # Errors
    /// [`EmergencyError`].
    pub fn accepts_review(&self, by: &ProfessionalId) -> Result<(), EmergencyError> {
        if *by == self.opening.professional {
            return Err(EmergencyError::OwnOpening);
        }
        match self.review() {
            Some(_) => Err(EmergencyError::AlreadyReviewed),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Chance, NoChance};

    struct Fixed(u8);

    impl Chance for Fixed {
        fn fill(&self, into: &mut [u8]) -> Result<(), NoChance> {
            into.fill(self.0);
            Ok(())
        }
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_micros(0).plus_seconds(hours * HOUR)
    }

    fn open(n: u8, hours: i64, before: &[Emergency]) -> Result<Emergency, EmergencyError> {
        let by = (AssignmentId::random(&Fixed(1)).unwrap(), ProfessionalId::random(&Fixed(1)).unwrap());
        let place = ParticipationId::random(&Fixed(1)).unwrap();
        EmergencyOpening::open(EmergencyId::random(&Fixed(n)).unwrap(), place, by, at(hours), before)
            .map(|o| Emergency::new(o, &[]))
    }

    fn with(mut emergency: Emergency, hours: i64, kind: EmergencyEventKind) -> Emergency {
        let event = EmergencyEvent { emergency: emergency.id().clone(), at: at(hours), kind };
        emergency.events.push(event);
        emergency
    }

    #[test]
    fn law_5_an_emergency_lasts_a_day_at_most_and_nothing_prolongs_it() {
        let first = open(1, 0, &[]).unwrap();
        assert!(first.in_force(at(0)) && first.in_force(at(24).plus_micros(-1)) && !first.in_force(at(24)));
        assert_eq!(open(2, 23, std::slice::from_ref(&first)).unwrap_err(), EmergencyError::AlreadyOpen);
        assert!(open(2, 24, std::slice::from_ref(&first)).is_ok());
        let ended = with(first, 3, EmergencyEventKind::Ended);
        assert!(!ended.in_force(at(3)) && ended.in_force(at(2)));
        let late = with(open(3, 0, &[]).unwrap(), 30, EmergencyEventKind::Ended);
        assert_eq!(late.closes_at(), at(24), "an end that comes later prolongs nothing");
    }

    #[test]
    fn repeated_openings_are_flagged_and_bounded() {
        let mut all = vec![open(1, 0, &[]).unwrap()];
        all.push(open(2, 30, &all).unwrap());
        all.push(open(3, 60, &all).unwrap());
        assert!(!all[0].repeated(&all) && all[1].repeated(&all) && all[2].repeated(&all));
        assert_eq!(open(4, 100, &all).unwrap_err(), EmergencyError::TooMany);
        let week = REPEAT_DAYS * 24;
        assert!(open(4, week, &all).is_ok(), "the first is a week old");
    }

    #[test]
    fn law_5_a_review_is_due_within_three_days_and_is_not_ones_own() {
        let e = open(1, 0, &[]).unwrap();
        assert!(!e.review_overdue(at(72).plus_micros(-1)) && e.review_overdue(at(72)));
        let other = ProfessionalId::random(&Fixed(2)).unwrap();
        assert_eq!(e.accepts_review(e.professional()), Err(EmergencyError::OwnOpening));
        assert_eq!(e.accepts_review(&other), Ok(()));
        let (outcome, family) = (EmergencyOutcome::Justified, FamilyTelling::ToTell);
        let done = with(e, 80, EmergencyEventKind::Reviewed { by: other.clone(), outcome, family });
        assert!(!done.review_overdue(at(100)) && done.family_waits());
        assert_eq!(done.accepts_review(&other), Err(EmergencyError::AlreadyReviewed));
        assert!(!with(done, 90, EmergencyEventKind::FamilyTold).family_waits());
    }

    #[test]
    fn law_5_an_emergency_never_opens_judicial_affective_evaluation_or_detailed_health() {
        let opened: Vec<Category> =
            Category::ALL.iter().copied().filter(|c| EmergencyCategory::of(*c).is_some()).collect();
        assert_eq!(opened, [Category::Identity, Category::HealthMinimal]);
        for c in EmergencyCategory::ALL {
            assert_eq!(EmergencyCategory::of(c.category()), Some(*c));
        }
    }
}
