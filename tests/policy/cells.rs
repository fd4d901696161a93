//! Every cell, four evaluators; every rule flipped; refusals added.

use std::str::FromStr;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use proptest::prelude::*;
use relais::charter::Matrix;
use relais::charter::policy::{Claim, Rule};
use relais::charter::print;
use relais::charter::proof::{Question, casbin_answers, matrix_allows, questions, reference_allows};
use relais::domain::cell::Cell;
use relais::domain::vocabulary::{Category, Profession, Purpose, Secrecy};

use crate::support::{demo, demo_with, rules};

const SIDES: [Secrecy; 2] = [Secrecy::Bound, Secrecy::NotBound];
const LETTERS: [&str; 7] = ["A", "A*", "C", "C*", "CI", "CI*", "N"];

/// The Cedar actions that a cell covers, from its letters.
fn actions(cell: &str) -> Vec<&'static str> {
    let mut out = match cell.trim_end_matches('*') {
        "A" => vec!["opening", "category", "informed"],
        "C" => vec!["category", "informed"],
        "CI" => vec!["informed"],
        "N" => vec![],
        other => panic!("{other}"),
    };
    if cell.ends_with('*') || cell == "A" {
        out.push("statute");
    }
    out
}

fn action_list(codes: &[&str]) -> String {
    let ids: Vec<String> = codes.iter().map(|c| format!("Action::\"{c}\"")).collect();
    format!("[{}]", ids.join(", "))
}

/// The casbin rows that concern one recipient, in Cedar: a permit per allowed cell, a forbid per refused remainder.
fn cedar(rows: &[Vec<String>], profession: &str, secrecy: &str) -> PolicySet {
    let mut text = String::new();
    for row in rows {
        let [p, s, category, purpose, cell, effect] = row.as_slice() else { panic!("{row:?}") };
        if p != "*" && (p != profession || s != secrecy) {
            continue;
        }
        let who =
            if p == "*" { "principal".to_owned() } else { format!("principal == Recipient::\"{p}/{s}\"") };
        let when = if purpose == "*" {
            String::new()
        } else {
            format!(" when {{ context.purpose == \"{purpose}\" }}")
        };
        let covered = actions(cell);
        let (word, acts) = match effect.as_str() {
            "allow" => ("permit", covered),
            "deny" => {
                let all = ["opening", "category", "informed", "statute"];
                ("forbid", all.into_iter().filter(|a| !covered.contains(a)).collect())
            }
            other => panic!("{other}"),
        };
        if !acts.is_empty() {
            text.push_str(&format!(
                "{word} ({who}, action in {}, resource == Category::\"{category}\"){when};\n",
                action_list(&acts)
            ));
        }
    }
    PolicySet::from_str(&text).unwrap()
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_str(&format!("{kind}::\"{id}\"")).unwrap()
}

#[test]
fn every_cell_is_the_same_for_matrix_reference_casbin_and_cedar() {
    let (charter, matrix) = demo();
    let rules = charter.all_rules();
    let rows: Vec<Vec<String>> = rules.iter().map(Rule::values).collect();
    let authorizer = Authorizer::new();
    let entities = Entities::empty();
    let contexts: Vec<Context> = Purpose::ALL
        .iter()
        .map(|p| Context::from_json_str(&format!("{{\"purpose\": \"{p}\"}}"), None).unwrap())
        .collect();
    let categories: Vec<EntityUid> = Category::ALL.iter().map(|c| uid("Category", c.code())).collect();
    let claims: Vec<EntityUid> = Claim::ALL.iter().map(|c| uid("Action", c.code())).collect();
    let (mut asked, mut allowed) = (0, 0);
    for &profession in Profession::ALL {
        for secrecy in SIDES {
            let policies = cedar(&rows, profession.code(), secrecy.code());
            let principal = uid("Recipient", &format!("{profession}/{secrecy}"));
            // `publish`, which made this matrix, has put each of these questions to casbin.
            for q in questions(profession, secrecy) {
                let claim = Claim::ALL.iter().position(|c| *c == q.claim).unwrap();
                let request = Request::new(
                    principal.clone(),
                    claims[claim].clone(),
                    categories[q.category.index()].clone(),
                    contexts[q.purpose.index()].clone(),
                    None,
                )
                .unwrap();
                let response = authorizer.is_authorized(&request, &policies, &entities);
                assert_eq!(response.diagnostics().errors().count(), 0);
                let ours = matrix_allows(matrix, &q);
                assert_eq!(ours, response.decision() == Decision::Allow, "{q:?}");
                assert_eq!(ours, reference_allows(&rules, &q), "{q:?}");
                asked += 1;
                allowed += u32::from(ours);
            }
        }
    }
    assert_eq!(asked, 23 * 2 * 13 * 9 * 4);
    assert!(allowed > 1_000, "{allowed}");
}

