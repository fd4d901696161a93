//! Ways round the gates that a review looked for: each is closed, and stays so.

use super::*;
use crate::access::facts::{RequestFacts, StatuteFile};
use crate::domain::accord::{Accord, AccordError, AccordFacts, Event, fixture};
use crate::domain::release::{Release, ReleaseDraft, ReleaseFacts};
use crate::domain::statute::*;
use crate::domain::vocabulary::Regime;
use crate::ids::{ImpossibilityId, ReleaseId, StatuteId};

#[test]
fn a_review_not_held_pauses_what_is_shared() {
    let mut f = shared_housing();
    f.review_on = Some(plus(-31));
    let d = ask(&f, &book(), REFERENTE, 1, Some(Purpose::Coordination), noon(0));
    assert_eq!(d.reason, Reason::SharingPaused);
}

#[test]
fn story_s3_reading_goes_on_for_thirty_days_after_the_review_date() {
    let mut f = shared_housing();
    f.review_on = Some(plus(-29));
    let d = ask(&f, &book(), REFERENTE, 1, Some(Purpose::Coordination), noon(0));
    assert!(d.permitted, "{:?}", reasons(&d));
    // It is decided anew at the first midnight of the pause.
    assert!(d.valid_until <= Timestamp::paris_midnight(plus(1)));
    f.review_on = Some(plus(-30));
    let d = ask(&f, &book(), REFERENTE, 1, Some(Purpose::Coordination), noon(0));
    assert_eq!(d.reason, Reason::SharingPaused);
}

#[test]
fn story_s3_a_stay_in_progress_is_read_during_the_pause_until_its_own_end() {
    let members = circle();
    let mut f = everybody();
    let world = aged(16).with(
        draft(2, Purpose::Stay, vec![line(9, key_of(&members[0]), &[Category::Leisure])]),
        signed_by_all(&[9]),
    );
    f.accords.extend(world.accords);
    f.items.push(item(1, PREVENTION, Category::Leisure, Secrecy::Bound));
    f.shares.push(share(1, PREVENTION, Purpose::Stay, &[1], &[REFERENTE]));
    f.review_on = Some(plus(-31));
    let d = ask(&f, &book(), REFERENTE, 1, Some(Purpose::Stay), noon(0));
    assert!(d.permitted, "{:?}", reasons(&d));
    f.shares[0].ends = noon(-1);
    let d = ask(&f, &book(), REFERENTE, 1, Some(Purpose::Stay), noon(0));
    assert!(!d.permitted);
}

#[test]
fn an_own_item_is_decided_anew_when_the_naming_accord_ends() {
    let mut f = everybody();
    f.items.push(item(2, TEACHER, Category::Schooling, Secrecy::NotBound));
    let d = ask(&f, &book(), TEACHER, 2, None, noon(0));
    assert!(d.permitted);
    assert!(f.next_turn(noon(0)) <= Timestamp::paris_midnight(day(2027, 3, 2)));
}
#[test]
fn the_circle_is_decided_anew_when_the_naming_accord_ends() {
    let f = everybody();
    let d = resource(&f, TEACHER, &Resource::Circle);
    assert!(d.permitted);
    assert!(f.next_turn(noon(0)) <= Timestamp::paris_midnight(day(2027, 3, 2)));
}

#[test]
fn no_grant_for_a_version_of_another_item() {
    let b = book();
    let mut f = everybody();
    f.items.push(item(1, TEACHER, Category::Schooling, Secrecy::NotBound));
    f.items.push(item(2, AEMO, Category::Judicial, Secrecy::Bound));
    let me = f.participation(&place(TEACHER)).unwrap();
    let stamp = SessionStamp { id: SessionId::random(&Fixed(1)).unwrap(), version: 1, expires_at: noon(1) };
    let actor = Actor::authenticated(me.assignment.clone(), stamp);
    let mut gate = Gate::new(&actor, &f, &b, noon(0));
    let mine = f.item(&ItemId::random(&Fixed(1)).unwrap()).unwrap();
    let (_, theirs) = f.version(&version(2)).unwrap();
    assert!(gate.item(mine, theirs, None).is_err(), "teacher got a grant on the AEMO's judicial words");
}

