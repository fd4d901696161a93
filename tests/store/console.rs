//! What the auditor's console, the exports and the report ask of the log, on each engine; on PostgreSQL by the role that
//! reads for a session and owns nothing. One log is written, and each question has its answer by hand.

use std::collections::BTreeSet;

use relais::audit::lane::Priority;
use relais::audit::{Job, Pseudonym, PseudonymKey, Record};
use relais::clock::Timestamp;
use relais::crypto::SystemChance;
use relais::domain::cell::Reason;
use relais::domain::record::{Action, ActorStamp, RecordDraft, ResourceKind, RetentionClass, Verdict};
use relais::domain::vocabulary::{Category, Profession, Purpose};
use relais::ids::{AssignmentId, OrganisationId, PathwayId, ProfessionalId, RequestId};
use relais::store::log::{HourCount, LogFile, LogFilter};
use relais::store::{Snapshot, Store};

use crate::attacks::unguard;
use crate::support::{Bed, Engine, Under, engines};

use Action::{Create, Export, List, Preview, Print, Read, Search, SignIn};
use Category::{Family, HealthMinimal, Identity, Leisure, Schooling};
use ResourceKind::{Chronology, Item, Participation, Pathway, Session};

/// One record of the log, by day and minute of Paris.
struct Said {
    day: (i32, u32, u32),
    at: (i64, i64),
    who: Option<usize>,
    pathway: Option<usize>,
    action: Action,
    resource: ResourceKind,
    categories: &'static [Category],
    deny: bool,
}

const FRIDAY: (i32, u32, u32) = (2027, 1, 15);
const SATURDAY: (i32, u32, u32) = (2027, 1, 16);
const MONDAY: (i32, u32, u32) = (2027, 1, 18);
/// The day after the clocks went forward.
const EASTER_MONDAY: (i32, u32, u32) = (2027, 3, 29);
const TUESDAY: (i32, u32, u32) = (2027, 3, 30);

const ANNE: usize = 0;
const BASILE: usize = 1;

const fn said(
    day: (i32, u32, u32),
    at: (i64, i64),
    who: usize,
    pathway: usize,
    what: (Action, ResourceKind),
    categories: &'static [Category],
) -> Said {
    let (action, resource) = what;
    Said { day, at, who: Some(who), pathway: Some(pathway), action, resource, categories, deny: false }
}

/// The log: what is an opening is said beside it.
const LOG: [Said; 21] = [
    /* 0 opening */ said(FRIDAY, (10, 10), ANNE, 0, (Read, Item), &[Schooling]),
    /* 1 opening */ said(FRIDAY, (10, 20), ANNE, 0, (List, Item), &[Family, Leisure, Schooling]),
    /* 2 a name */ said(FRIDAY, (10, 30), ANNE, 0, (List, Pathway), &[Identity]),
    /* 3 a name */ said(FRIDAY, (10, 40), ANNE, 0, (Search, Pathway), &[Identity]),
    /* 4 no content */ said(FRIDAY, (10, 50), ANNE, 0, (Read, Pathway), &[]),
    /* 5 refused */ Said { deny: true, ..said(FRIDAY, (10, 55), ANNE, 0, (Read, Item), &[Schooling]) },
    /* 6 opening */ said(FRIDAY, (11, 5), ANNE, 0, (Print, Item), &[HealthMinimal]),
    /* 7 of others */ said(FRIDAY, (11, 10), ANNE, 0, (Preview, Item), &[Leisure]),
    /* 8 opening */ said(FRIDAY, (19, 59), BASILE, 0, (List, Chronology), &[Leisure]),
    /* 9 opening */ said(FRIDAY, (20, 0), BASILE, 0, (Export, Item), &[Leisure, Schooling]),
    /* 10 opening */ said(SATURDAY, (12, 0), BASILE, 0, (Read, Pathway), &[Identity]),
    /* 11 opening */ said(MONDAY, (6, 59), BASILE, 1, (List, Item), &[Family]),
    /* 12 a name */ said(MONDAY, (7, 0), BASILE, 1, (List, Participation), &[Identity]),
    /* 13 opening */ said(MONDAY, (7, 1), BASILE, 1, (List, Item), &[Identity]),
    /* 14 opening */ said(MONDAY, (7, 2), BASILE, 1, (Read, Item), &[Family]),
    /* 15 an act */ said(MONDAY, (7, 5), BASILE, 1, (Create, Item), &[Family]),
    /* 16 nobody */
    Said { who: None, pathway: None, deny: true, ..said(MONDAY, (7, 9), ANNE, 0, (SignIn, Session), &[]) },
    /* 17 opening */
    said(EASTER_MONDAY, (12, 0), ANNE, 1, (Read, ResourceKind::Identity), &[Identity]),
    /* 18 opening */ said(TUESDAY, (19, 59), ANNE, 1, (Read, Item), &[Schooling]),
    /* 19 a name */ said(TUESDAY, (20, 0), ANNE, 1, (List, Pathway), &[Identity]),
    /* 20 opening */ said(TUESDAY, (20, 1), ANNE, 1, (Read, Item), &[Schooling]),
];
const OPENINGS: [i64; 12] = [0, 1, 6, 8, 9, 10, 11, 13, 14, 17, 18, 20];