/// The lines of a grid that differ.
fn changed(a: &str, b: &str) -> usize {
    a.lines().zip(b.lines()).filter(|(x, y)| x != y).count()
}

const FLIP_CEILING: &str = include_str!("../../policies/ceiling.csv");
const FLIP_PURPOSES: &str = include_str!("../../policies/purposes.csv");

/// Flipping any one rule of the charter (leaving it out) changes the golden grid; casbin judges the touched cells.
#[test]
fn leaving_out_any_rule_of_the_charter_changes_the_golden_grid() {
    let (charter, matrix) = demo();
    let golden = print::grid(matrix);
    let lines: Vec<&str> = charter.policy_csv().lines().filter(|l| l.starts_with("p,")).collect();
    assert!(lines.len() >= 6);
    for (n, line) in lines.iter().enumerate() {
        let rest: String =
            lines.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, l)| format!("{l}\n")).collect();
        let flipped = demo_with(&rest);
        assert!(changed(&golden, &print::grid(flipped.matrix())) > 0, "{line}");
        // Every other engine sees exactly the cells that the matrix sees change, and no other one.
        let all = flipped.all_rules();
        for &profession in Profession::ALL {
            for secrecy in SIDES {
                let touched: Vec<Question> = questions(profession, secrecy)
                    .inspect(|q| {
                        assert_eq!(
                            reference_allows(&all, q),
                            matrix_allows(flipped.matrix(), q),
                            "{line} {q:?}"
                        );
                    })
                    .filter(|q| matrix_allows(flipped.matrix(), q) != matrix_allows(matrix, q))
                    .collect();
                if touched.is_empty() {
                    continue;
                }
                let said = casbin_answers(&all, profession, secrecy, &touched).unwrap();
                // Taking a refusal away can only open: each touched question is now allowed.
                assert!(said.iter().all(|answer| *answer), "{line}");
            }
        }
    }
}

/// Flipping any one cell of the ceiling or any purpose, in the files, changes the golden grid of the bare ceiling.
#[test]
fn flipping_any_cell_of_the_ceiling_or_of_the_purposes_changes_the_grid() {
    use relais::charter::base::Base;
    let matrix = |ceiling: &str, purposes: &str| {
        Matrix::from_base(&Base::from_csv(ceiling.as_bytes(), purposes.as_bytes()).unwrap())
    };
    let golden = print::grid(&matrix(FLIP_CEILING, FLIP_PURPOSES));
    let mutate = |text: &str, first: usize, flip: &dyn Fn(&str) -> Vec<&'static str>| {
        let mut out = Vec::new();
        for (n, line) in text.lines().enumerate() {
            if line.starts_with('#') || line.starts_with("profession") || line.starts_with("purpose,") {
                continue;
            }
            let fields: Vec<&str> = line.split(',').collect();
            for at in first..fields.len() {
                for other in flip(fields[at]) {
                    let mut changed = fields.clone();
                    changed[at] = other;
                    let lines: Vec<String> = text
                        .lines()
                        .enumerate()
                        .map(|(m, l)| if m == n { changed.join(",") } else { l.to_owned() })
                        .collect();
                    out.push((format!("{line} → {at} {other}"), lines.join("\n")));
                }
            }
        }
        out
    };
    let purposes = mutate(FLIP_PURPOSES, 1, &|v| vec![if v == "1" { "0" } else { "1" }]);
    assert_eq!(purposes.len(), 9 * 13);
    // health_detailed is `CI` for school health alone and `N` for the others: every flip must show all the same.
    for (what, text) in &purposes {
        assert!(changed(&golden, &print::grid(&matrix(FLIP_CEILING, text))) > 0, "{what}");
    }
    let cells = mutate(FLIP_CEILING, 2, &|v| {
        // One neighbour per cell in a debug build: the next stricter one, or the open star.
        vec![match v {
            "A" => "C*",
            "C" => "C*",
            "C*" => "C",
            "CI" => "CI*",
            "CI*" => "CI",
            "N" => "CI",
            other => panic!("{other}"),
        }]
    });
    assert_eq!(cells.len(), 26 * 13);
    for (what, text) in &cells {
        assert!(changed(&golden, &print::grid(&matrix(text, FLIP_PURPOSES))) > 0, "{what}");
    }
}

