//! Re-identification (S4): an auditor asks, for a stated reason, whom a pseudonym of the log stands for; a second person
//! confirms or refuses; the asker then reads the answer, once.
//!
//! LAW: RGPD 5(1)c, 32; CNIL 2021-122. The log is read by pseudonym; a name is told where a closed list of reasons needs it.
//! LAW: L1121-1 code du travail. None of these reasons is the appraisal of somebody.
//!
//! INVARIANTS
//! * A request is never in two states: it is decided once, and read at most once, after a confirmation.
//! * Nobody decides on a request of their own, under whichever assignment.
//! * Time closes a request by itself: undecided after [`DECISION_DAYS`], unread [`READING_DAYS`] after its confirmation.
//!
//! It knows neither records nor people: who is concerned by a record, and who may be second, is decided where those are read.

use super::vocabulary::code_enum;
use crate::clock::Timestamp;
use crate::ids::{AssignmentId, ProfessionalId};

const DAY: i64 = 24 * 3600;
/// A request that nobody decided on lapses: its reason is no longer of the day.
pub const DECISION_DAYS: i64 = 30;
/// The answer is read within this many days of the confirmation.
pub const READING_DAYS: i64 = 7;

code_enum! {
    /// Whose pseudonym.
    PseudonymOf, "kind of pseudonym" {
        Actor = "actor", "La personne qui a agi";
        Pathway = "pathway", "Le parcours concerné";
    }
}

code_enum! {
    /// Why. There is no other reason, and none that judges somebody's work.
    ReidentificationMotive, "motive of a re-identification" {
        PersonsRequest = "persons_request", "Une personne concernée exerce ses droits";
        IrregularAccess = "irregular_access", "Un accès qui paraît irrégulier";
        DataBreach = "data_breach", "Une violation de données à établir";
        Authority = "authority", "Une autorité le demande par écrit";
    }
}

code_enum! {
    /// What the second person says.
    SecondOpinion, "decision on a re-identification" {
        Confirmed = "confirmed", "Je confirme : l'identité peut être lue une fois";
        Refused = "refused", "Je refuse : elle ne sera pas lue";
    }
}

code_enum! {
    /// Where a request stands.
    ReidentificationState, "state of a re-identification" {
        Waiting = "waiting", "En attente d'une seconde personne";
        Lapsed = "lapsed", "Sans décision, close";
        Refused = "refused", "Refusée";
        Open = "open", "Confirmée, à lire";
        Expired = "expired", "Confirmée, jamais lue, close";
        Read = "read", "Lue";
    }
}

impl ReidentificationState {
    /// Whether something can still happen to it.
    #[must_use]
    pub const fn runs(self) -> bool {
        match self {
            Self::Waiting | Self::Open => true,
            Self::Lapsed | Self::Refused | Self::Expired | Self::Read => false,
        }
    }
}

/// Why a step of a request cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReidentificationError {
    #[error("the steps of a request do not follow each other; look at its rows in `reidentification_step`")]
    Disordered,
    #[error("nobody decides on a request of their own; ask a second person")]
    OwnRequest,
    #[error("only the assignment that asked reads the answer")]
    NotTheAsker,
    #[error("the request is in state `{0}`, which does not allow this; look at its state, or ask again")]
    State(ReidentificationState),
}

/// A request, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reidentification {
    asker: ProfessionalId,
    asked_under: AssignmentId,
    asked_at: Timestamp,
    decision: Option<(SecondOpinion, Timestamp)>,
    read: bool,
}

impl Reidentification {
    /// A request of `asker` under an assignment, with what was decided, and by whom, and whether it was read.
    ///
    /// # Errors
    /// [`ReidentificationError::Disordered`] for a reading that no confirmation by somebody else came before.
    pub fn new(
        (asker, asked_under, asked_at): (ProfessionalId, AssignmentId, Timestamp),
        decision: Option<(SecondOpinion, Timestamp, ProfessionalId)>,
        read: bool,
    ) -> Result<Self, ReidentificationError> {
        if decision.as_ref().is_some_and(|(_, _, by)| *by == asker) {
            return Err(ReidentificationError::Disordered);
        }
        let decision = decision.map(|(outcome, at, _)| (outcome, at));
        if read && !matches!(decision, Some((SecondOpinion::Confirmed, _))) {
            return Err(ReidentificationError::Disordered);
        }
        Ok(Self { asker, asked_under, asked_at, decision, read })
    }

