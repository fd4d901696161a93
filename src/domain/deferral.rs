//! A line of « Qui a regardé ? » that is kept back for a while: asked for from a motive, decided by a second person, and
//! over by itself on its review day.
//!
//! INVARIANTS
//! * Two persons: whoever asks never decides, and who decides is a manager of the organisation that asked.
//! * It lasts thirty Paris days at most, is pushed by a review made in time only, and hides nothing once it is over.
//! * It keeps no words: the reasoning is sealed beside it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::vocabulary::{Function, Profession, Purpose, code_enum};
use crate::clock::{self, Timestamp};
use crate::ids::{AssignmentId, DeferralId, HolderId, MissionId, OrganisationId, ProfessionalId};

/// LAW §5: as for every exception to informing, a second person looks again within thirty days.
pub const DEFERRAL_DAYS: u64 = 30;

/// A deferral, or a decision on one, that cannot be recorded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DeferralError {
    #[error("the first day `{from}` comes after the last day `{until}`: exchange them")]
    EmptyPeriod { from: NaiveDate, until: NaiveDate },
    #[error("the second person is a manager, not a `{0}`")]
    NotAManager(Function),
    #[error("the second person belongs to the organisation that asked")]
    AnotherOrganisation,
    #[error("the second person is another professional than the one who asked")]
    IsTheAsker,
    #[error("give the review day: after the decision, and on `{0}` at the latest")]
    ReviewDay(NaiveDate),
    #[error("this is over: ask again if it is still needed")]
    Over,
}

code_enum! {
    /// Why somebody who has the right to know is told later (RGPD 15(4), 23; LAW §6).
    DeferralMotive, "deferral motive" {
        ChildInterest = "child_interest", "L'intérêt de l'enfant";
        JudicialAct = "judicial_act", "Un acte de justice en cours";
        ParentSafety = "parent_safety", "La sécurité d'un parent";
        ThirdPersonSafety = "third_person_safety", "La sécurité d'une autre personne";
    }
}

/// Whose sheets lack the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum DeferredFor {
    YoungPerson,
    /// Everybody who holds authority.
    Parents,
    Holder(HolderId),
    Everybody,
}

impl From<DeferredFor> for String {
    fn from(whose: DeferredFor) -> Self {
        match whose {
            DeferredFor::YoungPerson => "young_person".to_owned(),
            DeferredFor::Parents => "parents".to_owned(),
            DeferredFor::Holder(id) => id.as_str().to_owned(),
            DeferredFor::Everybody => "everybody".to_owned(),
        }
    }
}

impl TryFrom<String> for DeferredFor {
    type Error = crate::ids::InvalidId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "young_person" => Ok(Self::YoungPerson),
            "parents" => Ok(Self::Parents),
            "everybody" => Ok(Self::Everybody),
            id => HolderId::parse(id).map(Self::Holder),
        }
    }
}

/// For whom a sheet is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SheetFor {
    YoungPerson,
    Holder(HolderId),
    /// A parent, where the maker of the sheet may not know which one.
    SomeParent,
}

impl DeferredFor {
    /// Whether a sheet for this person lacks the lines. Where it is not known which parent, the safest answer counts.
    #[must_use]
    pub fn reaches(&self, sheet: &SheetFor) -> bool {
        match (self, sheet) {
            (Self::Everybody, _)
            | (Self::YoungPerson, SheetFor::YoungPerson)
            | (Self::Parents, SheetFor::Holder(_) | SheetFor::SomeParent)
            | (Self::Holder(_), SheetFor::SomeParent) => true,
            (Self::Holder(deferred), SheetFor::Holder(id)) => deferred == id,
            (Self::YoungPerson, SheetFor::Holder(_) | SheetFor::SomeParent)
            | (Self::Parents | Self::Holder(_), SheetFor::YoungPerson) => false,
        }
    }
}

/// Who makes the sheets that a deferral is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SheetMaker {
    /// The référent, whoever it is by then.
    Referent,
    /// The manager of a service that takes part unknown to others.
    Service { organisation: OrganisationId, mission: MissionId },
}

impl SheetMaker {
    /// Whether a manager of this mission may learn who makes the sheet. LAW: S11. Only the manager of the same mission
    /// knows of a service that takes part unknown to others.
    #[must_use]
    pub fn may_be_known_in(&self, manager: &MissionId) -> bool {
        match self {
            Self::Referent => true,
            Self::Service { mission, .. } => mission == manager,
        }
    }
}

/// Which lines: those of a service and profession, for one purpose or any, of these days, to come included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeferredLines {
    pub organisation: OrganisationId,
    pub profession: Profession,
    pub purpose: Option<Purpose>,
    pub from: Option<NaiveDate>,
    /// The last day.
    pub until: Option<NaiveDate>,
}

