//! `relais audit replay`, on a log in which one verdict does not follow from its facts, and one cites a charter that
//! nobody has.

use clap::Parser;

use super::*;
use crate::audit::Job;
use crate::audit::lane::Priority;
use crate::charter::{Charter, judge};
use crate::cli::{Arguments, Command};
use crate::domain::cell::{AccordFact, StatuteFact, TableFacts};
use crate::domain::record::{Action, RecordDraft, ResourceKind, RetentionClass, TrailEntry, Verdict};
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};
use crate::ids::RequestId;
use crate::service::testing::Territory;

const FACTS: TableFacts = TableFacts {
    recipient_profession: Profession::Teacher,
    recipient_secrecy: Secrecy::NotBound,
    author_secrecy: Secrecy::Bound,
    category: Category::Schooling,
    purpose: Purpose::Schooling,
    accord: AccordFact::Informed,
    family_released: true,
    statute: StatuteFact::None,
};

/// A record that says that these facts were permitted, as [`FACTS`] are, under a charter.
fn permitted(t: &Territory, facts: TableFacts, charter: &str) -> u64 {
    let judged = judge(Charter::embedded_demo().unwrap().matrix(), &FACTS);
    assert!(judged.permitted);
    let request = RequestId::random(t.app.chance()).unwrap();
    let (class, verdict) = (RetentionClass::Disclosure, Verdict::Permit);
    let mut draft = RecordDraft::new(request, class, Action::Read, ResourceKind::Item, verdict);
    draft.policy_hashes = vec![charter.to_owned()];
    draft.reasons = vec![judged.reason];
    draft.trail = vec![TrailEntry {
        facts: Some(facts),
        permitted: true,
        reason: judged.reason,
        failing: Vec::new(),
        objects: 1,
    }];
    let record = t.app.prepare(&draft, None).unwrap();
    t.app.lane().record(Priority::Session, Job::new(record)).wait().unwrap();
    t.app.store().snapshot().unwrap().log_frontier().unwrap().size() - 1
}

/// What a command line prints, and whether its exit code is 0.
fn replayed(t: &Territory, more: &[&str]) -> (String, bool) {
    let words = ["relais", "audit", "replay"].iter().chain(more);
    let Command::Audit(command) = Arguments::try_parse_from(words).unwrap().command else { panic!("audit") };
    let (mut out, mut progress) = (Vec::new(), Vec::new());
    let code = crate::cli::audit::run(&command, &t.data(), &mut out, &mut progress).unwrap();
    let code = format!("{code:?}");
    let held = code == format!("{:?}", ExitCode::SUCCESS);
    assert!(held || code == format!("{:?}", ExitCode::FAILURE), "{code}");
    (String::from_utf8(out).unwrap(), held)
}

#[test]
fn replay_prints_each_difference_and_ends_with_1_within_the_days_that_are_asked() {
    const EQUAL: &str = "Toutes les décisions rejouées donnent la même réponse.\n";
    let t = Territory::new();
    let charter = Charter::embedded_demo().unwrap();
    permitted(&t, FACTS, charter.policy_hash());
    let (said, held) = replayed(&t, &[]);
    assert!(held && said.starts_with(EQUAL), "{said}");
    assert!(said.contains("Décisions rejugées sur leurs faits : 1."), "{said}");

    t.go_to(2027, 3, 3);
    let forged = permitted(&t, TableFacts { accord: AccordFact::Withdrawn, ..FACTS }, charter.policy_hash());
    t.go_to(2027, 3, 4);
    let missing = "0".repeat(64);
    let unknown = permitted(&t, FACTS, &missing);

    let (said, held) = replayed(&t, &[]);
    assert!(!held, "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[0],
        format!("Trace n° {forged} : sur les mêmes faits et la même charte, les règles répondent autrement")
    );
    assert!(lines[1].starts_with("  faits : ") && lines[1].contains("accord=withdrawn"), "{said}");
    assert!(lines[2].starts_with("  enregistré : permit"), "{said}");
    assert!(lines[3].starts_with("  rejoué : deny") && lines[3].contains("accord_withdrawn"), "{said}");
    assert_eq!(
        lines[4],
        format!(
            "Trace n° {unknown} : la version de la charte que la trace cite n'est pas dans cette base (empreinte {missing})"
        )
    );
    assert!(said.contains("\nDifférences : 2.\n"), "{said}");
    assert!(!said.contains(EQUAL));

    // Days of Paris, the last one included.
    for (days, differences) in [
        (&["--to", "2027-03-02"][..], 0),
        (&["--from", "2027-03-05"], 0),
        (&["--to", "2027-03-03"], 1),
        (&["--from", "2027-03-03", "--to", "2027-03-03"], 1),
        (&["--from", "2027-03-04"], 1),
        (&["--from", "2027-03-03"], 2),
    ] {
        let (said, held) = replayed(&t, days);
        assert_eq!(held, differences == 0, "{days:?}: {said}");
        let end = if held { EQUAL.to_owned() } else { format!("Différences : {differences}.\n") };
        assert!(said.contains(&end), "{days:?}: {said}");
        assert_eq!(said.matches("Trace n° ").count(), differences, "{days:?}: {said}");
    }
}

#[test]
fn replay_tells_a_machine_a_line_for_each_difference_and_one_for_the_sum() {
    let t = Territory::new();
    let charter = Charter::embedded_demo().unwrap();
    let json = |more: &[&str]| -> (Vec<serde_json::Value>, bool) {
        let all: Vec<&str> = std::iter::once("--json").chain(more.iter().copied()).collect();
        let (said, held) = replayed(&t, &all);
        (said.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), held)
    };
    permitted(&t, FACTS, charter.policy_hash());
    let (lines, held) = json(&[]);
    assert!(held && lines.len() == 1, "{lines:?}");
    assert_eq!((&lines[0]["equal"], &lines[0]["decisions"]), (&true.into(), &1.into()));

    let forged = permitted(&t, TableFacts { accord: AccordFact::Withdrawn, ..FACTS }, charter.policy_hash());
    let missing = "0".repeat(64);
    let unknown = permitted(&t, FACTS, &missing);
    let (lines, held) = json(&[]);
    assert!(!held && lines.len() == 3, "{lines:?}");
    assert_eq!((&lines[0]["record"], &lines[0]["mismatch"]), (&forged.into(), &"reasons".into()));
    assert_eq!(lines[0]["facts"]["accord"], "withdrawn");
    let said = |member: &str| lines[0][member].as_str().unwrap().to_owned();
    assert!(said("recorded").starts_with("permit") && said("replayed").starts_with("deny"), "{:?}", lines[0]);
    assert_eq!((&lines[1]["record"], &lines[1]["mismatch"]), (&unknown.into(), &"charter_missing".into()));
    assert_eq!((&lines[1]["charter"], &lines[1]["replayed"]), (&missing.into(), &serde_json::Value::Null));
    let sum = &lines[2];
    assert_eq!(
        (&sum["equal"], &sum["differences"], &sum["decisions"]),
        (&false.into(), &2.into(), &3.into())
    );
    let (lines, held) = json(&["--to", "2027-03-01"]);
    assert!(held && lines.len() == 1);
    assert_eq!((&lines[0]["records"], &lines[0]["equal"]), (&0.into(), &true.into()));
}
