//! Shares and previews (S1, S3).

use super::*;
use crate::audit::LeafBody;
use crate::audit::replay::{Replayed, Versions, replay_record};
use crate::domain::statute::{Ground, PriorInformation, StatuteDraft, StatuteRecipient, StatutoryRecord};
use crate::domain::vocabulary::{Level, Profession};
use crate::service::preview::Hypothetical;
use crate::service::reading::ItemsQuery;
use crate::service::share_views::Standpoint;
use crate::service::shares::{EndShare, JoinShare};
use crate::store::pathway::StatuteBody;

pub(super) fn share_id(created: &Created) -> ShareId {
    ShareId::parse(&created.id).unwrap()
}

/// A camp in which a hidden AEMO takes part; one accord shows the words of the author, or the référente's.
pub(super) fn camp(author: &str) -> (Circle, ItemRef, ItemRef) {
    let mut c = Circle::teenager();
    c.join("aemo", Mandate::Judicial, Role::Participant, None);
    c.join("director", Mandate::Collective, Role::StayOrganiser, Some("referente"));
    let health = c.write(author, treatment());
    let coat = c.write(author, clothes());
    let lines = vec![
        c.line("aemo", &[], &[]),
        c.line("director", &[], &[(&health, Category::HealthMinimal), (&coat, Category::Practical)]),
    ];
    // One parent and the young person, once.
    c.accord(Purpose::Stay, lines, &[c.mother.clone(), CHILD]);
    c.accord(
        Purpose::Coordination,
        vec![c.line("aemo", &[], &[]), c.line("director", &[], &[])],
        &[c.mother.clone(), CHILD],
    );
    (c, health, coat)
}

#[test]
fn story_s1_the_stay_reaches_the_director_from_either_author_and_ends_at_midnight() {
    for author in ["referente", "aemo"] {
        let (c, health, coat) = camp(author);
        assert!(!c.reads("director", &health, Purpose::Stay), "nothing is shared by itself");
        let shared =
            c.share(author, Purpose::Stay, &[&health, &coat], &["director"], last(2027, 3, 20)).unwrap();
        for item in [&health, &coat] {
            assert!(c.reads("director", item, Purpose::Stay), "{author}");
        }
        let view = c.t.app.share_read(&c.call(author), &c.pathway, &share_id(&shared)).unwrap();
        assert_eq!(view.readers[0].read, "lu le 2 mars 2027");
        assert_eq!(view.readers[0].versions_read.len(), 2);
        c.t.go_to(2027, 3, 20);
        assert!(c.reads("director", &health, Purpose::Stay), "until 24:00 of the last day");
        c.t.go_to(2027, 3, 21);
        assert!(!c.reads("director", &health, Purpose::Stay));
    }
}

#[test]
fn what_is_shared_twice_and_read_once_is_read_on_both_shares_and_not_before_the_second_began() {
    let (c, health, coat) = camp("referente");
    let share = |items: &[&ItemRef]| {
        let made = c.share("referente", Purpose::Stay, items, &["director"], last(2027, 3, 20)).unwrap();
        share_id(&made)
    };
    let told = |id: &ShareId| {
        let view = c.t.app.share_read(&c.call("referente"), &c.pathway, id).unwrap();
        (view.readers[0].read.clone(), view.readers[0].versions_read.len())
    };
    let first = share(&[&health]);
    assert!(c.reads("director", &health, Purpose::Stay));
    c.t.go_to(2027, 3, 4);
    let both = share(&[&health, &coat]);
    assert_eq!(told(&first), ("lu le 2 mars 2027".to_owned(), 1));
    assert_eq!(
        told(&both),
        ("pas encore lu".to_owned(), 0),
        "what was read before is no answer to this share"
    );
    c.t.go_to(2027, 3, 5);
    assert!(c.reads("director", &health, Purpose::Stay));
    assert_eq!(told(&both), ("lu le 5 mars 2027".to_owned(), 1), "whichever share the reading cites");
    assert!(c.reads("director", &coat, Purpose::Stay));
    assert_eq!(told(&both).1, 2);
    assert_eq!(
        told(&first),
        ("lu le 2 mars 2027".to_owned(), 1),
        "what only the second carries is not its own"
    );
}