impl DeferredLines {
    /// Whether this line is one of them.
    #[must_use]
    pub fn cover(
        &self,
        organisation: &OrganisationId,
        profession: Profession,
        purpose: Option<Purpose>,
        on: NaiveDate,
    ) -> bool {
        self.organisation == *organisation
            && self.profession == profession
            && self.purpose.is_none_or(|p| purpose == Some(p))
            && self.from.is_none_or(|day| day <= on)
            && self.until.is_none_or(|day| on <= day)
    }
}

/// Who decides beside the asker, as the assignment stood at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decider {
    pub assignment: AssignmentId,
    pub professional: ProfessionalId,
    pub organisation: OrganisationId,
    pub function: Function,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Event {
    /// Kept back until this day, when it is looked at again.
    KeptBack { at: Timestamp, by: Decider, review_on: NaiveDate },
    /// Told: not kept back, or no longer.
    Told { at: Timestamp, by: Decider },
    /// Whoever makes the sheets needs it no more.
    Ended { at: Timestamp, by: AssignmentId },
}

/// Where a deferral stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeferralState {
    /// Nobody has decided yet: nothing is kept back.
    Asked,
    KeptBack {
        review_on: NaiveDate,
    },
    /// Refused, ended, or over without a review.
    Over,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct DeferralDraft {
    pub id: DeferralId,
    pub asked_by: AssignmentId,
    pub asker: ProfessionalId,
    pub organisation: OrganisationId,
    pub asked_at: Timestamp,
    pub maker: SheetMaker,
    pub whose: DeferredFor,
    pub lines: DeferredLines,
    pub motive: DeferralMotive,
}

/// A deferral with what was decided on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deferral {
    id: DeferralId,
    asked_by: AssignmentId,
    asker: ProfessionalId,
    organisation: OrganisationId,
    asked_at: Timestamp,
    maker: SheetMaker,
    whose: DeferredFor,
    lines: DeferredLines,
    motive: DeferralMotive,
    events: Vec<Event>,
}

impl Deferral {
    /// # Errors
    /// A period that ends before it begins.
    pub fn new(draft: DeferralDraft) -> Result<Self, DeferralError> {
        if let (Some(from), Some(until)) = (draft.lines.from, draft.lines.until)
            && until < from
        {
            return Err(DeferralError::EmptyPeriod { from, until });
        }
        Ok(Self {
            id: draft.id,
            asked_by: draft.asked_by,
            asker: draft.asker,
            organisation: draft.organisation,
            asked_at: draft.asked_at,
            maker: draft.maker,
            whose: draft.whose,
            lines: draft.lines,
            motive: draft.motive,
            events: Vec::new(),
        })
    }

    #[must_use]
    pub const fn id(&self) -> &DeferralId {
        &self.id
    }

    #[must_use]
    pub const fn asked_by(&self) -> &AssignmentId {
        &self.asked_by
    }

    /// The organisation that asked, whose manager decides.
    #[must_use]
    pub const fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    #[must_use]
    pub const fn asked_at(&self) -> Timestamp {
        self.asked_at
    }

    #[must_use]
    pub const fn maker(&self) -> &SheetMaker {
        &self.maker
    }

    #[must_use]
    pub const fn whose(&self) -> &DeferredFor {
        &self.whose
    }

    #[must_use]
    pub const fn lines(&self) -> &DeferredLines {
        &self.lines
    }

    #[must_use]
    pub const fn motive(&self) -> DeferralMotive {
        self.motive
    }

    /// Where it stands on a day.
    #[must_use]
    pub fn state_on(&self, day: NaiveDate) -> DeferralState {
        match self.events.last() {
            None => DeferralState::Asked,
            Some(Event::KeptBack { review_on, .. }) if day < *review_on => {
                DeferralState::KeptBack { review_on: *review_on }
            }
            Some(Event::KeptBack { .. } | Event::Told { .. } | Event::Ended { .. }) => DeferralState::Over,
        }
    }

    /// The moment at which time alone ends it.
    #[must_use]
    pub fn turns_at(&self) -> Option<Timestamp> {
        match self.events.last() {
            Some(Event::KeptBack { review_on, .. }) => Some(Timestamp::paris_midnight(*review_on)),
            Some(Event::Told { .. } | Event::Ended { .. }) | None => None,
        }
    }