fn moment(day: (i32, u32, u32), (hour, minute): (i64, i64)) -> Timestamp {
    let day = chrono::NaiveDate::from_ymd_opt(day.0, day.1, day.2).unwrap();
    Timestamp::paris_midnight(day).plus_seconds(hour * 3600 + minute * 60)
}

/// The log on one engine, and who is in it.
struct Log {
    bed: Bed,
    store: Store,
    /// Index of the first of its records.
    first: i64,
    people: Vec<Pseudonym>,
    pathways: Vec<Pseudonym>,
}

impl Log {
    fn on(engine: Engine) -> Self {
        let bed = Bed::new(engine);
        let chance = SystemChance::new();
        let key = PseudonymKey::new(RetentionClass::Disclosure, 2027, zeroize::Zeroizing::new([9; 32]));
        let people = [(); 2].map(|()| AssignmentId::random(&chance).unwrap());
        let pathways = [(); 2].map(|()| PathwayId::random(&chance).unwrap());
        let organisation = OrganisationId::random(&chance).unwrap();
        let (lane, thread) = bed.lane();
        let mut first = None;
        for one in &LOG {
            bed.clock.set(moment(one.day, one.at));
            let mut draft = RecordDraft::new(
                RequestId::random(&chance).unwrap(),
                RetentionClass::Disclosure,
                one.action,
                one.resource,
                if one.deny { Verdict::Deny } else { Verdict::Permit },
            );
            draft.actor = one.who.map(|who| ActorStamp {
                professional: ProfessionalId::random(&chance).unwrap(),
                assignment: Some(people[who].clone()),
                organisation: Some(organisation.clone()),
                profession: Some(Profession::Teacher),
                function: None,
                secrecy: None,
                session: None,
            });
            draft.pathway = one.pathway.map(|pathway| pathways[pathway].clone());
            draft.categories = one.categories.iter().copied().collect();
            draft.purpose = Some(Purpose::Schooling);
            if one.deny {
                draft.reasons = vec![Reason::NotShared, Reason::AccordMissing];
                draft.clauses = vec!["rule=second_person_needed".to_owned()];
            }
            let sealer = Under(bed.store.instance_key());
            let record = Record::prepare(&draft, &key, &sealer, &chance).unwrap();
            let receipt = lane.record(Priority::Session, Job::new(record)).wait().unwrap();
            first.get_or_insert(i64::try_from(receipt.first_index()).unwrap());
        }
        thread.stop();
        let store = bed.as_server(bed.store.keyring().clone());
        Self {
            bed,
            store,
            first: first.unwrap(),
            people: people.iter().map(|p| key.assignment(p)).collect(),
            pathways: pathways.iter().map(|p| key.pathway(p)).collect(),
        }
    }