#[test]
fn story_s1_the_stay_sheet_is_for_its_organiser_and_printing_is_recorded_as_such() {
    let (c, health, coat) = camp("aemo");
    let act = |action| Act { action, resource: ResourceKind::Item };
    let sheet = |who: &str, action| c.t.app.stay_sheet(&c.call(who), act(action), &c.pathway);
    assert!(sheet("director", Action::Read).unwrap().lines.is_empty(), "nothing is shared by itself");
    let shared = c.share("aemo", Purpose::Stay, &[&health, &coat], &["director"], last(2027, 3, 20)).unwrap();
    let seen = sheet("director", Action::Read).unwrap();
    assert_eq!(seen.lines.len(), 2);
    assert!(seen.lines.iter().any(|l| l.words.iter().any(|w| w.said.contains("Manteau"))));
    let read = |c: &Circle| c.t.app.share_read(&c.call("aemo"), &c.pathway, &share_id(&shared)).unwrap();
    assert!(read(&c).readers[0].printed_at.is_none());
    sheet("director", Action::Print).unwrap();
    assert!(read(&c).readers[0].printed_at.is_some());
    for other in ["referente", "aemo", "outsider"] {
        assert!(absent(sheet(other, Action::Print)), "{other}");
    }
}

#[test]
fn law_gate_7_a_hidden_author_reaches_the_director_only_by_family_release() {
    let mut c = Circle::teenager();
    c.join("aemo", Mandate::Judicial, Role::Participant, None);
    c.join("director", Mandate::Collective, Role::StayOrganiser, Some("referente"));
    let coat = c.write("aemo", clothes());
    let both = [c.mother.clone(), CHILD];
    c.accord(Purpose::Stay, vec![c.line("aemo", &[], &[]), c.line("director", &[], &[])], &both);
    let (code, message) = rule(c.share("aemo", Purpose::Stay, &[&coat], &["director"], last(2027, 3, 20)));
    assert_eq!(code, "will_not_read");
    assert!(message.contains("Cette personne ne sait pas que vous intervenez."), "{message}");
    let view = c.preview("aemo", Purpose::Stay, &[&coat], None, Some(&["director"])).unwrap();
    assert!(codes(&view)[0].1.contains(&Reason::AuthorHidden));
}

#[test]
fn story_s1_a_category_outside_the_pack_is_refused_with_the_reason_and_nothing_is_shared() {
    let (c, health, _) = camp("referente");
    let bus = c.write("referente", mobility());
    let (code, message) =
        rule(c.share("referente", Purpose::Stay, &[&health, &bus], &["director"], last(2027, 3, 20)));
    assert_eq!(code, "will_not_read");
    assert!(message.contains("Ce sujet ne sert pas à « Préparer un séjour »."), "{message}");
    assert!(message.starts_with("Rien n'a été partagé."));
    assert!(!c.reads("director", &health, Purpose::Stay), "all or nothing");
}

