//! Samples of the auditor's pages.

use super::*;
use crate::domain::cell::Reason;
use crate::domain::vocabulary::{Category, Function, Profession, Purpose, Secrecy};
use crate::ids::OrganisationId;
use crate::service::{Finding, OrganisationName, RecordPage as Found, ReplayView};

const ACTOR: &str = "2027d:00112233445566778899aabbccddeeff";
const PATHWAY: &str = "2027d:ffeeddccbbaa99887766554433221100";

fn day(d: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 3, d).unwrap()
}

fn college() -> OrganisationName {
    OrganisationName {
        id: OrganisationId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
        name: "Collège Jean-Moulin".to_owned(),
    }
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2027-03-14T10:00:00Z").unwrap()
}

/// What a declared loss says, shortened.
pub(super) const LOSS: &str = "PERTE DÉCLARÉE à la trace n° 1100, le 2027-03-02T08:14:00Z, par deux personnes : sous le nom « relais.test/val-d-orme », le journal avait au moins 1140 traces";

fn state(kept: bool) -> LogState {
    LogState {
        origin: "relais.test/val-d-orme".to_owned(),
        losses: if kept { vec![LOSS.to_owned()] } else { Vec::new() },
        vkey: "relais.test/val-d-orme+00000000+AAAA".to_owned(),
        earlier_vkeys: if kept {
            vec!["relais.test/val-d-orme+11111111+BBBB".to_owned()]
        } else {
            Vec::new()
        },
        size: 1204,
        root: "q1B3mJ3i9p7Wm4b0n3tYH0vN6c5e1kQ2Z8r7s9uXyw0=".to_owned(),
        last_checkpoint: kept.then_some(1198),
        last_checkpoint_at: kept.then(|| "2027-03-14T09:57:00Z".to_owned()),
        last_verified_at: kept.then(|| "2027-03-13T09:57:00Z".to_owned()),
        last_reconciled_at: kept.then(|| "2027-03-14T04:10:00Z".to_owned()),
        last_reconciled_divergences: kept.then_some(2),
        pruned_below: kept.then_some(310),
        attested: kept.then_some(1198),
        witnesses: if kept { witnesses() } else { Vec::new() },
    }
}

/// One that saw the end, one that is late, one that contradicts.
fn witnesses() -> Vec<WitnessState> {
    let one = |name: &str, size, at: Option<&str>| WitnessState {
        name: name.to_owned(),
        size,
        at: at.map(ToOwned::to_owned),
        late: false,
        contradicts: None,
    };
    vec![
        one("departement.example/temoin", Some(1198), Some("2027-03-14T09:57:00Z")),
        WitnessState { late: true, ..one("universite.example/temoin", None, None) },
        WitnessState {
            contradicts: Some(1300),
            ..one("voisin.example/temoin", Some(900), Some("2027-03-12T09:57:00Z"))
        },
    ]
}

pub(super) fn line(decision: Verdict) -> RecordLine {
    RecordLine {
        index: 1203,
        at: "2027-03-14T21:17:00Z".to_owned(),
        out_of_hours: true,
        organisation: Some(college()),
        profession: Some(Profession::Teacher),
        function: Some(Function::Practitioner),
        secrecy: Some(Secrecy::NotBound),
        actor: Some(ACTOR.to_owned()),
        action: Action::Read,
        resource: ResourceKind::Item,
        pathway: Some(PATHWAY.to_owned()),
        categories: vec![Category::HealthMinimal],
        purpose: Some(Purpose::Stay),
        decision,
        reasons: vec![Reason::CeilingNever],
        objects: 1,
        count: None,
        request: "aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
        sentence: "Enseignant (Collège Jean-Moulin), 2027d:00112233…, n'a pas pu consulter un élément d'information."
            .to_owned(),
    }
}

fn seen(items: Vec<RecordLine>, next: bool) -> Console {
    let quiet = items.is_empty();
    Console {
        page: Found { items, next: next.then(|| "suite".to_owned()) },
        from: day(1),
        until: day(14),
        days: if quiet {
            Vec::new()
        } else {
            vec![
                DayCount { on: day(13), permit: 40, deny: 3, failed: 0 },
                DayCount { on: day(14), permit: 12, deny: 1, failed: 1 },
            ]
        },
        findings: if quiet {
            Vec::new()
        } else {
            vec![Finding {
                kind: FindingKind::OutOfHours,
                sentence: "1 consultation la nuit, le week-end ou un jour férié, ces 30 derniers jours."
                    .to_owned(),
                search: RecordSearch { out_of_hours: true, from: Some(day(1)), ..RecordSearch::default() },
            }]
        },
        state: state(!quiet),
        organisations: vec![college()],
    }
}

fn shell(title: &str) -> Shell {
    super::super::shell::sample::signed_in(Room::Audit, title)
}

fn page(console: Console, search: &RecordSearch, entered: Entered) -> ConsolePage {
    ConsolePage::of(shell("Contrôle des accès"), console, search, entered, now()).unwrap()
}