    /// The review day, where this sheet lacks this line today.
    #[must_use]
    pub fn keeps_back(
        &self,
        maker: &SheetMaker,
        sheet: &SheetFor,
        covered: impl FnOnce(&DeferredLines) -> bool,
        today: NaiveDate,
    ) -> Option<NaiveDate> {
        match self.state_on(today) {
            DeferralState::KeptBack { review_on } => {
                (self.maker == *maker && self.whose.reaches(sheet) && covered(&self.lines))
                    .then_some(review_on)
            }
            DeferralState::Asked | DeferralState::Over => None,
        }
    }

    /// Whether this person may decide: a manager of the organisation that asked, who is somebody else.
    ///
    /// # Errors
    /// [`DeferralError`] naming what this person is not.
    pub fn accepts(&self, by: &Decider) -> Result<(), DeferralError> {
        match by.function {
            Function::Manager => {}
            Function::Practitioner | Function::Secretary => {
                return Err(DeferralError::NotAManager(by.function));
            }
        }
        if by.organisation != self.organisation {
            return Err(DeferralError::AnotherOrganisation);
        }
        if by.professional == self.asker || by.assignment == self.asked_by {
            return Err(DeferralError::IsTheAsker);
        }
        Ok(())
    }

    /// A decision: with a review day the lines are kept back until then, without one they are told. The first, or a
    /// review of one that is still in force.
    ///
    /// # Errors
    /// [`DeferralError`]; a review that comes after the review day revives nothing.
    pub fn decided(
        mut self,
        by: Decider,
        at: Timestamp,
        review_on: Option<NaiveDate>,
    ) -> Result<Self, DeferralError> {
        self.accepts(&by)?;
        let today = at.paris_day();
        match self.state_on(today) {
            DeferralState::Asked | DeferralState::KeptBack { .. } => {}
            DeferralState::Over => return Err(DeferralError::Over),
        }
        let event = match review_on {
            None => Event::Told { at, by },
            Some(review_on) => {
                let latest = clock::plus_days(today, DEFERRAL_DAYS).unwrap_or(today);
                if review_on <= today || review_on > latest {
                    return Err(DeferralError::ReviewDay(latest));
                }
                Event::KeptBack { at, by, review_on }
            }
        };
        self.events.push(event);
        Ok(self)
    }

    /// Whoever makes the sheets ends it: the lines appear again.
    ///
    /// # Errors
    /// What is over cannot end.
    pub fn ended(mut self, by: AssignmentId, at: Timestamp) -> Result<Self, DeferralError> {
        match self.state_on(at.paris_day()) {
            DeferralState::Asked | DeferralState::KeptBack { .. } => {}
            DeferralState::Over => return Err(DeferralError::Over),
        }
        self.events.push(Event::Ended { at, by });
        Ok(self)
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

    fn day(d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2027, 3, d).unwrap()
    }

    fn noon(d: u32) -> Timestamp {
        Timestamp::paris_midnight(day(d)).plus_seconds(12 * 3600)
    }

    fn holder(n: u8) -> HolderId {
        HolderId::random(&Fixed(n)).unwrap()
    }

    fn asked() -> Deferral {
        Deferral::new(DeferralDraft {
            id: DeferralId::random(&Fixed(1)).unwrap(),
            asked_by: AssignmentId::random(&Fixed(2)).unwrap(),
            asker: ProfessionalId::random(&Fixed(2)).unwrap(),
            organisation: OrganisationId::random(&Fixed(3)).unwrap(),
            asked_at: noon(1),
            maker: SheetMaker::Referent,
            whose: DeferredFor::Holder(holder(5)),
            lines: DeferredLines {
                organisation: OrganisationId::random(&Fixed(4)).unwrap(),
                profession: Profession::Teacher,
                purpose: None,
                from: Some(day(1)),
                until: None,
            },
            motive: DeferralMotive::ParentSafety,
        })
        .unwrap()
    }

    fn manager(n: u8, organisation: u8, function: Function) -> Decider {
        Decider {
            assignment: AssignmentId::random(&Fixed(n)).unwrap(),
            professional: ProfessionalId::random(&Fixed(n)).unwrap(),
            organisation: OrganisationId::random(&Fixed(organisation)).unwrap(),
            function,
        }
    }

    fn kept(deferral: &Deferral, sheet: &SheetFor, d: u32) -> Option<NaiveDate> {
        deferral.keeps_back(&SheetMaker::Referent, sheet, |_| true, day(d))
    }

    #[test]
    fn law_a_second_person_who_is_a_manager_and_did_not_ask_decides() {
        let tries = [
            (manager(9, 3, Function::Practitioner), DeferralError::NotAManager(Function::Practitioner)),
            (manager(9, 3, Function::Secretary), DeferralError::NotAManager(Function::Secretary)),
            (manager(9, 4, Function::Manager), DeferralError::AnotherOrganisation),
            (manager(2, 3, Function::Manager), DeferralError::IsTheAsker),
        ];
        for (who, error) in tries {
            assert_eq!(asked().decided(who, noon(1), Some(day(8))), Err(error));
        }
        assert!(asked().decided(manager(9, 3, Function::Manager), noon(1), Some(day(8))).is_ok());
    }