#[test]
fn a_withdrawn_subject_closes_the_synthesis() {
    let b = book();
    let members = circle();
    let mut f = everybody();
    let mut synthesis = item(1, PREVENTION, Category::Evaluation, Secrecy::Bound);
    synthesis.subjects = vec![Category::Family];
    f.items.push(synthesis);
    let shown = showing(line(9, key_of(&members[0]), &[Category::Family]), 1, Category::Evaluation);
    let world = aged(16).with(draft(2, Purpose::Coordination, vec![shown]), signed_by_all(&[9]));
    f.accords.extend(world.accords);
    f.shares.push(share(1, PREVENTION, Purpose::Coordination, &[1], &[REFERENTE]));
    let d = ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(0));
    assert!(d.permitted, "setup {:?}", reasons(&d));
    f.standing.push(
        crate::domain::accord::Event::new(noon(1), 0, withdrawn(mother(), Scope::Category(Category::Family)))
            .unwrap(),
    );
    let d = ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(2));
    assert!(!d.permitted, "still read after withdrawal of the subject");
}

fn record(versions: &[u8], to: &[u8]) -> StatuteFile {
    record_of(PREVENTION, 4, versions, to)
}

fn record_of(sharer: u8, org: u8, versions: &[u8], to: &[u8]) -> StatuteFile {
    let draft = StatuteDraft {
        id: StatuteId::random(&Fixed(5)).unwrap(),
        sharer: assignment(sharer),
        sharer_professional: ProfessionalId::random(&Fixed(sharer)).unwrap(),
        sharer_organisation: organisation(org),
        ground: Ground::Risk,
        necessity_stated: true,
        parents: PriorInformation::Given { on: plus(-2) },
        child: PriorInformation::Given { on: plus(-2) },
        items: versions.iter().map(|v| version(*v)).collect(),
        recipients: to
            .iter()
            .map(|p| StatuteRecipient {
                participation: place(*p),
                professional: ProfessionalId::random(&Fixed(*p)).unwrap(),
            })
            .collect(),
        recorded_at: noon(-1),
    };
    StatuteFile { record: StatutoryRecord::try_from(draft).unwrap(), events: vec![], author: place(sharer) }
}

#[test]
fn a_statute_is_no_way_round_a_refusal_given_for_another_purpose() {
    let b = book();
    let members = circle();
    let mut f = everybody();
    f.items.push(item(1, PREVENTION, Category::Family, Secrecy::Bound));
    // The family refused "family to the référente" on the coordination sheet.
    let world = aged(16).with(
        draft(2, Purpose::Coordination, vec![line(9, key_of(&members[0]), &[Category::Family])]),
        vec![(noon(-2), fixture::refused(mother(), Scope::Sheet))],
    );
    f.accords.extend(world.accords);
    f.statutes.push(record(&[1], &[REFERENTE]));
    let mut s = share(1, PREVENTION, Purpose::Protection, &[1], &[REFERENTE]);
    s.recipients[0].statute = Some(StatuteId::random(&Fixed(5)).unwrap());
    f.shares.push(s);
    let d = ask(&f, &b, REFERENTE, 1, Some(Purpose::Protection), noon(0));
    assert_eq!(d.reason, Reason::RefusalNeedsManagerValidation);
}

/// LAW §4. What a manager is asked to validate is what gate 6 stops, over items and syntheses, over what was refused and
/// how, before and after somebody validated.
#[test]
fn law_what_awaits_a_managers_validation_is_what_the_gate_stops() {
    let b = book();
    let members = circle();
    let claims = StatuteId::random(&Fixed(5)).unwrap();
    let asked: &[(Category, &[Category])] = &[
        (Category::Family, &[]),
        (Category::Housing, &[]),
        (Category::Evaluation, &[Category::Family]),
        (Category::Evaluation, &[Category::Housing, Category::Family]),
    ];
    let (mut stopped, mut free) = (0, 0);
    for (category, subjects) in asked {
        for purpose in [Purpose::Coordination, Purpose::Protection] {
            for no in [Category::Family, Category::Housing, Category::Evaluation] {
                for validated in [None, Some(noon(-1).plus_seconds(60)), Some(noon(-1).plus_seconds(300))] {
                    let mut f = everybody();
                    let mut item = item(1, PREVENTION, *category, Secrecy::Bound);
                    item.subjects = subjects.to_vec();
                    f.items.push(item);
                    let sheet = draft(2, purpose, vec![line(9, key_of(&members[0]), &[no])]);
                    let said = vec![(noon(-1).plus_seconds(120), fixture::refused(mother(), Scope::Sheet))];
                    f.accords.extend(aged(16).with(sheet, said).accords);
                    let mut file = record(&[1], &[REFERENTE]);
                    file.events.extend(validated.map(|at| StatuteEvent {
                        at,
                        seq: 0,
                        kind: StatuteEventKind::Validated { by: manager_of(&file) },
                    }));
                    f.statutes.push(file);
                    let mut s = share(1, PREVENTION, Purpose::Protection, &[1], &[REFERENTE]);
                    s.recipients[0].statute = Some(claims.clone());
                    f.shares.push(s);
                    let d = ask(&f, &b, REFERENTE, 1, Some(Purpose::Protection), noon(0));
                    let stops = reasons(&d).contains(&Reason::RefusalNeedsManagerValidation);
                    let awaits = crate::access::awaits_validation(&f, &b, &f.statutes[0], noon(0));
                    assert_eq!(awaits, stops, "{category} {subjects:?} {purpose} {no} {validated:?}: {d:?}");
                    if stops { stopped += 1 } else { free += 1 }
                }
            }
        }
    }
    assert!(stopped > 10 && free > 10, "{stopped} {free}");
}