/// R18: reading asks the pack again, and preview, reading and replay say the same of it.
#[test]
fn law_r18_a_charter_that_narrows_the_pack_narrows_the_stays_that_run() {
    let (c, health, coat) = camp("referente");
    c.share("referente", Purpose::Stay, &[&health, &coat], &["director"], last(2027, 3, 20)).unwrap();
    assert!(c.reads("director", &health, Purpose::Stay) && c.reads("director", &coat, Purpose::Stay));
    let demo = Charter::embedded_demo().unwrap();
    let pack = "\"health_minimal\", \"practical\", \"leisure\"]";
    assert!(demo.charter_toml().contains(pack));
    let sheet = demo.charter_toml().replace(pack, "\"health_minimal\", \"leisure\"]");
    let narrowed = Charter::from_files(&sheet, demo.policy_csv()).unwrap();
    let published = c.t.publish(&narrowed, 2, c.now());
    // The structures have not signed it yet: the stricter of both holds for them.
    c.t.sign_everybody(&published);
    for signed in [false, true] {
        if signed {
            // The référente and the director are of one town.
            c.t.sign_organisation(&published, c.t.person("director").organisation.clone());
        }
        assert!(c.reads("director", &health, Purpose::Stay), "{signed}");
        assert!(!c.reads("director", &coat, Purpose::Stay), "{signed}");
        let refusal = last_record(&c);
        assert!(
            refusal.reasons.contains(&Reason::PurposeExcludesCategory),
            "{signed}: {:?}",
            refusal.reasons
        );
        let view =
            c.preview("referente", Purpose::Stay, &[&health, &coat], None, Some(&["director"])).unwrap();
        let told = codes(&view);
        assert!(view.readers[0].things[0].will_read && !view.readers[0].things[1].will_read, "{told:?}");
        assert!(told.iter().any(|(_, codes)| codes == &[Reason::PurposeExcludesCategory]), "{told:?}");
        for body in [refusal, last_record(&c)] {
            assert_eq!(replayed(&c, &body).differences, 0, "{signed} {}", body.action);
            assert!(replayed(&c, &body).decisions > 0);
        }
    }
}

fn last_record(c: &Circle) -> LeafBody {
    let mut snapshot = c.t.app.store().snapshot().unwrap();
    let size = snapshot.log_frontier().unwrap().size();
    let text = snapshot.log_body(i64::try_from(size).unwrap() - 1).unwrap().unwrap();
    LeafBody::parse(&text).unwrap()
}

fn replayed(c: &Circle, body: &LeafBody) -> Replayed {
    let book = c.t.app.book(&mut c.t.app.store().snapshot().unwrap()).unwrap();
    let mut versions = Versions::new(book.editions().iter().map(|e| e.matrix.clone()).collect());
    let mut count = Replayed::default();
    replay_record(body, &mut versions, &mut count, &mut |d| println!("{d:?}"));
    count
}

#[test]
fn law_s11_previews_and_lists_do_not_tell_the_teacher_of_the_aemo() {
    let mut c = Circle::young();
    c.join("aemo", Mandate::Judicial, Role::Participant, None);
    c.join("teacher", Mandate::Contractual, Role::Participant, Some("referente"));
    let both = [c.mother.clone()];
    let lines = vec![c.line("teacher", &[], &[]), c.line("aemo", &[], &[]), c.line("referente", &[], &[])];
    c.accord_collected("teacher", Purpose::Coordination, lines, &both);
    let note = c.write("teacher", schooling());
    let view = c.preview("teacher", Purpose::Coordination, &[&note], None, None).unwrap();
    let names: Vec<&str> = view.readers.iter().map(|r| r.member.name.as_str()).collect();
    assert_eq!(names, ["Prénom referente"]);
    // Named by id, the hidden member and nobody at all are one answer.
    assert!(absent(c.preview("teacher", Purpose::Coordination, &[&note], None, Some(&["aemo"]))));
    assert!(absent(c.share("teacher", Purpose::Coordination, &[&note], &["aemo"], last(2027, 4, 1))));
    let nobody = NewShare {
        purpose: Purpose::Coordination,
        last_day: last(2027, 4, 1),
        departure: None,
        items: vec![note.clone()],
        category: None,
        recipients: vec![ParticipationId::random(c.t.app.chance()).unwrap()],
        statute: None,
    };
    assert!(absent(c.t.app.share_create(&c.call("teacher"), &c.pathway, &nobody)));
    // The AEMO knows itself and sees the teacher, who is hidden from nobody.
    let own = c.write("aemo", mobility());
    let view = c.preview("aemo", Purpose::Coordination, &[&own], None, None).unwrap();
    assert!(view.readers.iter().any(|r| r.member.name == "Prénom teacher"));
    // The référente knows of it no more than the teacher.
    let hers = c.write("referente", mobility());
    assert!(absent(c.preview("referente", Purpose::Coordination, &[&hers], None, Some(&["aemo"]))));
}

