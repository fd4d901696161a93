//! The decision table: its 700 rows through the command, and the whole grid of facts against the prose.

use relais::charter::policy::Claim;
use relais::charter::proof::{Question, casbin_answers};
use relais::charter::{Charter, Matrix, judge};
use relais::cli::charter::decide_bytes;
use relais::domain::cell::{AccordFact, Reason, StatuteFact, TableFacts};
use relais::domain::vocabulary::{Category, Level, Profession, Purpose, Secrecy};

use crate::prose::{Files, Words, decide};
use crate::support::{demo, demo_with, every_fact};

const TABLE: &str = include_str!("../../policies/decision-table.csv");

#[test]
fn all_rows_of_the_decision_table_agree_in_decision_and_in_reason() {
    let out = decide_bytes("decision-table.csv", TABLE.as_bytes(), &Matrix::ceiling().unwrap()).unwrap();
    let mut reader = csv::Reader::from_reader(out.as_slice());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    let (expected, because, decision, reason) = (at("expected"), at("because"), at("decision"), at("reason"));
    let mut rows = 0;
    for record in reader.records() {
        let record = record.unwrap();
        assert_eq!((&record[decision], &record[reason]), (&record[expected], &record[because]), "{record:?}");
        rows += 1;
    }
    assert_eq!(rows, 700);
}

fn words(f: &TableFacts) -> Words<'static> {
    Words {
        recipient_profession: f.recipient_profession.code(),
        recipient_secrecy: f.recipient_secrecy.code(),
        author_secrecy: f.author_secrecy.code(),
        category: f.category.code(),
        purpose: f.purpose.code(),
        accord: f.accord.code(),
        family_released: if f.family_released { "yes" } else { "no" },
        statute: f.statute.code(),
    }
}

/// Over the ceiling and over the demonstration charter: every tuple of facts, about a million each.
#[test]
fn the_whole_grid_of_facts_agrees_with_the_prose() {
    let files = Files::read();
    let ceiling = Matrix::ceiling().unwrap();
    let mut last = None;
    let mut cell = ("", false);
    let mut count = 0_u32;
    every_fact(|facts| {
        let w = words(&facts);
        let key = (w.recipient_profession, w.recipient_secrecy, w.category, w.purpose);
        if last != Some(key) {
            last = Some(key);
            cell = (
                files.cell(w.recipient_profession, w.recipient_secrecy, w.category),
                files.purposes[&(w.purpose.to_owned(), w.category.to_owned())],
            );
        }
        let judged = judge(&ceiling, &facts);
        let ours = (if judged.permitted { "permit" } else { "deny" }, judged.reason.code());
        assert_eq!(ours, decide(cell.1, cell.0, w), "{w:?}");
        count += 1;
    });
    assert_eq!(count, 23 * 3 * 3 * 13 * 9 * 7 * 2 * 3);
}

/// What a judgement says of itself holds everywhere, in the demonstration charter.
#[test]
fn every_judgement_is_consistent_with_its_own_explanation() {
    let matrix = &demo().1;
    every_fact(|facts| {
        let judged = judge(matrix, &facts);
        let failing: Vec<Reason> = judged.failing().into_iter().flatten().collect();
        assert_eq!(judged.permitted, failing.is_empty(), "{facts:?}");
        if judged.permitted {
            assert!(matches!(judged.reason, Reason::Accord | Reason::Statute));
            assert!(judged.regime().is_some());
        } else {
            assert_eq!(failing.first(), Some(&judged.reason), "{facts:?}");
            assert!(judged.regime().is_none());
        }
    });
}

fn weaker(accord: AccordFact) -> &'static [AccordFact] {
    use AccordFact as A;
    match accord {
        A::Informed => &[A::Category, A::Opening, A::None, A::Expired, A::Refused, A::Withdrawn],
        A::Category => &[A::Opening, A::None, A::Expired, A::Refused, A::Withdrawn],
        A::Opening => &[A::None, A::Expired, A::Refused, A::Withdrawn],
        A::None | A::Expired => &[A::Refused, A::Withdrawn],
        A::Refused | A::Withdrawn => &[],
    }
}

