//! Gates 5 to 7 for a known author: THE rule of the decision table (DESIGN §4, `policies/decision-table.csv`).
//!
//! Pure, without allocation. Gates 6 and 7 are judged apart, so that an explanation can list both. It does not know who
//! asks, participations, shares, hidden authors or periods: `access` does, and calls this.

use super::matrix::Matrix;
use crate::domain::cell::{AccordFact, Cell, Need, Reason, StatuteFact, TableFacts};
use crate::domain::vocabulary::{Category, Purpose, Regime, Secrecy};

/// The answer of gates 5 to 7.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judgement {
    pub permitted: bool,
    /// The first reason by the rules of DESIGN §4; on a permit, on what it rests (`accord` or `statute`).
    pub reason: Reason,
    /// The charter never lets this recipient read the category.
    pub failing_ceiling: Option<Reason>,
    /// The purpose does not carry the category.
    pub failing_purpose: Option<Reason>,
    /// Gate 6, judged apart. `None` as well where the ceiling says never: no accord could repair that, so none is named.
    pub failing_6: Option<Reason>,
    /// Gate 7, judged apart; `None` as well where the ceiling says never.
    pub failing_7: Option<Reason>,
}

impl Judgement {
    /// Every failing reason, in the order of the gates.
    #[must_use]
    pub const fn failing(&self) -> [Option<Reason>; 4] {
        [self.failing_ceiling, self.failing_purpose, self.failing_6, self.failing_7]
    }

    /// The register of a permit (LAW §0.1); `None` on a refusal.
    #[must_use]
    pub fn regime(&self) -> Option<Regime> {
        match (self.permitted, self.reason == Reason::Statute) {
            (true, true) => Some(Regime::L226_2_2),
            (true, false) => Some(Regime::Accord),
            (false, _) => None,
        }
    }
}

/// Judges the facts under a compiled charter.
#[must_use]
pub fn judge(matrix: &Matrix, facts: &TableFacts) -> Judgement {
    judge_cell(
        matrix.cell(facts.recipient_profession, facts.recipient_secrecy, facts.category),
        matrix.purpose_carries(facts.purpose, facts.category),
        facts,
    )
}

/// The same with the cell given: a synthesis is read under the strictest of several.
#[must_use]
pub fn judge_cell(cell: Cell, purpose_carries: bool, facts: &TableFacts) -> Judgement {
    let failing_purpose = if purpose_carries { None } else { Some(Reason::PurposeExcludesCategory) };
    // LAW: consent can never turn N into a permit (LAW §4).
    if cell.need() == Need::Never {
        return Judgement {
            permitted: false,
            reason: Reason::CeilingNever,
            failing_ceiling: Some(Reason::CeilingNever),
            failing_purpose,
            failing_6: None,
            failing_7: None,
        };
    }
    let by_accord = facts.accord.level().is_some_and(|level| cell.need().satisfied_by(level));
    let failing_7 = release_missing(facts).then_some(Reason::NotFamilyReleased);
    // Gate 6 names the reason of the accord, or what the statute lacks where it is claimed in its place.
    let (failing_6, rest) = if by_accord {
        (None, Reason::Accord)
    } else {
        match statute(cell, facts) {
            Some(Ok(())) => (None, Reason::Statute),
            Some(Err(reason)) => (Some(reason), reason),
            None => {
                let reason = state_of_the_accord(facts.accord);
                (Some(reason), reason)
            }
        }
    };
    match failing_purpose.or(failing_6).or(failing_7) {
        Some(reason) => Judgement {
            permitted: false,
            reason,
            failing_ceiling: None,
            failing_purpose,
            failing_6,
            failing_7,
        },
        None => Judgement {
            permitted: true,
            reason: rest,
            failing_ceiling: None,
            failing_purpose,
            failing_6,
            failing_7,
        },
    }
}

/// LAW: CP 226-13, LAW §0.3. An accord does not free who holds a secret to tell someone who holds none; the family may
/// release the words itself. `contested` counts as not bound when receiving and as bound when disclosing.
fn release_missing(facts: &TableFacts) -> bool {
    facts.author_secrecy.holds_a_secret()
        && facts.recipient_secrecy.receiving() == Secrecy::NotBound
        && facts.category != Category::Identity
        && !facts.family_released
}

/// LAW: CASF L226-2-2. `None` when no statutory record is claimed.
fn statute(cell: Cell, facts: &TableFacts) -> Option<Result<(), Reason>> {
    let validated = match facts.statute {
        StatuteFact::None => return None,
        StatuteFact::Complete => false,
        StatuteFact::CompleteValidated => true,
    };
    if facts.purpose != Purpose::Protection || !cell.statute_open() {
        return Some(Err(Reason::StatuteNotOpen));
    }
    // Between persons already bound by secrecy: a contested status is not enough at either end.
    if facts.recipient_secrecy != Secrecy::Bound || facts.author_secrecy != Secrecy::Bound {
        return Some(Err(Reason::StatuteNeedsBothBound));
    }
    // LAW: LAW §4. Never a way round a refusal without a manager's validation.
    match facts.accord {
        AccordFact::Refused | AccordFact::Withdrawn if !validated => {
            Some(Err(Reason::RefusalNeedsManagerValidation))
        }
        AccordFact::Refused
        | AccordFact::Withdrawn
        | AccordFact::None
        | AccordFact::Opening
        | AccordFact::Category
        | AccordFact::Informed
        | AccordFact::Expired => Some(Ok(())),
    }
}