#[test]
fn law_s11_a_hypothetical_reader_is_answered_from_the_charter_alone() {
    let mut c = Circle::young();
    let bus = c.write("referente", mobility());
    let ask = |c: &Circle| {
        let aemo = c.key_of("aemo");
        let request = PreviewRequest {
            purpose: Purpose::Coordination,
            items: vec![bus.clone()],
            category: None,
            recipients: None,
            hypothetical: Some(Hypothetical {
                organisation: Some(aemo.organisation),
                profession: Profession::Aemo,
                mission: Some(aemo.mission),
                secrecy: Some(Secrecy::Bound),
            }),
            last_day: None,
            statute: None,
        };
        let view = c.t.app.preview(&c.call("referente"), &c.pathway, &request).unwrap().into_inner();
        assert!(view.readers.is_empty());
        serde_json::to_string(&view).unwrap()
    };
    let before = ask(&c);
    c.join("aemo", Mandate::Judicial, Role::Participant, None);
    c.accord(Purpose::Coordination, vec![c.line("aemo", &[Category::Mobility], &[])], &[c.mother.clone()]);
    assert_eq!(before, ask(&c), "neither a hidden place nor its accord changes a byte");
    assert!(before.contains("\"needs\":\"opening\""), "{before} {}", Level::Opening);
}

#[test]
fn law_r11_there_is_no_onward_sharing() {
    let mut c = Circle::young();
    for name in ["prevention", "mission_locale"] {
        c.join(name, Mandate::Contractual, Role::Participant, Some("referente"));
    }
    let lines = ["prevention", "mission_locale"].map(|n| c.line(n, &[Category::Mobility], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let bus = c.write("referente", mobility());
    // Before it reads it, it learns nothing.
    assert!(absent(c.share(
        "prevention",
        Purpose::Coordination,
        &[&bus],
        &["mission_locale"],
        last(2027, 4, 1)
    )));
    c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 4, 1)).unwrap();
    assert!(c.reads("prevention", &bus, Purpose::Coordination));
    let (code, _) =
        rule(c.share("prevention", Purpose::Coordination, &[&bus], &["mission_locale"], last(2027, 4, 1)));
    assert_eq!(code, "onward_sharing");
    assert!(!c.reads("mission_locale", &bus, Purpose::Coordination));
}

#[test]
fn law_a_share_is_promised_until_the_eve_of_the_eighteenth_birthday_and_is_read_until_then() {
    let mut c = Circle::of(day(2009, 6, 15));
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    let by = [CHILD, c.mother.clone(), c.father.clone()];
    c.accord(Purpose::Coordination, vec![c.line("prevention", &[], &[])], &by);
    let bus = c.write("referente", mobility());
    let share = |until| c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], until);
    let (code, message) = rule(share(last(2027, 6, 15)));
    assert_eq!(code, "beyond_majority");
    assert!(message.contains("15 juin 2027") && message.contains("est le 14 juin 2027"), "{message}");
    share(last(2027, 6, 14)).unwrap();
    c.t.go_to(2027, 6, 14);
    assert!(c.reads("prevention", &bus, Purpose::Coordination), "on the last day that was promised");
    c.t.go_to(2027, 6, 15);
    assert!(!c.reads("prevention", &bus, Purpose::Coordination));
}

#[test]
fn a_share_ends_with_its_accord_at_the_latest_and_counts_from_the_next_request() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    let accord = c.accord(Purpose::Coordination, vec![c.line("prevention", &[], &[])], &[c.mother.clone()]);
    let bus = c.write("referente", mobility());
    // Ten months: the accord counts until 1 January 2028.
    let (code, message) =
        rule(c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2028, 1, 2)));
    assert_eq!(code, "beyond_accord");
    assert!(message.contains("1er janvier 2028"), "{message}");
    let (code, _) =
        rule(c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 3, 1)));
    assert_eq!(code, "last_day_past");
    let shared =
        c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2028, 1, 1)).unwrap();
    assert!(c.reads("prevention", &bus, Purpose::Coordination));
    assert!(absent(c.t.app.share_end(
        &c.call("prevention"),
        &c.pathway,
        &share_id(&shared),
        &EndShare::default()
    )));
    c.t.app.share_end(&c.call("referente"), &c.pathway, &share_id(&shared), &EndShare::default()).unwrap();
    assert!(!c.reads("prevention", &bus, Purpose::Coordination), "on the next request");
    // A withdrawal closes what a new share would open.
    c.withdraw_on(&accord);
    let (_, message) =
        rule(c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 4, 1)));
    assert!(message.contains("La famille a retiré son accord"), "who collected it knows: {message}");
}