    /// As a session reads.
    fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.store.snapshot().unwrap();
        snapshot.act_as(None).unwrap();
        snapshot
    }

    /// The records that match, in their order.
    fn found(&self, filter: &LogFilter) -> Vec<i64> {
        let filter = LogFilter { from: filter.from.or(Some(moment(FRIDAY, (10, 0)))), ..filter.clone() };
        let rows = self.snapshot().log_page(&filter, 100).unwrap();
        rows.iter().rev().map(|(index, _)| index - self.first).collect()
    }

    fn hours(&self, filter: &LogFilter) -> BTreeSet<(Timestamp, String, i64)> {
        let said = |h: HourCount| (h.hour, h.decision, h.records);
        self.snapshot().log_hours(filter).unwrap().into_iter().map(said).collect()
    }

    fn bursts(&self, filter: &LogFilter, least: i64, limit: i64) -> Vec<(Timestamp, usize)> {
        let found = self.snapshot().log_bursts(filter, least, limit).unwrap();
        found.into_iter().map(|(hour, actor)| (hour, self.who(&actor))).collect()
    }

    fn readers(&self, filter: &LogFilter, least: i64, limit: i64) -> Vec<(usize, usize)> {
        let found = self.snapshot().log_readers_without_act(filter, least, limit).unwrap();
        let pathway = |p: &str| self.pathways.iter().position(|one| one.as_str() == p).unwrap();
        found.iter().map(|(actor, p)| (self.who(actor), pathway(p))).collect()
    }

    fn who(&self, actor: &str) -> usize {
        self.people.iter().position(|one| one.as_str() == actor).unwrap()
    }
}

fn logs() -> impl Iterator<Item = Log> {
    engines().into_iter().map(Log::on)
}

fn openings() -> LogFilter {
    LogFilter { openings: true, from: Some(moment(FRIDAY, (10, 0))), ..LogFilter::default() }
}

const NONE: [i64; 0] = [];
const YEARS: Option<(i32, i32)> = Some((2026, 2028));

#[test]
fn openings_are_the_same_records_on_each_engine_and_as_a_body_says_itself() {
    for log in logs() {
        let engine = log.bed.engine;
        assert_eq!(log.found(&openings()), OPENINGS, "{engine:?}");
        for (index, body) in log.snapshot().log_page(&LogFilter::default(), 1000).unwrap() {
            let body = relais::audit::LeafBody::parse(&body).unwrap();
            let here = OPENINGS.contains(&(index - log.first));
            assert_eq!(body.opens_content(), here, "{engine:?} {index}");
        }
        let of_anne = LogFilter { actor: Some(log.people[ANNE].to_string()), ..openings() };
        assert_eq!(log.found(&of_anne), [0, 1, 6, 17, 18, 20], "{engine:?}");
        let lists = LogFilter { action: Some("list".to_owned()), ..openings() };
        assert_eq!(log.found(&lists), [1, 8, 11, 13], "{engine:?}");
    }
}