/// Somebody who may be second for this record.
fn manager_of(file: &StatuteFile) -> SecondPerson {
    SecondPerson {
        assignment: assignment(80),
        professional: ProfessionalId::random(&Fixed(80)).unwrap(),
        organisation: file.record.draft().sharer_organisation.clone(),
        function: Function::Manager,
        secrecy: Secrecy::Bound,
    }
}

#[test]
fn identity_is_own_for_a_bound_colleague_only() {
    let mut f = everybody();
    let colleague = posted(20, 1, 1, Profession::ReferentPre, Secrecy::NotBound);
    f.participations.push(takes_part(
        20,
        colleague,
        Role::Participant,
        Mandate::Contractual,
        Some(REFERENTE),
    ));
    f.accords.clear();
    let d = resource(&f, 20, &Resource::Identity);
    assert!(!d.permitted, "{:?}", d.reason);
}
#[test]
fn a_statute_opens_the_identity_sheet_only_from_the_lead() {
    let mut f = everybody();
    f.accords.clear();
    f.items.push(item(1, PREVENTION, Category::Family, Secrecy::Bound));
    f.statutes.push(record(&[1], &[AEMO]));
    assert!(!resource(&f, AEMO, &Resource::Identity).permitted);
    f.statutes.push(record_of(REFERENTE, 1, &[1], &[AEMO]));
    let d = resource(&f, AEMO, &Resource::Identity);
    assert!(d.permitted, "{:?}", reasons(&d));
    assert_eq!(d.regime, Some(Regime::L226_2_2));
    assert!(d.basis.iter().all(|b| b.starts_with("statute:")) && d.basis.len() == 1, "{:?}", d.basis);
}
#[test]
fn a_recipient_of_a_statute_gets_no_grant_for_its_words() {
    let mut f = everybody();
    f.statutes.push(record(&[1], &[AEMO]));
    let id = StatuteId::random(&Fixed(5)).unwrap();
    assert!(!resource(&f, AEMO, &Resource::StatuteWhole(id)).permitted);
}
#[test]
fn a_manager_sees_a_pathway_while_a_place_of_the_service_stands() {
    let mut f = everybody();
    let mut secretary = posted(30, 3, 3, Profession::Teacher, Secrecy::NotBound);
    secretary.function = Function::Secretary;
    let sees = |f: &PathwayFacts, who: &AssignmentFacts| {
        decide_resource(f, &book(), who, None, &Resource::ManagerView, noon(0)).permitted
    };
    assert!(sees(&f, &secretary));
    for p in f.participations.iter_mut().filter(|p| p.assignment.organisation == organisation(3)) {
        p.ended_at = Some(noon(-1));
    }
    assert!(!sees(&f, &secretary), "every place of the college has ended");
    let mut lead = posted(31, 1, 1, Profession::ReferentPre, Secrecy::NotBound);
    lead.function = Function::Secretary;
    f.participations.clear();
    assert!(sees(&f, &lead), "the lead organisation, always");
}