/// Why an accord that does not satisfy the cell does not.
const fn state_of_the_accord(accord: AccordFact) -> Reason {
    match accord {
        AccordFact::None => Reason::AccordMissing,
        AccordFact::Refused => Reason::AccordRefused,
        AccordFact::Withdrawn => Reason::AccordWithdrawn,
        AccordFact::Expired => Reason::AccordExpired,
        AccordFact::Opening => Reason::AccordTooNarrow,
        // Where an informed accord is not enough the cell is `N`, and that has been said before.
        AccordFact::Category | AccordFact::Informed => Reason::InformationMissing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary::Profession;

    fn facts(
        recipient: (Profession, Secrecy),
        author: Secrecy,
        category: Category,
        accord: AccordFact,
    ) -> TableFacts {
        TableFacts {
            recipient_profession: recipient.0,
            recipient_secrecy: recipient.1,
            author_secrecy: author,
            category,
            purpose: Purpose::Protection,
            accord,
            family_released: false,
            statute: StatuteFact::None,
        }
    }

    const AEMO: (Profession, Secrecy) = (Profession::Aemo, Secrecy::Bound);
    const TEACHER: (Profession, Secrecy) = (Profession::Teacher, Secrecy::NotBound);

    #[test]
    fn law_an_accord_does_not_free_a_secret_towards_someone_not_bound() {
        let m = Matrix::ceiling().unwrap();
        let told = judge(&m, &facts(TEACHER, Secrecy::Bound, Category::Schooling, AccordFact::Informed));
        assert_eq!((told.permitted, told.reason, told.failing_6), (false, Reason::NotFamilyReleased, None));
        let contested =
            judge(&m, &facts(TEACHER, Secrecy::Contested, Category::Schooling, AccordFact::Informed));
        assert_eq!(contested.reason, Reason::NotFamilyReleased);
        let free = judge(&m, &facts(TEACHER, Secrecy::NotBound, Category::Schooling, AccordFact::Opening));
        assert_eq!(
            (free.permitted, free.reason, free.regime()),
            (true, Reason::Accord, Some(Regime::Accord))
        );
        assert!(
            judge(&m, &facts(TEACHER, Secrecy::Bound, Category::Identity, AccordFact::Opening)).permitted
        );
    }

    #[test]
    fn law_l226_2_2_needs_both_bound_protection_an_open_cell_and_validation_after_a_refusal() {
        let m = Matrix::ceiling().unwrap();
        let claim = |author, category, accord, statute| {
            judge(&m, &TableFacts { statute, ..facts(AEMO, author, category, accord) })
        };
        let complete = StatuteFact::Complete;
        let open = claim(Secrecy::Bound, Category::Family, AccordFact::None, complete);
        assert_eq!((open.permitted, open.regime()), (true, Some(Regime::L226_2_2)));
        assert_eq!(
            claim(Secrecy::Contested, Category::Family, AccordFact::None, complete).reason,
            Reason::StatuteNeedsBothBound
        );
        assert_eq!(
            claim(Secrecy::Bound, Category::Family, AccordFact::Withdrawn, complete).reason,
            Reason::RefusalNeedsManagerValidation
        );
        assert!(
            claim(Secrecy::Bound, Category::Family, AccordFact::Refused, StatuteFact::CompleteValidated)
                .permitted
        );
        let elsewhere = judge(
            &m,
            &TableFacts {
                statute: complete,
                purpose: Purpose::Coordination,
                ..facts(AEMO, Secrecy::Bound, Category::Family, AccordFact::None)
            },
        );
        assert_eq!(elsewhere.reason, Reason::StatuteNotOpen);
    }

    #[test]
    fn gates_six_and_seven_are_explained_apart_and_never_is_explained_alone() {
        let m = Matrix::ceiling().unwrap();
        let both = judge(&m, &facts(TEACHER, Secrecy::Bound, Category::Schooling, AccordFact::None));
        assert_eq!(
            both.failing(),
            [None, None, Some(Reason::AccordMissing), Some(Reason::NotFamilyReleased)]
        );
        assert_eq!(both.reason, Reason::AccordMissing);
        let never = judge(&m, &facts(TEACHER, Secrecy::Bound, Category::Family, AccordFact::Informed));
        assert_eq!(never.failing(), [Some(Reason::CeilingNever), None, None, None]);
        let purpose = judge(&m, &facts(TEACHER, Secrecy::Bound, Category::Leisure, AccordFact::Opening));
        assert_eq!(
            purpose.failing(),
            [None, Some(Reason::PurposeExcludesCategory), None, Some(Reason::NotFamilyReleased)]
        );
    }
}