/// A bed of PostgreSQL is slow to make: what asks about hours shares one.
#[test]
fn hours_nights_and_bursts_are_counted_alike_on_each_engine() {
    for log in logs() {
        let engine = log.bed.engine;
        let hour = |day, hour| moment(day, (hour, 0));
        let count = |day, at, decision: &str, records| (hour(day, at), decision.to_owned(), records);

        let day = LogFilter {
            from: Some(moment(FRIDAY, (10, 0))),
            until: Some(moment(SATURDAY, (0, 0))),
            ..LogFilter::default()
        };
        let expected = [
            count(FRIDAY, 10, "permit", 5),
            count(FRIDAY, 10, "deny", 1),
            count(FRIDAY, 11, "permit", 2),
            count(FRIDAY, 19, "permit", 1),
            count(FRIDAY, 20, "permit", 1),
        ];
        assert_eq!(log.hours(&day), BTreeSet::from(expected), "{engine:?}");
        let opened = LogFilter { openings: true, ..day.clone() };
        let expected = [
            count(FRIDAY, 10, "permit", 2),
            count(FRIDAY, 11, "permit", 1),
            count(FRIDAY, 19, "permit", 1),
            count(FRIDAY, 20, "permit", 1),
        ];
        assert_eq!(log.hours(&opened), BTreeSet::from(expected), "{engine:?}");

        // Before seven, from eight in the evening on, the week-end, a public holiday; in winter and in summer.
        let nights =
            LogFilter { out_of_hours: YEARS, from: Some(moment(FRIDAY, (10, 0))), ..LogFilter::default() };
        assert_eq!(log.found(&nights), [9, 10, 11, 17, 19, 20], "{engine:?}");
        let nights = LogFilter { openings: true, ..nights };
        assert_eq!(log.found(&nights), [9, 10, 11, 17, 20], "{engine:?}");
        let expected = [
            count(FRIDAY, 20, "permit", 1),
            count(SATURDAY, 12, "permit", 1),
            count(MONDAY, 6, "permit", 1),
            count(EASTER_MONDAY, 12, "permit", 1),
            count(TUESDAY, 20, "permit", 1),
        ];
        assert_eq!(log.hours(&nights), BTreeSet::from(expected), "{engine:?}");

        // Latest first; as many as the threshold, and no fewer.
        let all = [(hour(MONDAY, 7), BASILE), (hour(FRIDAY, 10), ANNE)];
        assert_eq!(log.bursts(&openings(), 2, 10), all, "{engine:?}");
        assert_eq!(log.bursts(&openings(), 2, 1), all[..1], "{engine:?}");
        assert_eq!(log.bursts(&openings(), 3, 10), [], "{engine:?}");
        let whatever = LogFilter { openings: false, ..openings() };
        assert_eq!(log.bursts(&whatever, 6, 10), all[1..], "{engine:?}");
        assert_eq!(log.bursts(&whatever, 7, 10), [], "{engine:?}");
        let refused = LogFilter { decision: Some("deny".to_owned()), ..whatever };
        assert_eq!(log.bursts(&refused, 1, 10), all[1..], "{engine:?}: nobody is no person");
    }
}

#[test]
fn who_opens_and_does_nothing_is_the_same_on_each_engine() {
    for log in logs() {
        let engine = log.bed.engine;
        let permitted = LogFilter { decision: Some("permit".to_owned()), openings: false, ..openings() };
        // On the second pathway Basile has three openings too, and wrote there.
        let three = [(ANNE, 1), (BASILE, 0), (ANNE, 0)];
        assert_eq!(log.readers(&permitted, 3, 10), three, "{engine:?}");
        assert_eq!(log.readers(&permitted, 3, 2), three[..2], "{engine:?}");
        assert_eq!(log.readers(&permitted, 4, 10), [], "{engine:?}");
        let before = LogFilter { until: Some(moment(MONDAY, (7, 5))), ..permitted.clone() };
        assert_eq!(log.readers(&before, 3, 10), [(BASILE, 1), (BASILE, 0), (ANNE, 0)], "{engine:?}");
        // Who is refused has opened nothing.
        let refused = LogFilter { decision: Some("deny".to_owned()), ..permitted };
        assert_eq!(log.readers(&refused, 1, 10), [], "{engine:?}");

        let since = |day, at| -> BTreeSet<usize> {
            let found = log.snapshot().log_actors_since(moment(day, at)).unwrap();
            found.iter().map(|actor| log.who(actor)).collect()
        };
        assert_eq!(since(MONDAY, (7, 5)), BTreeSet::from([ANNE, BASILE]), "{engine:?}");
        assert_eq!(since(MONDAY, (7, 6)), BTreeSet::from([ANNE]), "{engine:?}");
        assert_eq!(since(TUESDAY, (20, 2)), BTreeSet::new(), "{engine:?}");
    }
}