    /// Until when the next step can be taken: a decision, or the reading. What is over has no end.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self.decision {
            None => Some(self.asked_at.plus_seconds(DECISION_DAYS * DAY)),
            Some((SecondOpinion::Confirmed, at)) if !self.read => Some(at.plus_seconds(READING_DAYS * DAY)),
            Some((SecondOpinion::Confirmed | SecondOpinion::Refused, _)) => None,
        }
    }

    /// Where the request stands.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ReidentificationState {
        let over = self.until().is_some_and(|end| now >= end);
        match self.decision {
            None if over => ReidentificationState::Lapsed,
            None => ReidentificationState::Waiting,
            Some((SecondOpinion::Refused, _)) => ReidentificationState::Refused,
            Some((SecondOpinion::Confirmed, _)) if self.read => ReidentificationState::Read,
            Some((SecondOpinion::Confirmed, _)) if over => ReidentificationState::Expired,
            Some((SecondOpinion::Confirmed, _)) => ReidentificationState::Open,
        }
    }

    /// Whether this person asked.
    #[must_use]
    pub fn asked_by(&self, professional: &ProfessionalId) -> bool {
        self.asker == *professional
    }

    /// Whether a decision by this person can be taken now.
    ///
    /// # Errors
    /// [`ReidentificationError::OwnRequest`], [`ReidentificationError::State`].
    pub fn accepts_decision(&self, by: &ProfessionalId, now: Timestamp) -> Result<(), ReidentificationError> {
        // THREAT: one person with two affectations. Persons are compared, not what they act under.
        if self.asked_by(by) {
            return Err(ReidentificationError::OwnRequest);
        }
        match self.state(now) {
            ReidentificationState::Waiting => Ok(()),
            state => Err(ReidentificationError::State(state)),
        }
    }

    /// Whether the answer can be read now under this assignment.
    ///
    /// # Errors
    /// [`ReidentificationError::NotTheAsker`], [`ReidentificationError::State`].
    pub fn accepts_reading(&self, under: &AssignmentId, now: Timestamp) -> Result<(), ReidentificationError> {
        if self.asked_under != *under {
            return Err(ReidentificationError::NotTheAsker);
        }
        match self.state(now) {
            ReidentificationState::Open => Ok(()),
            state => Err(ReidentificationError::State(state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReidentificationState as State;

    fn person(letter: &str) -> ProfessionalId {
        ProfessionalId::parse(&letter.repeat(26)).unwrap()
    }

    fn under(letter: &str) -> AssignmentId {
        AssignmentId::parse(&letter.repeat(26)).unwrap()
    }

    const ASKED: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn request(decision: Option<SecondOpinion>, read: bool) -> Reidentification {
        let decision = decision.map(|d| (d, ASKED.plus_seconds(DAY), person("e")));
        Reidentification::new((person("a"), under("a"), ASKED), decision, read).unwrap()
    }

    #[test]
    fn s4_a_request_is_decided_once_by_somebody_else_and_in_time() {
        let waiting = request(None, false);
        assert_eq!(waiting.accepts_decision(&person("e"), ASKED), Ok(()));
        assert_eq!(waiting.accepts_decision(&person("a"), ASKED), Err(ReidentificationError::OwnRequest));
        let end = ASKED.plus_seconds(DECISION_DAYS * DAY);
        assert_eq!(waiting.accepts_decision(&person("e"), end.plus_micros(-1)), Ok(()));
        let lapsed = Err(ReidentificationError::State(State::Lapsed));
        assert_eq!(waiting.accepts_decision(&person("e"), end), lapsed);
        for (decision, state) in
            [(SecondOpinion::Confirmed, State::Open), (SecondOpinion::Refused, State::Refused)]
        {
            let decided = request(Some(decision), false);
            let again = decided.accepts_decision(&person("i"), ASKED.plus_seconds(2 * DAY));
            assert_eq!(again, Err(ReidentificationError::State(state)));
        }
    }

    #[test]
    fn s4_the_answer_is_read_once_by_who_asked_within_seven_days() {
        let soon = ASKED.plus_seconds(2 * DAY);
        let open = request(Some(SecondOpinion::Confirmed), false);
        assert_eq!(open.accepts_reading(&under("a"), soon), Ok(()));
        assert_eq!(open.accepts_reading(&under("i"), soon), Err(ReidentificationError::NotTheAsker));
        let end = ASKED.plus_seconds((READING_DAYS + 1) * DAY);
        assert_eq!(open.accepts_reading(&under("a"), end.plus_micros(-1)), Ok(()));
        for (one, at, state) in [
            (request(None, false), soon, State::Waiting),
            (request(Some(SecondOpinion::Refused), false), soon, State::Refused),
            (request(Some(SecondOpinion::Confirmed), true), soon, State::Read),
            (open, end, State::Expired),
        ] {
            assert_eq!(one.accepts_reading(&under("a"), at), Err(ReidentificationError::State(state)));
        }
    }

    #[test]
    fn rows_that_no_two_persons_made_do_not_read_back() {
        let asked = || (person("a"), under("a"), ASKED);
        let by = |decision, who: &str| Some((decision, ASKED, person(who)));
        for (decision, read) in [
            (None, true),
            (by(SecondOpinion::Refused, "e"), true),
            (by(SecondOpinion::Confirmed, "a"), false),
        ] {
            let read = Reidentification::new(asked(), decision, read);
            assert_eq!(read, Err(ReidentificationError::Disordered));
        }
    }
}