#[test]
fn law_5_a_refusal_recorded_elsewhere_reads_as_no_accord_in_force() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.join("mission_locale", Mandate::Contractual, Role::Participant, Some("referente"));
    let lines = ["prevention", "mission_locale"].map(|n| c.line(n, &[], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let note = c.write("referente", mobility());
    c.withdraw_everything();
    let view = c.preview("referente", Purpose::Coordination, &[&note], None, Some(&["prevention"])).unwrap();
    let reasons = &codes(&view)[0].1;
    assert!(reasons.contains(&Reason::AccordNotInForce), "{reasons:?}");
    assert!(!reasons.contains(&Reason::AccordWithdrawn));
}

#[test]
fn law_r22_a_new_version_joins_only_with_the_confirmed_list_of_readers() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.join("mission_locale", Mandate::Contractual, Role::Participant, Some("referente"));
    let lines = ["prevention", "mission_locale"].map(|n| c.line(n, &[Category::Mobility], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let bus = c.write("referente", mobility());
    let to = ["prevention", "mission_locale"];
    let shared = c.share("referente", Purpose::Coordination, &[&bus], &to, last(2027, 4, 1));
    // The référente is bound, the mission locale is not: the family has to release these words.
    assert_eq!(rule(shared).0, "will_not_read");
    let shared =
        c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 4, 1)).unwrap();
    let newer = c.write_version("referente", &bus.item, 2, mobility());
    assert!(c.reads("prevention", &bus, Purpose::Coordination), "the old one stays readable");
    assert!(!c.reads("prevention", &newer, Purpose::Coordination), "never automatic");
    // What was looked at before is no longer what would be shared.
    let stale = c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 4, 1));
    assert!(matches!(stale, Err(ServiceError::Conflict)));
    let join = |readers: Vec<ParticipationId>| {
        c.t.app.share_join(
            &c.call("referente"),
            &c.pathway,
            &share_id(&shared),
            &JoinShare { item: newer.clone(), readers },
        )
    };
    assert!(matches!(join(Vec::new()), Err(ServiceError::Conflict)));
    join(vec![c.place("prevention").clone()]).unwrap();
    assert!(c.reads("prevention", &newer, Purpose::Coordination));
    assert_eq!(rule(join(vec![c.place("prevention").clone()])).0, "already_shared");
}

#[test]
fn a_category_is_shared_only_where_no_text_has_to_be_shown() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(
        Purpose::Coordination,
        vec![c.line("prevention", &[Category::Family, Category::HealthMinimal], &[])],
        &[c.mother.clone()],
    );
    let home = c.write("referente", family());
    let of = |category| NewShare {
        purpose: Purpose::Coordination,
        last_day: last(2027, 4, 1),
        departure: None,
        items: Vec::new(),
        category: Some(category),
        recipients: vec![c.place("prevention").clone()],
        statute: None,
    };
    let health = c.t.app.share_create(&c.call("referente"), &c.pathway, &of(Category::HealthMinimal));
    assert_eq!(rule(health).0, "category_needs_texts");
    c.t.app.share_create(&c.call("referente"), &c.pathway, &of(Category::Family)).unwrap();
    assert!(c.reads("prevention", &home, Purpose::Coordination));
    let later = c.write("referente", family());
    assert!(!c.reads("prevention", &later, Purpose::Coordination), "it joins when its author confirms");
}