#[test]
fn a_motive_is_read_by_a_manager_of_the_organisation_that_stated_it() {
    let mut f = everybody();
    let id = ImpossibilityId::random(&Fixed(1)).unwrap();
    let requested_by = assignment(PREVENTION);
    f.requests.push(RequestFacts { id: id.clone(), organisation: organisation(4), requested_by });
    let ask = |n: u8, org: u8, function: Function, id: &ImpossibilityId| {
        let mut who = posted(n, org, org, Profession::SpecialisedPrevention, Secrecy::Bound);
        who.function = function;
        decide_resource(&f, &book(), &who, None, &Resource::ImpossibilityMotive(id.clone()), noon(0))
            .permitted
    };
    assert!(ask(40, 4, Function::Manager, &id));
    assert!(!ask(41, 1, Function::Manager, &id), "not even the lead's");
    assert!(!ask(42, 4, Function::Secretary, &id) && !ask(43, 4, Function::Practitioner, &id));
    assert!(!ask(40, 4, Function::Manager, &ImpossibilityId::random(&Fixed(2)).unwrap()));
}

#[test]
fn notes_are_their_authors_own() {
    let f = everybody();
    assert!(resource(&f, TEACHER, &Resource::OwnNotes(assignment(TEACHER))).permitted);
    assert!(!resource(&f, TEACHER, &Resource::OwnNotes(assignment(NURSE))).permitted);
}

#[test]
fn a_recipient_never_releases_to_itself() {
    let b = book();
    let members = circle();
    let mut f = everybody();
    f.items.push(item(1, PREVENTION, Category::Schooling, Secrecy::Bound));
    let mut dr = draft(
        2,
        Purpose::Coordination,
        vec![
            showing(line(9, key_of(&members[3]), &[]), 1, Category::Schooling),
            line(10, key_of(&members[4]), &[]),
        ],
    );
    dr.collected_by = assignment(TEACHER);
    dr.collector = key_of(&members[3]);
    let world = aged(16).with(dr, signed_by_all(&[9, 10]));
    f.accords.extend(world.accords);
    f.shares.push(share(1, PREVENTION, Purpose::Coordination, &[1], &[TEACHER]));
    let d = ask(&f, &b, TEACHER, 1, Some(Purpose::Coordination), noon(0));
    assert!(!d.permitted, "unbound teacher released to himself the words of a bound author");
}

#[test]
fn the_same_thing_is_not_asked_twice_for_one_recipient() {
    let (key, other) = (key_of(&circle()[0]), key_of(&circle()[3]));
    let accept = |lines| AccordFacts::try_from(draft(2, Purpose::Coordination, lines)).map(|_| ());
    let named = |n, categories: &[Category]| line(n, key.clone(), categories);
    use Category::{Housing, Schooling};
    assert!(accept(vec![named(1, &[Housing]), named(2, &[Schooling]), named(3, &[])]).is_ok());
    assert!(accept(vec![named(1, &[Housing]), line(2, other, &[Housing])]).is_ok());
    let twice = accept(vec![named(1, &[Housing, Schooling]), named(2, &[Housing])]);
    assert_eq!(twice, Err(AccordError::AskedTwice(fixture::line_id(2))));
    assert!(accept(vec![named(1, &[]), named(2, &[])]).is_err());
}

/// The father is out of reach for ninety days, and the sheet is made once that is over.
#[test]
fn nobody_signs_a_sheet_that_is_not_there_yet() {
    let world = aged(16);
    let key = key_of(&circle()[0]);
    let head =
        AccordFacts::try_from(draft(2, Purpose::Coordination, vec![line(9, key.clone(), &[])])).unwrap();
    let accord = Accord::new(head, Vec::new());
    let release = Release::new(
        ReleaseFacts::new(
            ReleaseDraft {
                id: ReleaseId::random(&Fixed(1)).unwrap(),
                line: fixture::line_id(9),
                item_version: version(1),
                category: Category::Affective,
                purpose: Purpose::Coordination,
                recipient: key,
                only_assignment: None,
                made_on: plus(0),
                recorded_by: assignment(PREVENTION),
                recorder: key_of(&circle()[5]),
            },
            &world.person,
        )
        .unwrap(),
        Vec::new(),
    );
    let signed = |days: i64| Event::new(noon(3), 0, paper(mother(), &[9], plus(days))).unwrap();
    assert!(accord.check(&signed(-31), &world.people()).is_ok());
    assert!(release.check(&signed(-31), &world.people()).is_ok());
    assert!(matches!(
        accord.check(&signed(-32), &world.people()),
        Err(AccordError::SignedBeforeSheet { .. })
    ));
    assert!(release.check(&signed(-32), &world.people()).is_err());
    let heard = Event::new(noon(3), 0, opinion(plus(-150))).unwrap();
    assert!(accord.check(&heard, &world.people()).is_err());
}

#[test]
fn the_last_moment_has_a_day() {
    assert!(Timestamp::MAX.paris_day() > day(9999, 12, 31));
}

