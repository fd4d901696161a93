//! Members and answers for samples.

use super::*;
use crate::domain::day::Day;
use crate::domain::vocabulary::{Profession, Secrecy};
use crate::ids::{ItemVersionId, MissionId, OrganisationId, ParticipationId};

fn letters(c: char) -> String {
    // 26 letters hold two bits more than an id: the last one is the first of the alphabet.
    std::iter::repeat_n(c, 25).chain(['a']).collect()
}

pub fn item_id(c: char) -> ItemId {
    ItemId::parse(&letters(c)).unwrap()
}

pub fn version_id(c: char) -> ItemVersionId {
    ItemVersionId::parse(&letters(c)).unwrap()
}

pub fn member(c: char, name: &str, profession: Profession, secrecy: Secrecy) -> MemberView {
    MemberView {
        participation: ParticipationId::parse(&letters(c)).unwrap(),
        name: name.to_owned(),
        organisation_id: OrganisationId::parse(&letters('a')).unwrap(),
        mission_id: MissionId::parse(&letters('a')).unwrap(),
        organisation: "Collège Jean-Moulin".to_owned(),
        profession,
        mission: "Enseignement".to_owned(),
        secrecy,
        secrecy_basis: "Aucun texte".to_owned(),
        stated_by: Some("Inès Roche".to_owned()),
        confirmed_by: None,
        charter_signed: true,
        telephone: Some("0601020304".to_owned()),
        accountable: None,
        replaced_by_asking: None,
    }
}

pub fn yes(c: char) -> PairView {
    PairView {
        item: Some(item_id(c)),
        version: Some(version_id(c)),
        category: Category::Schooling,
        will_read: true,
        sentence: "Lira jusqu'au 14 juin 2027, avec l'accord signé le 2 mars.".to_owned(),
        until: Day::parse("2027-06-14").ok(),
        regime: Some(Regime::Accord),
        reasons: Vec::new(),
    }
}

pub fn no(c: char, category: Category, code: Reason) -> PairView {
    use crate::domain::explain::{Context, repair_line, sentence};
    let context = Context { purpose: Some(Purpose::Schooling), ..Context::default() };
    let said = sentence(code, &context);
    PairView {
        item: Some(item_id(c)),
        version: Some(version_id(c)),
        category,
        will_read: false,
        sentence: said.clone(),
        until: None,
        regime: None,
        reasons: vec![ReasonView { code, sentence: said, repair: repair_line(code, &context) }],
    }
}

pub fn reader(member: MemberView, things: Vec<PairView>) -> ReaderView {
    ReaderView { will_read_all: things.iter().all(|t| t.will_read), member, things }
}

/// A teacher who reads all, an AEMO educator who reads one, a camp director who reads nothing.
pub fn preview() -> PreviewView {
    let teacher = member('b', "Julie Lambert", Profession::Teacher, Secrecy::NotBound);
    let aemo = member('c', "Claire Morel", Profession::Aemo, Secrecy::Bound);
    let director = member('d', "Paul Girard", Profession::StayOrganiser, Secrecy::NotBound);
    PreviewView {
        purpose: Purpose::Schooling,
        readers: vec![
            reader(aemo, vec![yes('a'), no('b', Category::Housing, Reason::AccordTooNarrow)]),
            reader(teacher, vec![yes('a'), PairView { item: Some(item_id('b')), ..yes('b') }]),
            reader(
                director,
                vec![
                    no('a', Category::Schooling, Reason::CeilingNever),
                    no('b', Category::Housing, Reason::CeilingNever),
                ],
            ),
        ],
        hypothetical: Vec::new(),
    }
}

/// One line for each reason of a refusal that a preview gives, its reader named after it.
pub fn every_reason() -> PreviewView {
    let codes = Reason::ALL.iter().copied().filter(|code| {
        !matches!(
            code,
            Reason::Accord
                | Reason::Statute
                | Reason::OwnItem
                | Reason::Member
                | Reason::Emergency
                | Reason::EmergencyEnded
        )
    });
    let readers = codes.map(|code| {
        let mut somebody = member('b', code.code(), Profession::Teacher, Secrecy::NotBound);
        if code == Reason::AssignmentNotInForce {
            use crate::web::pages::frame::sample::reachable;
            somebody.replaced_by_asking = Some(reachable("Inès Roche", Profession::Teacher, "0601020309"));
        }
        reader(somebody, vec![no('a', Category::Schooling, code)])
    });
    PreviewView { purpose: Purpose::Schooling, readers: readers.collect(), hypothetical: Vec::new() }
}
