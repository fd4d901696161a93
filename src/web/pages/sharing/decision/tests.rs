//! « Lira / ne lira pas »: each missing link with the act that repairs it, and none that repairs nothing.

use super::*;
use crate::web::pages::frame::{Part, sample::frame, sample::frame_as};

fn about<'a>(frame: &'a Frame, labels: &'a [(ItemId, String)]) -> About<'a> {
    About { frame, purpose: Purpose::Schooling, labels, rest: "&purpose=schooling" }
}

#[test]
fn a_line_says_the_verdict_first_and_each_missing_link_with_its_act() {
    let (_, frame) = frame(Part::Other, "Partager");
    let labels = vec![(sample::item_id('b'), "Chambre".to_owned())];
    let lines = about(&frame, &labels).lines(&sample::preview());
    let said: Vec<_> = lines.iter().map(|l| (l.member.name.as_str(), l.verdict)).collect();
    assert_eq!(
        said,
        [("Julie Lambert", Verdict::All), ("Claire Morel", Verdict::Part), ("Paul Girard", Verdict::Nothing)]
    );
    assert_eq!(lines[0].groups.len(), 1, "what is the same is said once");
    assert_eq!(lines[0].groups[0].sentence, "Jusqu'au 14 juin 2027, avec l'accord signé le 2 mars.");
    let part = &lines[1];
    assert!(part.differs() && part.reports().unwrap().contains("juge"));
    assert_eq!(part.groups[1].labels, ["Chambre"]);
    let repair = part.groups[1].why[0].repair.as_ref().unwrap();
    assert_eq!(repair.label, "Ajouter ce sujet à l'accord");
    for piece in ["/accords/preparer?purpose=schooling", "&category=housing", ".aemo.", "&item=bbbb"] {
        assert!(repair.href.contains(piece), "{}", repair.href);
    }
    assert!(part.narrower.as_ref().unwrap().ends_with("aaa&purpose=schooling"));
    // Nothing repairs the ceiling: said in words, no link.
    let never = &lines[2].groups[0].why[0];
    assert!(never.repair.is_none() && never.hint.is_some());
}

/// SCREENS: « the act that would repair it » is a link, a telephone at least; the few that are none are named here.
#[test]
fn every_reason_of_a_refusal_has_a_link_but_those_that_nothing_repairs() {
    let words_only = [
        Reason::CeilingNever,
        Reason::PurposeExcludesCategory,
        // LAW §5: a refusal is not argued with.
        Reason::AccordRefused,
        Reason::AccordWithdrawn,
    ];
    for role in [Role::Referent, Role::Participant] {
        let (_, frame) = frame_as(role, Part::Other, "Partager");
        let about = about(&frame, &[]);
        for line in about.lines(&sample::every_reason()) {
            let [why] = line.groups[0].why.as_slice() else { panic!("{}", line.member.name) };
            let code = Reason::parse(&line.member.name).unwrap();
            let nothing = crate::domain::explain::repair(code).is_none();
            let in_words = words_only.contains(&code);
            assert_eq!(why.repair.is_none(), nothing || in_words, "{role:?} {code:?}");
            assert_eq!(nothing, why.repair.is_none() && why.hint.is_none(), "{role:?} {code:?}");
            if let Some(repair) = &why.repair {
                let leads = repair.href.starts_with(&frame.at("/")) || repair.href.starts_with("tel:0");
                assert!(leads, "{code:?}: {}", repair.href);
            }
        }
    }
}

#[test]
fn where_the_subject_is_excluded_nothing_else_is_offered() {
    let (_, frame) = frame(Part::Other, "Partager");
    let about = about(&frame, &[]);
    let teacher = || {
        use crate::domain::vocabulary::{Profession, Secrecy};
        sample::member('b', "Julie", Profession::Teacher, Secrecy::NotBound)
    };
    for excluding in [Reason::CeilingNever, Reason::PurposeExcludesCategory] {
        let mut pair = sample::no('a', Category::Schooling, Reason::AccordNotInForce);
        let before = about.missing_of(&teacher(), &pair);
        assert!(before[0].repair.is_some());
        pair.reasons.extend(sample::no('a', Category::Schooling, excluding).reasons);
        pair.reasons.extend(sample::no('a', Category::Schooling, Reason::NotFamilyReleased).reasons);
        let line = about.line(&sample::reader(teacher(), vec![pair]));
        for why in &line.groups[0].why {
            assert!(why.repair.is_none(), "{excluding:?}: {}", why.sentence);
            let says = why.sentence == crate::domain::explain::sentence(excluding, &said());
            assert_eq!(why.hint.is_some(), says, "{excluding:?}: {}", why.sentence);
        }
    }
}

fn said() -> crate::domain::explain::Context {
    crate::domain::explain::Context { purpose: Some(Purpose::Schooling), ..Default::default() }
}