#[test]
fn law_s3_from_the_review_date_there_is_no_new_share() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(Purpose::Coordination, vec![c.line("prevention", &[], &[])], &[c.mother.clone()]);
    let bus = c.write("referente", mobility());
    c.review(day(2027, 3, 2));
    let refused = c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 4, 1));
    assert_eq!(rule(refused).0, "review_overdue");
    c.review(day(2027, 3, 3));
    c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 4, 1)).unwrap();
}

#[test]
fn r09_a_contributor_only_service_brings_and_does_not_receive() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::ContributorOnly, Some("referente"));
    let lines = ["prevention", "referente"].map(|n| c.line(n, &[], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let mine = c.write("referente", mobility());
    let theirs = c.write("prevention", mobility());
    let refused = c.share("referente", Purpose::Coordination, &[&mine], &["prevention"], last(2027, 4, 1));
    assert!(rule(refused).1.contains("apporte des informations mais n'en reçoit pas"));
    c.share("prevention", Purpose::Coordination, &[&theirs], &["referente"], last(2027, 4, 1)).unwrap();
    assert!(c.reads("referente", &theirs, Purpose::Coordination));
}

#[test]
fn a_page_that_offers_ones_own_writings_opens_nothing_of_what_others_shared() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    let lines = ["prevention", "referente"].map(|n| c.line(n, &[], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let bus = c.write("referente", mobility());
    let shared =
        c.share("referente", Purpose::Coordination, &[&bus], &["prevention"], last(2027, 4, 1)).unwrap();
    let read = || {
        let view = c.t.app.share_read(&c.call("referente"), &c.pathway, &share_id(&shared)).unwrap();
        view.readers[0].read.clone()
    };
    let list = |own| {
        let query = ItemsQuery { own, ..ItemsQuery::default() };
        c.t.app.items(&c.call("prevention"), &c.pathway, query).unwrap().items.len()
    };
    assert_eq!(list(true), 0);
    assert_eq!(read(), "pas encore lu", "choosing what to share is no reading of what was received");
    assert_eq!(list(false), 1);
    assert!(read().starts_with("lu le "));
}

#[test]
fn each_sees_of_a_share_what_concerns_it() {
    let (c, health, _) = camp("aemo");
    let shared = c.share("aemo", Purpose::Stay, &[&health], &["director"], last(2027, 3, 20)).unwrap();
    let list = |name| c.t.app.shares_list(&c.call(name), &c.pathway).map(|l| l.into_inner().items);
    let mine = list("aemo").unwrap();
    assert_eq!(mine[0].seen_as, Standpoint::Sharer);
    let view = c.t.app.share_read(&c.call("aemo"), &c.pathway, &share_id(&shared)).unwrap();
    assert_eq!(view.readers[0].read, "pas encore lu");
    assert!(view.readers[0].reads_now);
    // The référente cannot know of the AEMO here: its share is not in her outline.
    assert!(list("referente").unwrap().is_empty());
    assert!(absent(c.t.app.share_read(&c.call("referente"), &c.pathway, &share_id(&shared))));
    assert!(absent(list("director")), "the stay is all that its organiser sees");
}

#[test]
fn law_l226_2_2_a_statutory_record_carries_a_share_for_its_author_only_and_lapses() {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.join("nurse", Mandate::Contractual, Role::Participant, Some("referente"));
    let home = c.write("referente", family());
    let version = home.version.clone().unwrap();
    let (sharer, reader) = (c.t.person("referente").clone(), c.t.person("prevention").clone());
    let id = StatuteId::random(c.t.app.chance()).unwrap();
    let record = StatuteDraft {
        id: id.clone(),
        sharer: sharer.assignment,
        sharer_professional: sharer.professional,
        sharer_organisation: sharer.organisation,
        ground: Ground::Danger,
        necessity_stated: true,
        parents: PriorInformation::Given { on: day(2027, 3, 2) },
        child: PriorInformation::Given { on: day(2027, 3, 2) },
        items: [version].into(),
        recipients: [StatuteRecipient {
            participation: c.place("prevention").clone(),
            professional: reader.professional,
        }]
        .into(),
        recorded_at: c.now(),
    };
    let body = StatuteBody {
        record: StatutoryRecord::try_from(record).unwrap(),
        events: Vec::new(),
        author: c.place("referente").clone(),
    };
    c.fact_named(FactKind::Statute, id.as_str(), 1, &body);
    let new = |to: &str, purpose, statute| NewShare {
        purpose,
        last_day: last(2027, 5, 1),
        departure: None,
        items: vec![home.clone()],
        category: None,
        recipients: vec![c.place(to).clone()],
        statute,
    };
    let share = |by: &str, new: &NewShare| c.t.app.share_create(&c.call(by), &c.pathway, new);
    let without = share("referente", &new("prevention", Purpose::Protection, None));
    assert_eq!(rule(without).0, "will_not_read");
    let elsewhere = share("referente", &new("prevention", Purpose::Coordination, Some(id.clone())));
    assert!(rule(elsewhere).1.contains("ne s'applique pas ici"));
    // Whoever it does not name gets nothing from it.
    let nurse = share("referente", &new("nurse", Purpose::Protection, Some(id.clone())));
    assert_eq!(rule(nurse).0, "will_not_read");
    assert!(absent(share("prevention", &new("referente", Purpose::Protection, Some(id.clone())))));
    share("referente", &new("prevention", Purpose::Protection, Some(id))).unwrap();
    assert!(c.reads("prevention", &home, Purpose::Protection));
    c.t.go_to(2027, 4, 2);
    assert!(!c.reads("prevention", &home, Purpose::Protection), "thirty days without review");
}

#[test]
fn story_s6_after_a_withdrawal_a_share_is_halted_and_the_familys_sheet_names_no_reader() {
    use crate::service::share_views::Halt;
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.join("aemo", Mandate::Contractual, Role::Participant, Some("referente"));
    let lines = ["prevention", "aemo"].map(|n| c.line(n, &[Category::Family], &[])).to_vec();
    c.accord(Purpose::Coordination, lines, &[c.mother.clone()]);
    let home = c.write("referente", family());
    let made = c
        .share("referente", Purpose::Coordination, &[&home], &["prevention", "aemo"], last(2027, 12, 1))
        .unwrap();
    let line = |c: &Circle| {
        let mut all = c.t.app.shares_list(&c.call("referente"), &c.pathway).unwrap().into_inner().items;
        all.remove(0)
    };
    let before = line(&c);
    assert_eq!((before.read_by.len(), before.halted), (2, None));
    assert!(before.read_by.iter().all(|r| r.categories == [Category::Family]));
    let whole = || c.t.app.share_read(&c.call("referente"), &c.pathway, &share_id(&made)).unwrap();
    assert_eq!(whole().halted, None);
    c.withdraw_everything();
    let after = line(&c);
    assert!(after.in_force && after.read_by.is_empty(), "not over, and read by nobody");
    assert_eq!(after.halted, Some(Halt::NoAccord));
    assert_eq!(whole().halted, Some(Halt::NoAccord));
    // The circle says so of each place but that of the service that leads.
    let circle = c.t.app.circle(&c.call("referente"), &c.pathway).unwrap();
    for place in &circle.items {
        assert_eq!(place.without_accord, !place.me, "{}", place.who.name);
    }
}

#[test]
fn a_paused_share_says_that_it_waits_for_the_review() {
    use crate::service::share_views::Halt;
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    c.accord(
        Purpose::Coordination,
        vec![c.line("prevention", &[Category::Family], &[])],
        &[c.mother.clone()],
    );
    let home = c.write("referente", family());
    c.share("referente", Purpose::Coordination, &[&home], &["prevention"], last(2027, 12, 1)).unwrap();
    c.review(c.now().paris_day() - chrono::Duration::days(30));
    let lines = c.t.app.shares_list(&c.call("referente"), &c.pathway).unwrap();
    assert_eq!(lines.items[0].halted, Some(Halt::Paused));
}