    #[test]
    fn law_nothing_is_kept_back_before_the_decision_nor_from_the_review_day_on() {
        let sheet = SheetFor::Holder(holder(5));
        assert_eq!(kept(&asked(), &sheet, 1), None);
        let by = || manager(9, 3, Function::Manager);
        let one = asked().decided(by(), noon(1), Some(day(8))).unwrap();
        assert_eq!((kept(&one, &sheet, 7), kept(&one, &sheet, 8)), (Some(day(8)), None));
        assert_eq!(one.clone().decided(by(), noon(8), Some(day(20))), Err(DeferralError::Over));
        let pushed = one.clone().decided(by(), noon(7), Some(day(20))).unwrap();
        assert_eq!(kept(&pushed, &sheet, 19), Some(day(20)));
        let told = one.clone().decided(by(), noon(7), None).unwrap();
        assert_eq!(kept(&told, &sheet, 7), None);
        let ended = one.ended(AssignmentId::random(&Fixed(2)).unwrap(), noon(3)).unwrap();
        assert_eq!((kept(&ended, &sheet, 3), ended.state_on(day(3))), (None, DeferralState::Over));
    }

    #[test]
    fn law_a_review_comes_within_thirty_days() {
        let by = || manager(9, 3, Function::Manager);
        let limit = Err(DeferralError::ReviewDay(day(31)));
        for review in [day(1), day(31).succ_opt().unwrap()] {
            assert_eq!(asked().decided(by(), noon(1), Some(review)), limit);
        }
        assert!(asked().decided(by(), noon(1), Some(day(31))).is_ok());
    }

    #[test]
    fn a_deferral_reaches_those_whom_it_names_and_any_parent_where_nobody_knows_which() {
        let (one, other) = (SheetFor::Holder(holder(5)), SheetFor::Holder(holder(6)));
        let reach = |whose: &DeferredFor| {
            [SheetFor::YoungPerson, one.clone(), other.clone(), SheetFor::SomeParent]
                .map(|s| whose.reaches(&s))
        };
        assert_eq!(reach(&DeferredFor::YoungPerson), [true, false, false, false]);
        assert_eq!(reach(&DeferredFor::Parents), [false, true, true, true]);
        assert_eq!(reach(&DeferredFor::Holder(holder(5))), [false, true, false, true]);
        assert_eq!(reach(&DeferredFor::Everybody), [true; 4]);
    }

    #[test]
    fn lines_are_those_of_a_service_a_profession_a_purpose_and_days() {
        let organisation = OrganisationId::random(&Fixed(4)).unwrap();
        let other = OrganisationId::random(&Fixed(3)).unwrap();
        let lines = DeferredLines {
            organisation: organisation.clone(),
            profession: Profession::Teacher,
            purpose: Some(Purpose::Schooling),
            from: Some(day(2)),
            until: Some(day(3)),
        };
        let teacher = Profession::Teacher;
        let schooling = Some(Purpose::Schooling);
        assert!(lines.cover(&organisation, teacher, schooling, day(2)));
        assert!(lines.cover(&organisation, teacher, schooling, day(3)));
        assert!(!lines.cover(&organisation, teacher, schooling, day(1)));
        assert!(!lines.cover(&organisation, teacher, schooling, day(4)));
        assert!(!lines.cover(&organisation, teacher, None, day(2)));
        assert!(!lines.cover(&organisation, Profession::SchoolHealth, schooling, day(2)));
        assert!(!lines.cover(&other, teacher, schooling, day(2)));
    }

    #[test]
    fn s11_a_hidden_service_is_known_to_the_manager_of_its_own_mission_only() {
        let [own, other] = ["b", "c"].map(|n| MissionId::parse(&format!("{n}{}", "a".repeat(25))).unwrap());
        let organisation = OrganisationId::random(&Fixed(3)).unwrap();
        let service = SheetMaker::Service { organisation, mission: own.clone() };
        assert!(service.may_be_known_in(&own) && !service.may_be_known_in(&other));
        assert!(SheetMaker::Referent.may_be_known_in(&other));
    }

    #[test]
    fn a_deferral_reads_back_from_its_stored_form() {
        let kept = asked().decided(manager(9, 3, Function::Manager), noon(1), Some(day(8))).unwrap();
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Deferral>(&text).unwrap(), kept);
    }
}