fn any_rule() -> impl Strategy<Value = String> {
    (
        0..Profession::ALL.len(),
        0..2_usize,
        0..Category::ALL.len(),
        0..Purpose::ALL.len(),
        0..LETTERS.len(),
        any::<bool>(),
    )
        .prop_map(|(p, s, c, u, l, row)| {
            if row {
                let (p, s) = (Profession::ALL[p], SIDES[s]);
                format!("p, {p}, {s}, {}, *, {}, deny", Category::ALL[c], LETTERS[l])
            } else {
                format!("p, *, *, {}, {}, N, deny", Category::ALL[c], Purpose::ALL[u])
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Adding refusals never widens: whatever the strict parser accepts, no question that was refused is allowed. The
    /// whole grid by matrix and reference; casbin on the questions that changed.
    #[test]
    fn adding_a_deny_never_widens(extra in proptest::collection::vec(any_rule(), 1..8)) {
        let (charter, before) = demo();
        let mut policy = charter.policy_csv().to_owned();
        for line in extra {
            let longer = format!("{policy}{line}\n");
            if relais::charter::Charter::from_files(charter.charter_toml(), &longer).is_ok() {
                policy = longer;
            }
        }
        let after = demo_with(&policy);
        let all = after.all_rules();
        for &profession in Profession::ALL {
            for secrecy in SIDES {
                let mut touched = Vec::new();
                for q in questions(profession, secrecy) {
                    let (was, is) = (matrix_allows(before, &q), matrix_allows(after.matrix(), &q));
                    prop_assert!(was || !is, "{:?}", q);
                    if was != is {
                        prop_assert!(!reference_allows(&all, &q), "{:?}", q);
                        touched.push(q);
                    }
                }
                if !touched.is_empty() {
                    let said = casbin_answers(&all, profession, secrecy, &touched).unwrap();
                    prop_assert!(said.iter().all(|answer| !answer));
                }
            }
        }
    }

    /// Whatever a file contains, the strict reader answers and never panics, and what it accepts is within the ceiling.
    #[test]
    fn whatever_a_policy_file_contains_it_is_refused_or_within_the_ceiling(
        text in "((p, ?(teacher|aemo|\\*), ?(bound|not_bound|\\*), ?(family|mobility|\\*), ?(stay|\\*), ?(A|C\\*?|CI|N\\*?), ?(deny|allow|Deny))?[ #\"\r]?\n){0,4}"
    ) {
        let ceiling = Matrix::ceiling().unwrap();
        if let Ok(charter) = relais::charter::Charter::from_files(demo().0.charter_toml(), &text) {
            for &p in Profession::ALL {
                for s in SIDES {
                    for &c in Category::ALL {
                        let cell: Cell = charter.matrix().cell(p, s, c);
                        prop_assert!(cell.within(ceiling.cell(p, s, c)));
                    }
                }
            }
        }
    }
}

/// casbin drops a rule that is there twice; the proof sees it and refuses to publish.
#[test]
fn a_rule_that_the_engine_drops_refuses_the_publication() {
    let mut twice = rules();
    twice.extend(demo().0.rules().first().copied());
    let q: Vec<Question> = questions(Profession::MissionLocale, Secrecy::NotBound).take(1).collect();
    let error = casbin_answers(&twice, Profession::MissionLocale, Secrecy::NotBound, &q).unwrap_err();
    assert!(error.to_string().contains("mission_locale, not_bound"), "{error}");
}

/// The proof is a proof: a matrix that is not the one of the rules is refused, naming the cell.
#[test]
fn a_matrix_that_says_something_else_than_the_rules_is_not_published() {
    let error = relais::charter::proof::prove(&rules(), &Matrix::ceiling().unwrap()).unwrap_err();
    assert!(error.to_string().contains("referent_pre, bound, health_minimal, conference"), "{error}");
}