#[test]
fn a_notice_that_names_the_author_is_decided_anew_when_it_ends() {
    let b = book();
    let members = circle();
    let mut f = everybody();
    let mut told = line(9, key_of(&members[0]), &[]);
    told.services.insert(key_of(&members[1]));
    let mut dr = draft(2, Purpose::Conference, vec![told]);
    dr.ends = plus(10);
    let world = aged(16).with(dr, signed_by_all(&[9]));
    f.accords.extend(world.accords);
    f.items.push(item(1, AEMO, Category::Leisure, Secrecy::Bound));
    f.shares.push(share(1, AEMO, Purpose::Coordination, &[1], &[REFERENTE]));
    let d = ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(0));
    assert!(d.permitted, "{:?}", reasons(&d));
    assert!(
        f.next_turn(noon(0)) <= Timestamp::paris_midnight(plus(10)),
        "{:?} but at +11: {:?}",
        d.valid_until,
        ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(11)).reason
    );
}

#[test]
fn asking_about_somebody_without_a_place_tells_nothing_of_a_hidden_service() {
    let b = book();
    let ask_preview = |f: &PathwayFacts| {
        let other = posted(40, 2, 2, Profession::Aemo, Secrecy::Bound);
        let (item, v) = f.version(&version(1)).unwrap();
        let d = decide_item(&Question {
            facts: f,
            book: &b,
            assignment: &other,
            participation: None,
            asker: f.participation(&place(TEACHER)),
            item,
            version: v,
            purpose: Some(Purpose::Coordination),
            mode: Mode::Preview { statute: None },
            now: noon(0),
        });
        d.failing.iter().map(|x| x.reason.coarse()).collect::<Vec<_>>()
    };
    let mut with = everybody();
    with.items.push(item(1, TEACHER, Category::Leisure, Secrecy::NotBound));
    let mut without = facts({
        let lines = (1_u8..)
            .zip(&circle())
            .filter(|(_, p)| p.id != place(AEMO))
            .map(|(n, p)| line(n, key_of(p), &[]))
            .collect();
        aged(16).with(draft(1, Purpose::Coordination, lines), signed_by_all(&[1, 3, 4, 5, 6]))
    });
    without.items.push(item(1, TEACHER, Category::Leisure, Secrecy::NotBound));
    assert_eq!(ask_preview(&with), ask_preview(&without));
}

#[test]
fn a_stay_organiser_may_record_a_withdrawal() {
    assert!(resource(&everybody(), DIRECTOR, &Resource::Hear).permitted);
}

#[test]
fn a_sharer_who_stopped_the_successor_has_stopped_the_successor() {
    let b = book();
    let mut f = shared_housing();
    let next = posted(22, 1, 1, Profession::ReferentPre, Secrecy::Bound);
    let mut p = takes_part(22, next, Role::Referent, Mandate::Contractual, None);
    p.stands_in_for = Some(place(REFERENTE));
    f.participations.push(p);
    f.shares[0].recipients.push(ShareRecipient {
        participation: place(22),
        statute: None,
        ended_at: Some(noon(-1)),
    });
    assert!(!ask(&f, &b, 22, 1, Some(Purpose::Coordination), noon(0)).permitted);
}
#[test]
fn the_successor_of_a_camp_does_not_read_identity_as_its_own() {
    let mut f = everybody();
    f.accords.clear();
    let next = posted(23, 1, 7, Profession::StayOrganiser, Secrecy::NotBound);
    let mut p = takes_part(23, next, Role::Participant, Mandate::Contractual, None);
    p.stands_in_for = Some(place(DIRECTOR));
    f.participations.push(p);
    let d = resource(&f, 23, &Resource::Identity);
    assert!(!d.permitted, "{:?}", d.reason);
}

#[test]
fn a_review_not_held_does_not_pause_a_stay_nor_the_thirty_days_before() {
    let mut f = shared_housing();
    f.review_on = Some(plus(-29));
    let d = ask(&f, &book(), REFERENTE, 1, Some(Purpose::Coordination), noon(0));
    assert!(d.permitted, "{:?}", reasons(&d));
    assert!(d.valid_until <= Timestamp::paris_midnight(plus(1)));
}

