//! Hidden existence (S1, S11): who may know that somebody takes part, and how the words of a hidden author travel.

use super::*;

fn stay(author: u8) -> PathwayFacts {
    let members = circle();
    let mut f = everybody();
    let mut i = item(1, author, Category::HealthMinimal, Secrecy::Bound);
    i.for_stay = true;
    f.items.push(i);
    let shown = showing(line(9, key_of(&members[2]), &[]), 1, Category::HealthMinimal);
    let world = aged(16).with(
        draft(2, Purpose::Stay, vec![shown]),
        vec![
            (noon(-3), paper(mother(), &[9], plus(-3))),
            (noon(-3), opinion(plus(-3))),
            (noon(-3), paper(CHILD, &[9], plus(-3))),
        ],
    );
    f.accords.extend(world.accords);
    f.shares.push(share(1, author, Purpose::Stay, &[1], &[DIRECTOR]));
    f
}

#[test]
fn law_s1_the_director_reads_the_stay_from_either_author_alike() {
    let b = book();
    for author in [REFERENTE, AEMO] {
        let f = stay(author);
        let d = ask(&f, &b, DIRECTOR, 1, Some(Purpose::Stay), noon(0));
        assert!(d.permitted, "{:?}", reasons(&d));
        assert!(d.as_family, "shown as « Transmis par la famille », whoever wrote it");
        assert_eq!(ask(&f, &b, DIRECTOR, 1, Some(Purpose::Coordination), noon(0)).reason, Reason::NotShared);
    }
}

#[test]
fn law_s11_a_hidden_author_reaches_a_reader_only_through_the_family() {
    let b = book();
    let mut f = stay(AEMO);
    // Leisure needs an opening accord only; the AEMO is hidden from the teacher, who is not bound.
    f.items.push(item(2, AEMO, Category::Identity, Secrecy::Bound));
    f.shares.push(share(2, AEMO, Purpose::Coordination, &[2], &[TEACHER]));
    let d = ask(&f, &b, TEACHER, 2, Some(Purpose::Coordination), noon(0));
    assert_eq!(reasons(&d), [Reason::AuthorHidden], "identity needs no release, but from a hidden author");
    let mut open = everybody();
    open.items.push(item(2, PREVENTION, Category::Identity, Secrecy::Bound));
    open.shares.push(share(2, PREVENTION, Purpose::Coordination, &[2], &[TEACHER]));
    let d = ask(&open, &b, TEACHER, 2, Some(Purpose::Coordination), noon(0));
    assert!(d.permitted, "{:?}", reasons(&d));
}

fn sees(f: &PathwayFacts, b: &CharterBook, reader: u8, other: u8) -> bool {
    may_know(f, b, f.participation(&place(reader)).unwrap(), f.participation(&place(other)).unwrap(), noon(0))
}

#[test]
fn law_s11_a_judicial_participation_is_known_only_to_whom_the_rule_names() {
    let b = book();
    let f = everybody();
    assert!(sees(&f, &b, AEMO, AEMO), "itself");
    assert!(sees(&f, &b, PREVENTION, AEMO), "whoever invited it");
    for reader in [REFERENTE, DIRECTOR, TEACHER, NURSE] {
        assert!(!sees(&f, &b, reader, AEMO), "{reader}");
        assert!(sees(&f, &b, reader, TEACHER), "an open participation is known to all");
    }
    let mut colleague = everybody();
    let two = posted(21, 2, 2, Profession::Aemo, Secrecy::Bound);
    colleague.participations.push(takes_part(21, two, Role::Participant, Mandate::Contractual, Some(AEMO)));
    assert!(sees(&colleague, &b, 21, AEMO), "the same organisation and mission");
    // Whoever shares with it.
    let mut shares = everybody();
    shares.items.push(item(1, NURSE, Category::Schooling, Secrecy::Bound));
    shares.shares.push(share(1, NURSE, Purpose::Coordination, &[1], &[AEMO]));
    assert!(sees(&shares, &b, NURSE, AEMO));
    assert!(!sees(&shares, &b, TEACHER, AEMO), "a colleague of the same school learns nothing of it");
    // To be shared with by it tells nothing, but under the statute.
    let mut shared = everybody();
    shared.items.push(item(1, AEMO, Category::Schooling, Secrecy::Bound));
    shared.shares.push(share(1, AEMO, Purpose::Stay, &[1], &[DIRECTOR]));
    assert!(!sees(&shared, &b, DIRECTOR, AEMO));
}

#[test]
fn law_s11_the_referent_who_may_read_the_subject_sees_it_when_a_signed_notice_names_the_service() {
    let b = book();
    let members = circle();
    let mut f = everybody();
    let mut told = line(9, key_of(&members[0]), &[]);
    told.services.insert(key_of(&members[1]));
    let world = aged(16).with(draft(2, Purpose::Coordination, vec![told]), signed_by_all(&[9]));
    f.accords.extend(world.accords);
    assert!(sees(&f, &b, REFERENTE, AEMO));
    assert!(!sees(&f, &b, TEACHER, AEMO));
    // Half signed is not signed.
    let mut half = everybody();
    let mut told = line(9, key_of(&members[0]), &[]);
    told.services.insert(key_of(&members[1]));
    let world = aged(16)
        .with(draft(2, Purpose::Coordination, vec![told]), vec![(noon(-3), paper(mother(), &[9], plus(-3)))]);
    half.accords.extend(world.accords);
    assert!(!sees(&half, &b, REFERENTE, AEMO));
}

#[test]
fn existence_categories_follow_profession_and_mandate() {
    use Profession as P;
    for profession in P::ALL {
        assert_eq!(Existence::of(*profession, Mandate::Judicial), Existence::Judicial, "{profession}");
    }
    assert_eq!(Existence::of(P::YouthJustice, Mandate::Contractual), Existence::Judicial);
    assert_eq!(Existence::of(P::Aemo, Mandate::Contractual), Existence::Family);
    assert_eq!(Existence::of(P::ChildWelfare, Mandate::Territorial), Existence::Family);
    assert_eq!(Existence::of(P::Psychologist, Mandate::Contractual), Existence::HealthMinimal);
    assert_eq!(Existence::of(P::Teacher, Mandate::Contractual), Existence::Open);
}