#[test]
fn who_has_left_is_asked_about_at_a_number_that_answers() {
    let preview = sample::every_reason();
    let link = |frame: &Frame| {
        let lines = about(frame, &[]).lines(&preview);
        let gone = lines.iter().find(|l| l.member.name == "assignment_not_in_force").unwrap();
        gone.groups[0].why[0].repair.clone().unwrap()
    };
    let (_, frame) = frame_as(Role::Participant, Part::Other, "Partager");
    assert_eq!(link(&frame).href, "tel:0601020309", "the manager who names who takes over");
    // Nobody in that service: the référent, or whoever stands where there is none.
    let mut lone = sample::every_reason();
    for reader in &mut lone.readers {
        reader.member.replaced_by_asking = None;
    }
    let (_, without) = crate::web::pages::frame::sample::without_referent(Part::Other, "Partager");
    for (frame, number) in [(&frame, "tel:0601020301"), (&without, "tel:0601020309")] {
        let lines = about(frame, &[]).lines(&lone);
        let gone = lines.iter().find(|l| l.member.name == "assignment_not_in_force").unwrap();
        assert_eq!(gone.groups[0].why[0].repair.as_ref().unwrap().href, number);
    }
}

#[test]
fn without_a_referent_a_member_is_told_whom_to_ask_instead() {
    let (_, frame) = crate::web::pages::frame::sample::without_referent(Part::Other, "Partager");
    let pair = sample::no('a', Category::Schooling, Reason::AccordNotInForce);
    let why = about(&frame, &[]).why(None, &pair.reasons[0], Category::Schooling, &[], Lacks::Accord);
    let hint = why.hint.unwrap();
    assert!(hint.starts_with("Pas de référent en ce moment : demandez à Inès Roche"), "{hint}");
}

#[test]
fn a_hidden_author_passes_by_the_sheet_of_these_very_words() {
    let (_, frame) = frame_as(Role::Participant, Part::Other, "Partager");
    let teacher = || {
        use crate::domain::vocabulary::{Profession, Secrecy};
        sample::member('b', "Julie", Profession::Teacher, Secrecy::NotBound)
    };
    let mut pair = sample::no('a', Category::Schooling, Reason::NotFamilyReleased);
    pair.reasons.extend(sample::no('a', Category::Schooling, Reason::AuthorHidden).reasons);
    // The pause is no reason to ask the family for an accord that it has given.
    pair.reasons.extend(sample::no('a', Category::Schooling, Reason::SharingPaused).reasons);
    let whys = about(&frame, &[]).missing_of(&teacher(), &pair);
    for why in &whys[..2] {
        let href = &why.repair.as_ref().unwrap().href;
        assert!(href.contains("/validations/preparer?item=aaaa"), "{href}");
    }
    assert_eq!(whys[1].repair.as_ref().unwrap().label, "Faire transmettre par la famille");
    assert_eq!(whys[2].repair.as_ref().unwrap().href, "tel:0601020301", "the référent holds the review");
}

#[test]
fn where_nothing_is_written_the_words_come_first() {
    let (_, frame) = frame(Part::Other, "Partager");
    let pair = sample::no('a', Category::Schooling, Reason::NotFamilyReleased);
    let why = about(&frame, &[]).why(None, &pair.reasons[0], Category::Schooling, &[], Lacks::Text);
    assert!(why.repair.unwrap().href.ends_with("/ecrire?category=schooling"));
}

#[test]
fn what_the_family_must_validate_comes_ticked_and_asks_for_nothing_more() {
    let (_, frame) = frame(Part::Other, "Partager");
    let about = about(&frame, &[]);
    let teacher = || {
        let (profession, secrecy) =
            (crate::domain::vocabulary::Profession::Teacher, crate::domain::vocabulary::Secrecy::NotBound);
        sample::member('b', "Julie", profession, secrecy)
    };
    let no = |c, code| sample::no(c, Category::Schooling, code);
    let href = |things: Vec<PairView>| {
        let line = about.line(&sample::reader(teacher(), things));
        line.groups[0].why[0].repair.as_ref().unwrap().href.clone()
    };
    let (a, b) = (sample::item_id('a'), sample::item_id('b'));
    let one = href(vec![no('a', Reason::NotFamilyReleased)]);
    assert!(one.contains(&format!("/validations/preparer?item={a}&recipient=")), "{one}");
    let both = href(vec![no('a', Reason::NotFamilyReleased), no('b', Reason::NotFamilyReleased)]);
    assert!(both.contains("/accords/preparer?") && both.ends_with(&format!("&item={a}.{b}")), "{both}");
    assert!(!both.contains("category="), "the words, not the whole subject: {both}");
    // An accord is lacking too: its sheet shows the words, and the family signs once.
    let mut pair = no('a', Reason::NotFamilyReleased);
    pair.reasons.extend(no('a', Reason::AccordNotInForce).reasons);
    assert!(href(vec![pair]).contains("/accords/preparer?"));
}

#[test]
fn a_contributor_is_offered_no_accord_to_collect() {
    let (_, frame) = frame_as(Role::ContributorOnly, Part::Other, "Partager");
    let pair = sample::no('a', Category::Schooling, Reason::AccordNotInForce);
    let why = about(&frame, &[]).why(None, &pair.reasons[0], Category::Schooling, &[], Lacks::Accord);
    assert!(why.repair.is_none() && why.hint.unwrap().contains("référent"));
}

#[test]
fn what_the_verdict_says_is_not_said_twice() {
    assert_eq!(after_verdict("Lira jusqu'au 14 mars 2027."), "Jusqu'au 14 mars 2027.");
    assert_eq!(after_verdict("Lira, avec l'accord de la famille."), "Avec l'accord de la famille.");
    assert_eq!(after_verdict("Il n'y a pas d'accord."), "Il n'y a pas d'accord.");
}