/// Withdrawing or weakening an accord, taking back a release, dropping a statutory record: never widens.
#[test]
fn taking_anything_back_never_widens() {
    let matrix = &demo().1;
    every_fact(|facts| {
        if judge(matrix, &facts).permitted {
            return;
        }
        for &accord in weaker(facts.accord) {
            assert!(!judge(matrix, &TableFacts { accord, ..facts }).permitted, "{facts:?} {accord:?}");
        }
        assert!(!judge(matrix, &TableFacts { family_released: false, ..facts }).permitted, "{facts:?}");
        if facts.statute == StatuteFact::CompleteValidated {
            let statute = StatuteFact::Complete;
            assert!(!judge(matrix, &TableFacts { statute, ..facts }).permitted, "{facts:?}");
        }
        let statute = StatuteFact::None;
        assert!(!judge(matrix, &TableFacts { statute, ..facts }).permitted, "{facts:?}");
    });
}

#[test]
fn law_a_contested_status_never_receives_more_than_not_bound_nor_discloses_more_than_bound() {
    let matrix = &demo().1;
    every_fact(|facts| {
        if facts.recipient_secrecy == Secrecy::Contested {
            let other = TableFacts { recipient_secrecy: Secrecy::NotBound, ..facts };
            assert_eq!(judge(matrix, &facts), judge(matrix, &other), "{facts:?}");
        }
        if facts.author_secrecy == Secrecy::Contested && facts.statute == StatuteFact::None {
            let other = TableFacts { author_secrecy: Secrecy::Bound, ..facts };
            assert_eq!(judge(matrix, &facts), judge(matrix, &other), "{facts:?}");
        }
    });
}

/// A version under which an organisation goes on (S14) permits only what both versions permit.
#[test]
fn s14_the_transition_permits_nothing_that_either_version_refuses() {
    let old = &demo().1;
    let wilder = demo_with(
        "p, aemo, bound, identity, *, CI*, deny\np, referent_pre, bound, schooling, *, C, deny\n\
         p, mission_locale, not_bound, housing, *, N, deny\np, *, *, leisure, referral, N, deny\n",
    );
    let both = Matrix::stricter_of(old, wilder.matrix());
    let swapped = Matrix::stricter_of(wilder.matrix(), old);
    every_fact(|facts| {
        let transition = judge(&both, &facts).permitted;
        let each = judge(old, &facts).permitted && judge(wilder.matrix(), &facts).permitted;
        assert!(!transition || each, "{facts:?}");
        // A cell is stricter part by part: where one version asks for the higher level and the other closes the
        // statute, both hold.
        assert_eq!(transition, judge(&swapped, &facts).permitted, "{facts:?}");
    });
}

/// Renaming things in the sheet or in comments changes no decision, and casbin agrees on the touched cells.
#[test]
fn renaming_is_neutral() {
    let (charter, matrix) = demo();
    let toml =
        charter.charter_toml().replace("Val-d'Orme", "Ailleurs").replace("\"demonstration\"", "\"autre\"");
    let csv: String =
        charter.policy_csv().lines().rev().map(|l| format!("{}\r\n", l.replace(", ", ","))).collect();
    let renamed = Charter::from_files(&toml, &csv).unwrap();
    assert_eq!(renamed.policy_hash(), matrix.policy_hash());
    let question = Question {
        profession: Profession::Teacher,
        secrecy: Secrecy::NotBound,
        category: Category::Practical,
        purpose: Purpose::Coordination,
        claim: Claim::Accord(Level::Informed),
    };
    let narrower = Question { claim: Claim::Accord(Level::Category), ..question };
    let said =
        casbin_answers(&renamed.all_rules(), Profession::Teacher, Secrecy::NotBound, &[question, narrower]);
    assert_eq!(said.unwrap(), [true, false]);
}