#[test]
fn codes_are_found_where_a_body_has_them_and_nothing_else_is_on_each_engine() {
    for log in logs() {
        let engine = log.bed.engine;
        let of = |resource: &str| LogFilter { resource: Some(resource.to_owned()), ..LogFilter::default() };
        assert_eq!(log.found(&of("chronology")), [8], "{engine:?}");
        assert_eq!(log.found(&of("session")), [16], "{engine:?}");
        assert_eq!(log.found(&of("identity")), [17], "{engine:?}: a resource, not a category");
        let listed = |codes: &[&str]| {
            let mut filter = LogFilter::default();
            codes.iter().for_each(|code| filter.listed(*code));
            log.found(&filter)
        };
        // Alone, first, in the middle and last.
        assert_eq!(listed(&["leisure"]), [1, 7, 8, 9], "{engine:?}");
        assert_eq!(listed(&["schooling"]), [0, 1, 5, 9, 18, 20], "{engine:?}: a category, not a purpose");
        assert_eq!(listed(&["leisure", "family"]), [1], "{engine:?}");
        assert_eq!(listed(&["not_shared"]), [5, 16], "{engine:?}");
        assert_eq!(listed(&["rule=second_person_needed"]), [5, 16], "{engine:?}");
        assert_eq!(listed(&["rule=second_person"]), NONE, "{engine:?}: a whole code");
        for forged in ["", "%", "leisure' OR '1'='1", "le%sure", "leisure\"", "LEISURE"] {
            assert_eq!(listed(&[forged]), NONE, "{engine:?} {forged}");
            assert_eq!(log.found(&of(forged)), NONE, "{engine:?} {forged}");
        }
        let nobody = LogFilter { actors: Some(Vec::new()), ..LogFilter::default() };
        assert_eq!(log.found(&nobody), NONE, "{engine:?}");
        let either = LogFilter {
            actors: Some(log.people.iter().map(ToString::to_string).collect()),
            purpose: Some("schooling".to_owned()),
            pathway: Some(log.pathways[1].to_string()),
            ..LogFilter::default()
        };
        assert_eq!(log.found(&either), [11, 12, 13, 14, 15, 17, 18, 19, 20], "{engine:?}");
    }
}

#[test]
fn a_span_of_time_is_read_in_slices_on_each_engine() {
    for log in logs() {
        let engine = log.bed.engine;
        // Of a record that was pruned the time is left here, and the body is gone.
        let mut raw = log.bed.raw();
        unguard(&mut raw);
        raw.exec(&format!("UPDATE audit_leaf SET body = NULL WHERE idx = {}", log.first + 12)).unwrap();
        let mut served = log.snapshot();
        let mut file = LogFile::open(&log.bed.address).unwrap();
        let (first, last) = (log.first, log.first + 20);
        // Half open: the minute of the second end is not in it.
        for (from, until, expected) in [
            (Some(moment(FRIDAY, (10, 10))), Some(moment(TUESDAY, (20, 2))), Some((0, 20))),
            (Some(moment(MONDAY, (0, 0))), Some(moment(MONDAY, (7, 9))), Some((11, 15))),
            (Some(moment(MONDAY, (6, 59))), Some(moment(MONDAY, (7, 0))), Some((11, 11))),
            (Some(moment(TUESDAY, (0, 0))), None, Some((18, 20))),
            (Some(moment(SATURDAY, (13, 0))), Some(moment(MONDAY, (6, 59))), None),
            (Some(moment(TUESDAY, (20, 2))), None, None),
        ] {
            let expected = expected.map(|(a, b)| (first + a, first + b));
            assert_eq!(served.log_extent(from, until).unwrap(), expected, "{engine:?} {from:?}");
            assert_eq!(file.log_extent(from, until).unwrap(), expected, "{engine:?} {from:?}");
        }
        let whole = served.log_extent(None, Some(moment(FRIDAY, (10, 20)))).unwrap();
        assert_eq!(whole, Some((0, first)), "{engine:?}: from the first record of all");
        for (after, until, limit, expected) in [
            (first - 1, last, 100, (0..=20).filter(|n| *n != 12).collect::<Vec<i64>>()),
            (first + 9, last, 4, vec![10, 11, 13, 14]),
            (first + 9, first + 11, 100, vec![10, 11]),
            (first + 11, first + 12, 100, Vec::new()),
            (last, last + 100, 100, Vec::new()),
        ] {
            let slice = served.log_slice(after, until, limit).unwrap();
            assert_eq!(slice, file.log_slice(after, until, limit).unwrap(), "{engine:?}");
            let indexes: Vec<i64> = slice.iter().map(|(index, _)| index - first).collect();
            assert_eq!(indexes, expected, "{engine:?} {after} {until} {limit}");
            for (index, body) in slice {
                let body = relais::audit::LeafBody::parse(&body).unwrap();
                let one = &LOG[usize::try_from(index - first).unwrap()];
                assert_eq!((body.action, body.at), (one.action, moment(one.day, one.at)), "{engine:?}");
            }
        }
    }
}