/// What is remembered within one request changes no answer: every reader, item and purpose, with and without.
#[test]
fn a_memo_changes_no_answer() {
    let b = book();
    let mut f = everybody();
    let members = circle();
    let shown = showing(line(9, key_of(&members[0]), &[Category::Family]), 2, Category::Judicial);
    let world = aged(16).with(draft(2, Purpose::Coordination, vec![shown]), signed_by_all(&[9]));
    f.accords.extend(world.accords);
    for (n, author, category) in [
        (1, TEACHER, Category::Schooling),
        (2, AEMO, Category::Judicial),
        (3, AEMO, Category::Judicial),
        (4, NURSE, Category::HealthMinimal),
        (5, PREVENTION, Category::Family),
    ] {
        f.items.push(item(n, author, category, Secrecy::Bound));
        f.shares.push(share(n, author, Purpose::Coordination, &[n], &[REFERENTE, TEACHER, AEMO, PREVENTION]));
    }
    let stamp = SessionStamp { id: SessionId::random(&Fixed(1)).unwrap(), version: 1, expires_at: noon(1) };
    for reader in [REFERENTE, AEMO, TEACHER, NURSE, PREVENTION] {
        let me = f.participation(&place(reader)).unwrap();
        let actor = Actor::authenticated(me.assignment.clone(), stamp.clone());
        let mut gate = Gate::new(&actor, &f, &b, noon(0));
        for n in [1, 2, 3, 4, 5, 3, 2, 1] {
            let (item, v) = f.version(&version(n)).unwrap();
            for purpose in [None, Some(Purpose::Coordination), Some(Purpose::Schooling)] {
                let alone = ask(&f, &b, reader, n, purpose, noon(0));
                match gate.item(item, v, purpose) {
                    Ok(grant) => {
                        let d = grant.decision();
                        assert!(alone.permitted);
                        assert_eq!(
                            (d.reason, d.facts, d.valid_until, &d.basis, d.as_family),
                            (alone.reason, alone.facts, alone.valid_until, &alone.basis, alone.as_family)
                        );
                    }
                    Err(refusal) => assert_eq!(refusal.failing, alone.failing, "{reader} {n} {purpose:?}"),
                }
            }
        }
    }
}

/// DESIGN §4: « the explanation comes from the same decision as the read ». A preview says *lira* exactly where a share
/// made now may begin and is then read, and until the same moment.
#[test]
fn story_s3_a_preview_promises_what_a_share_made_now_would_give() {
    let b = book();
    let now = noon(0);
    let (mut yes, mut no) = (0, 0);
    for review in [None, Some(-31), Some(-30), Some(-29), Some(0), Some(1), Some(40)] {
        let mut f = shared_housing();
        f.shares.clear();
        f.review_on = review.map(plus);
        for (n, category) in [(2, Category::Leisure), (3, Category::Schooling), (4, Category::Judicial)] {
            f.items.push(item(n, PREVENTION, category, Secrecy::Bound));
        }
        for purpose in [Purpose::Coordination, Purpose::Stay, Purpose::Handover] {
            for (reader, n) in [REFERENTE, AEMO, DIRECTOR, TEACHER, NURSE]
                .into_iter()
                .flat_map(|reader| [1, 2, 3, 4].map(|n| (reader, n)))
            {
                let said = {
                    let (item, version) = f.version(&version(n)).unwrap();
                    let p = f.participation(&place(reader)).unwrap();
                    decide_item(&Question {
                        facts: &f,
                        book: &b,
                        assignment: &p.assignment,
                        participation: Some(p),
                        asker: f.participation(&place(PREVENTION)),
                        item,
                        version,
                        purpose: Some(purpose),
                        mode: Mode::Preview { statute: None },
                        now,
                    })
                };
                let begins = !f.review_due(now);
                let mut made = share(9, PREVENTION, purpose, &[n], &[reader]);
                (made.starts, made.ends) = (now, Timestamp::MAX);
                f.shares.push(made);
                let read = ask(&f, &b, reader, n, Some(purpose), now);
                f.shares.clear();
                assert_eq!(said.permitted, begins && read.permitted, "{review:?} {purpose} {reader} {n}");
                assert_eq!(reasons(&said).contains(&Reason::SharingPaused), !begins);
                if said.permitted {
                    assert_eq!(said.reads_until, read.reads_until, "{review:?} {purpose} {reader} {n}");
                    // It is asked again at the review, which closes new shares.
                    assert!(f.review_from().is_none_or(|from| said.valid_until <= from));
                    yes += 1;
                } else {
                    no += 1;
                }
            }
        }
    }
    assert!(yes > 5 && no > 100, "both are tried: {yes} {no}");
}