/// All, filtered, empty, with a filter that is not understood.
pub fn console() -> Vec<(&'static str, ConsolePage)> {
    let plain = RecordSearch::default();
    let filtered = RecordSearch {
        profession: Some(Profession::Teacher),
        decision: Some(Verdict::Deny),
        rule: Some("second_person_needed".to_owned()),
        cursor: Some("milieu".to_owned()),
        ..RecordSearch::default()
    };
    let entered =
        Entered::filled(&[("profession", "teacher"), ("decision", "deny"), ("rule", "second_person_needed")]);
    let query = std::collections::HashMap::from([("actor".to_owned(), "Nadia".to_owned())]);
    let errors = filters::read(&query).map(|_| ()).unwrap_err();
    let refused = Entered::refused(&Form::of(&[("actor", "Nadia")]), &ServiceError::Invalid(errors));
    let nobody = RecordSearch { actor: Some(PATHWAY.to_owned()), ..RecordSearch::default() };
    let several = {
        let error = FieldErrors::one("q", EntryError::WrongType { expected: "un mot plus précis" });
        let entered = Entered::refused(&Form::of(&[("q", "accord")]), &ServiceError::Invalid(error));
        let way = |label: &str, href: &str| Way { label: label.to_owned(), href: href.to_owned() };
        let ways = vec![
            way("Sur quoi : Accord", "/controle?resource=accord"),
            way("Raison de la décision : L'accord a pris fin.", "/controle?reason=accord_expired"),
        ];
        ConsolePage { ways, ..page(seen(vec![line(Verdict::Permit)], true), &plain, entered) }
    };
    vec![
        (
            "all",
            page(seen(vec![line(Verdict::Permit), line(Verdict::Deny)], true), &plain, Entered::nothing()),
        ),
        ("filtered", page(seen(vec![line(Verdict::Deny)], false), &filtered, entered)),
        ("empty", page(seen(Vec::new(), false), &plain, Entered::nothing())),
        ("refused", page(seen(vec![line(Verdict::Failed)], true), &plain, refused)),
        ("several", several),
        ("text_left", {
            let mut page = page(seen(Vec::new(), false), &plain, Entered::nothing());
            page.shell.kept = vec![crate::web::pages::kept::sample(false)];
            page
        }),
        ("no_such_person", page(seen(Vec::new(), false), &nobody, Entered::filled(&[("actor", PATHWAY)]))),
    ]
}

/// A quarter of a territory of sixty structures, by day, with a page of records that have everything.
pub fn largest() -> ConsolePage {
    let letter = |digit: char| char::from_u32(u32::from(digit) + 49).unwrap();
    let letters = |n: usize| n.to_string().chars().map(letter).collect::<String>();
    let name = |n: usize| OrganisationName {
        id: OrganisationId::parse(&format!("{}{}", letters(n), "a".repeat(24))).unwrap(),
        name: format!("Structure n° {n} d'action éducative"),
    };
    let first = day(1);
    let days: Vec<DayCount> =
        first.iter_days().take(92).map(|on| DayCount { on, permit: 1250, deny: 31, failed: 2 }).collect();
    let mut console = seen(vec![line(Verdict::Deny); crate::service::RECORDS_A_PAGE], true);
    console.organisations = (10..70).map(name).collect();
    console.until = first + chrono::Duration::days(91);
    console.days = days;
    let search = RecordSearch {
        from: Some(first),
        until: Some(console.until),
        out_of_hours: true,
        ..RecordSearch::default()
    };
    page(
        console,
        &search,
        Entered::filled(&[("from", "2027-03-01"), ("to", "2027-05-31"), ("out_of_hours", "true")]),
    )
}

/// A refusal that replays, and one that does not.
pub fn record() -> Vec<(&'static str, RecordPage)> {
    let page = |equal: bool| {
        let line = line(Verdict::Deny);
        RecordPage {
            shell: shell("Trace n° 1203"),
            person: of_person(line.actor.as_ref()),
            pathway: of_pathway(line.pathway.as_ref()),
            before: Some(1202),
            said: vec![
                ("Profession", vec!["Enseignant".to_owned()]),
                ("Raisons", vec!["Une raison.".to_owned(), "Une autre.".to_owned()]),
            ],
            record: RecordWhole {
                line,
                body: "{\"action\":\"read\",\"v\":1}".to_owned(),
                replay: ReplayView {
                    equal,
                    decisions: 1,
                    sentence: "Rejouée.".to_owned(),
                    differences: if equal { Vec::new() } else { vec!["Une différence.".to_owned()] },
                },
            },
        }
    };
    vec![("denied", page(true)), ("replayed_otherwise", page(false))]
}

/// Never verified, holding, broken, refused.
pub fn proof() -> Vec<(&'static str, ProofPage)> {
    let found = |failure: Option<&str>, given| Verification {
        holds: failure.is_none(),
        records: 1204,
        pruned: if failure.is_none() { 122 } else { 0 },
        checkpoints: 3,
        given,
        root: String::new(),
        losses: if failure.is_none() { vec![LOSS.to_owned()] } else { Vec::new() },
        failure: failure.map(ToOwned::to_owned),
    };
    let page = |found, kept, entered| ProofPage {
        shell: shell("Preuve du journal"),
        entered,
        standing: Standing::of(state(kept), now()),
        found,
    };
    let rule = ServiceError::rule("checkpoint_too_long", "Ce texte est trop long.");
    vec![
        ("never", page(None, false, Entered::nothing())),
        ("holds", page(Some(found(None, Some(1100))), true, Entered::nothing())),
        (
            "broken",
            page(Some(found(Some("Trace n° 12 : l'empreinte [leaf_hash]"), None)), true, Entered::nothing()),
        ),
        ("refused", page(None, true, Entered::refused(&Form::of(&[("given", "xxx")]), &rule))),
    ]
}
