//! The gates, one by one and together; the charter's transition; the world that their neighbours share.

use std::sync::Arc;

use super::facts::{
    AssignmentFacts, HandoverFacts, ItemFacts, ItemKind, ParticipationFacts, PathwayFacts, ShareFacts,
    ShareRecipient, VersionFacts,
};
use super::*;
use crate::charter::Charter;
use crate::charter::table::judge;
use crate::clock::Timestamp;
use crate::domain::accord::fixture::{
    CHILD, Fixed, World, aged, assignment, day, draft, father, line, mother, noon, opinion, organisation,
    paper, plus, showing, version, withdrawn,
};
use crate::domain::accord::{RecipientKey, Scope};
use crate::domain::cell::{Need, Reason, TableFacts};
use crate::domain::vocabulary::{
    Category, Function, Mandate, Profession, Purpose, Regime, Role, Secrecy, Step,
};
use crate::ids::{
    CharterId, HandoverId, ItemId, MissionId, ParticipationId, PathwayId, ProfessionalId, SessionId, ShareId,
};

mod emergency;
mod hidden;
mod resources;
mod ways_round;

fn charter_id(n: u8) -> CharterId {
    CharterId::random(&Fixed(n)).unwrap()
}

fn edition(n: u8, number: i64, effective_at: Timestamp, charter: Charter, signed_by: &[u8]) -> Edition {
    let charter = Arc::new(charter);
    Edition {
        id: charter_id(n),
        number,
        published_at: effective_at,
        effective_at,
        matrix: Arc::new(charter.matrix().clone()),
        charter,
        signed_by: signed_by.iter().map(|n| organisation(*n)).collect(),
    }
}

fn book() -> CharterBook {
    CharterBook::new(
        1,
        vec![edition(1, 1, noon(-100), Charter::embedded_demo().unwrap(), &[1, 2, 3, 4, 5, 6])],
    )
}

/// An assignment in organisation and mission `org`, with id `n`.
fn posted(n: u8, org: u8, mission: u8, profession: Profession, secrecy: Secrecy) -> AssignmentFacts {
    AssignmentFacts {
        id: assignment(n),
        version: 1,
        professional: ProfessionalId::random(&Fixed(n)).unwrap(),
        organisation: organisation(org),
        mission: MissionId::random(&Fixed(mission)).unwrap(),
        profession,
        function: Function::Practitioner,
        stated_secrecy: secrecy,
        secrecy_until: None,
        starts_at: noon(-50),
        ends_at: None,
        confirmed: true,
        account_confirmed: true,
        signed: vec![charter_id(1)],
    }
}

fn place(n: u8) -> ParticipationId {
    ParticipationId::random(&Fixed(n)).unwrap()
}

fn takes_part(
    n: u8,
    assignment: AssignmentFacts,
    role: Role,
    mandate: Mandate,
    by: Option<u8>,
) -> ParticipationFacts {
    ParticipationFacts {
        id: place(n),
        version: 1,
        existence: Existence::of(assignment.profession, mandate),
        assignment,
        mandate,
        role,
        invited_by: by.map(place),
        invited_at: noon(-10),
        accepted_at: Some(noon(-9)),
        ended_at: None,
        until_at: None,
        stands_in_for: None,
    }
}

const REFERENTE: u8 = 10;
const AEMO: u8 = 11;
const DIRECTOR: u8 = 12;
const TEACHER: u8 = 13;
const NURSE: u8 = 14;
const PREVENTION: u8 = 15;

/// Organisations: 1 town (missions 1 PRE, 7 camps), 2 AEMO service, 3 college (3 teaching, 8 health), 4 prevention.
fn circle() -> Vec<ParticipationFacts> {
    use Profession as P;
    let contractual = Mandate::Contractual;
    vec![
        takes_part(
            REFERENTE,
            posted(REFERENTE, 1, 1, P::ReferentPre, Secrecy::Bound),
            Role::Referent,
            contractual,
            None,
        ),
        takes_part(
            AEMO,
            posted(AEMO, 2, 2, P::Aemo, Secrecy::Bound),
            Role::Participant,
            Mandate::Judicial,
            Some(PREVENTION),
        ),
        takes_part(
            DIRECTOR,
            posted(DIRECTOR, 1, 7, P::StayOrganiser, Secrecy::NotBound),
            Role::StayOrganiser,
            contractual,
            Some(REFERENTE),
        ),
        takes_part(
            TEACHER,
            posted(TEACHER, 3, 3, P::Teacher, Secrecy::NotBound),
            Role::Participant,
            contractual,
            Some(REFERENTE),
        ),
        takes_part(
            NURSE,
            posted(NURSE, 3, 8, P::SchoolHealth, Secrecy::Bound),
            Role::Participant,
            contractual,
            Some(REFERENTE),
        ),
        takes_part(
            PREVENTION,
            posted(PREVENTION, 4, 4, P::SpecialisedPrevention, Secrecy::Bound),
            Role::Participant,
            contractual,
            Some(REFERENTE),
        ),
    ]
}

fn key_of(p: &ParticipationFacts) -> RecipientKey {
    p.assignment.recipient_key()
}

fn item(n: u8, author: u8, category: Category, secrecy: Secrecy) -> ItemFacts {
    ItemFacts {
        id: ItemId::random(&Fixed(n)).unwrap(),
        version: 1,
        kind: ItemKind::Item,
        category,
        subjects: Vec::new(),
        for_stay: false,
        author: place(author),
        author_assignment: assignment(author),
        versions: vec![VersionFacts {
            id: version(n),
            number: 1,
            author_secrecy: secrecy,
            created_at: noon(-5),
            valid_from: noon(-5),
            valid_until: None,
            erased: false,
        }],
    }
}

fn share(n: u8, sharer: u8, purpose: Purpose, versions: &[u8], to: &[u8]) -> ShareFacts {
    ShareFacts {
        id: ShareId::random(&Fixed(n)).unwrap(),
        version: 1,
        sharer: place(sharer),
        purpose,
        starts: noon(-1),
        ends: noon(60),
        ended_at: None,
        category: None,
        versions: versions.iter().map(|v| version(*v)).collect(),
        recipients: to
            .iter()
            .map(|p| ShareRecipient { participation: place(*p), statute: None, ended_at: None })
            .collect(),
        handover: None,
        departure: None,
    }
}

/// A fourteen-year-old would suspend; this one is sixteen, with two parents.
fn facts(world: World) -> PathwayFacts {
    PathwayFacts {
        id: PathwayId::random(&Fixed(1)).unwrap(),
        version: 1,
        lead: organisation(1),
        step: Step::Accompaniment,
        review_on: None,
        opened_at: noon(-20),
        closed_at: None,
        person: world.person,
        holders: world.holders,
        impossibilities: world.impossibilities,
        requests: Vec::new(),
        participations: circle(),
        accords: world.accords,
        releases: world.releases,
        standing: world.standing,
        statutes: Vec::new(),
        shares: Vec::new(),
        items: Vec::new(),
        handovers: Vec::new(),
        deferrals: Vec::new(),
        emergencies: Vec::new(),
    }
}

/// Everybody is named by an accord for coordination, signed by both parents and the young person.
fn everybody() -> PathwayFacts {
    let members = circle();
    let lines = (1_u8..).zip(&members).map(|(n, p)| line(n, key_of(p), &[])).collect();
    facts(aged(16).with(draft(1, Purpose::Coordination, lines), signed_by_all(&[1, 2, 3, 4, 5, 6])))
}

fn signed_by_all(boxes: &[u8]) -> Vec<(Timestamp, crate::domain::accord::EventKind)> {
    vec![
        (noon(-3), paper(mother(), boxes, plus(-3))),
        (noon(-3), paper(father(), boxes, plus(-3))),
        (noon(-3), opinion(plus(-3))),
        (noon(-3), paper(CHILD, boxes, plus(-3))),
    ]
}

fn ask(
    f: &PathwayFacts,
    b: &CharterBook,
    reader: u8,
    n: u8,
    purpose: Option<Purpose>,
    now: Timestamp,
) -> Decision {
    let (item, version) = f.version(&version(n)).expect("the item of the test");
    let participation = f.participation(&place(reader)).unwrap();
    decide_item(&Question {
        facts: f,
        book: b,
        assignment: &participation.assignment,
        participation: Some(participation),
        asker: None,
        item,
        version,
        purpose,
        mode: Mode::Read,
        now,
    })
}

fn reasons(d: &Decision) -> Vec<Reason> {
    d.failing.iter().map(|f| f.reason).collect()
}

/// The prevention educator's housing note, shared with the référente under an accord that names the category.
fn shared_housing() -> PathwayFacts {
    let members = circle();
    let mut f = everybody();
    let reader = key_of(&members[0]);
    let world = aged(16).with(
        draft(2, Purpose::Coordination, vec![line(9, reader, &[Category::Housing])]),
        signed_by_all(&[9]),
    );
    f.accords.extend(world.accords);
    f.items.push(item(1, PREVENTION, Category::Housing, Secrecy::Bound));
    f.shares.push(share(1, PREVENTION, Purpose::Coordination, &[1], &[REFERENTE]));
    f
}

fn resource(f: &PathwayFacts, reader: u8, r: &Resource) -> Decision {
    let p = f.participation(&place(reader)).unwrap();
    decide_resource(f, &book(), &p.assignment, Some(p), r, noon(0))
}

fn change(f: &mut PathwayFacts, n: u8, how: impl FnOnce(&mut ParticipationFacts)) {
    how(f.participations.iter_mut().find(|p| p.id == place(n)).unwrap());
}

#[test]
fn a_shared_item_is_read_when_every_gate_opens() {
    let f = shared_housing();
    let d = ask(&f, &book(), REFERENTE, 1, Some(Purpose::Coordination), noon(0));
    assert!(d.permitted, "{:?}", reasons(&d));
    assert_eq!(d.reason, Reason::Accord);
    assert!(
        d.basis.iter().any(|b| b.starts_with("share:")) && d.basis.iter().any(|b| b.starts_with("accord:"))
    );
    assert!(d.valid_until <= noon(60), "a permit ends with its share at the latest");
}

#[test]
fn law_gate_1_an_ended_unconfirmed_or_unsigned_assignment_reads_nothing() {
    let b = book();
    let read = |how: fn(&mut ParticipationFacts)| {
        let mut f = shared_housing();
        change(&mut f, REFERENTE, how);
        reasons(&ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(0)))
    };
    assert_eq!(read(|p| p.assignment.ends_at = Some(noon(-1)))[0], Reason::AssignmentNotInForce);
    assert_eq!(read(|p| p.assignment.confirmed = false)[0], Reason::AssignmentNotInForce);
    assert_eq!(read(|p| p.assignment.account_confirmed = false)[0], Reason::AssignmentNotInForce);
    assert_eq!(read(|p| p.assignment.starts_at = noon(1))[0], Reason::AssignmentNotInForce);
    assert_eq!(read(|p| p.assignment.signed.clear())[0], Reason::CharterNotSignedPerson);
    let unsigned =
        CharterBook::new(1, vec![edition(1, 1, noon(-100), Charter::embedded_demo().unwrap(), &[2])]);
    let f = shared_housing();
    let d = ask(&f, &unsigned, REFERENTE, 1, Some(Purpose::Coordination), noon(0));
    assert_eq!(d.reason, Reason::CharterNotSignedOrganisation);
}

#[test]
fn gate_2_needs_a_place_that_was_accepted_and_is_still_named() {
    let b = book();
    let read = |how: fn(&mut ParticipationFacts)| {
        let mut f = shared_housing();
        change(&mut f, REFERENTE, how);
        ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(0)).reason
    };
    assert_eq!(read(|p| p.accepted_at = None), Reason::InvitationPending);
    assert_eq!(read(|p| p.ended_at = Some(noon(-1))), Reason::NotAParticipant);
    assert_eq!(read(|p| p.until_at = Some(noon(0))), Reason::NotAParticipant);
    assert_eq!(read(|p| p.role = Role::ContributorOnly), Reason::ContributorOnly);
    // The teacher's place rests on the accord alone: withdrawn, it is no place any more.
    let mut f = everybody();
    f.items.push(item(2, TEACHER, Category::Schooling, Secrecy::NotBound));
    assert!(ask(&f, &b, TEACHER, 2, None, noon(0)).permitted, "its own item, while named");
    f.standing
        .push(crate::domain::accord::Event::new(noon(0), 0, withdrawn(mother(), Scope::Everything)).unwrap());
    let d = ask(&f, &b, TEACHER, 2, None, noon(1));
    assert_eq!(d.reason, Reason::NotAParticipant);
}

#[test]
fn gate_3_sharing_an_organisation_opens_nothing() {
    let b = book();
    let mut f = everybody();
    // The town runs PRE and camp; the school employs teacher and nurse.
    f.items.push(item(1, REFERENTE, Category::Leisure, Secrecy::Bound));
    f.items.push(item(2, NURSE, Category::Schooling, Secrecy::Bound));
    assert!(!ask(&f, &b, DIRECTOR, 1, None, noon(0)).permitted);
    assert!(!ask(&f, &b, TEACHER, 2, None, noon(0)).permitted);
    assert_eq!(ask(&f, &b, REFERENTE, 1, None, noon(0)).reason, Reason::OwnItem);
}

#[test]
fn gate_3_a_colleague_of_the_mission_reads_only_if_bound_when_the_author_holds_a_secret() {
    let b = book();
    for (secrecy, expected) in
        [(Secrecy::Bound, true), (Secrecy::Contested, false), (Secrecy::NotBound, false)]
    {
        let mut f = everybody();
        let colleague = posted(20, 1, 1, Profession::ReferentPre, secrecy);
        f.participations.push(takes_part(
            20,
            colleague,
            Role::Participant,
            Mandate::Contractual,
            Some(REFERENTE),
        ));
        f.items.push(item(1, REFERENTE, Category::Leisure, Secrecy::Bound));
        assert_eq!(ask(&f, &b, 20, 1, None, noon(0)).permitted, expected, "{secrecy}");
    }
}

#[test]
fn gate_3_a_contributor_reads_what_it_wrote_and_nothing_that_is_shared_with_it() {
    let b = book();
    let mut f = shared_housing();
    change(&mut f, REFERENTE, |p| p.role = Role::ContributorOnly);
    f.items.push(item(2, REFERENTE, Category::Leisure, Secrecy::Bound));
    assert!(ask(&f, &b, REFERENTE, 2, None, noon(0)).permitted);
    assert!(!ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(0)).permitted);
}

#[test]
fn gate_4_names_purpose_version_period_and_reader() {
    let b = book();
    let purpose = Some(Purpose::Coordination);
    let f = shared_housing();
    assert_eq!(ask(&f, &b, REFERENTE, 1, None, noon(0)).reason, Reason::NotShared);
    assert_eq!(ask(&f, &b, REFERENTE, 1, Some(Purpose::Handover), noon(0)).reason, Reason::NotShared);
    let mut ended = shared_housing();
    ended.shares[0].ended_at = Some(noon(0));
    assert_eq!(ask(&ended, &b, REFERENTE, 1, purpose, noon(0)).reason, Reason::ShareEnded);
    let mut for_others = shared_housing();
    for_others.shares[0].recipients[0].participation = place(NURSE);
    assert_eq!(ask(&for_others, &b, REFERENTE, 1, purpose, noon(0)).reason, Reason::NotShared);
    let mut early = shared_housing();
    early.shares[0].starts = noon(1);
    assert_eq!(ask(&early, &b, REFERENTE, 1, purpose, noon(0)).reason, Reason::NotShared);
    assert!(ask(&f, &b, REFERENTE, 1, purpose, noon(59)).permitted);
    assert_eq!(ask(&f, &b, REFERENTE, 1, purpose, noon(60)).reason, Reason::ShareEnded);
}

#[test]
fn gate_4_a_handover_shows_no_words_until_both_ends_confirm() {
    let b = book();
    let mut f = shared_housing();
    let id = HandoverId::random(&Fixed(3)).unwrap();
    f.shares[0].handover = Some(id.clone());
    f.handovers.push(HandoverFacts {
        id,
        version: 1,
        outgoing: place(PREVENTION),
        incoming: place(REFERENTE),
        share: f.shares[0].id.clone(),
        accepted_at: Some(noon(-1)),
        declined_at: None,
        outgoing_confirmed_at: Some(noon(-1)),
        incoming_confirmed_at: None,
    });
    let purpose = Some(Purpose::Coordination);
    assert_eq!(ask(&f, &b, REFERENTE, 1, purpose, noon(0)).reason, Reason::NotShared);
    f.handovers[0].incoming_confirmed_at = Some(noon(-1));
    assert!(ask(&f, &b, REFERENTE, 1, purpose, noon(0)).permitted);
}

#[test]
fn gate_6_a_withdrawal_closes_the_next_read_and_majority_lapses_at_midnight() {
    let b = book();
    let purpose = Some(Purpose::Coordination);
    let mut f = shared_housing();
    let until = ask(&f, &b, REFERENTE, 1, purpose, noon(0)).valid_until;
    f.standing.push(
        crate::domain::accord::Event::new(
            noon(1),
            0,
            withdrawn(father(), Scope::Category(Category::Housing)),
        )
        .unwrap(),
    );
    assert!(ask(&f, &b, REFERENTE, 1, purpose, noon(0)).permitted, "what came before stays lawful");
    assert_eq!(ask(&f, &b, REFERENTE, 1, purpose, noon(2)).reason, Reason::AccordWithdrawn);
    assert!(until <= noon(60));
    // S5: seventeen, the birthday inside the share.
    let mut f = shared_housing();
    let birth = day(2008, 4, 1);
    f.person = crate::domain::person::PersonFacts::new(Some(birth), None, false).unwrap();
    let midnight = Timestamp::paris_midnight(day(2026, 4, 1));
    assert!(ask(&f, &b, REFERENTE, 1, purpose, midnight.plus_micros(-1)).permitted);
    let after = ask(&f, &b, REFERENTE, 1, purpose, midnight);
    assert!(reasons(&after).contains(&Reason::AccordExpired), "{:?}", reasons(&after));
    assert!(ask(&f, &b, REFERENTE, 1, purpose, noon(0)).valid_until <= midnight);
}

#[test]
fn gate_8_an_expired_or_erased_version_is_closed_even_to_its_author() {
    let b = book();
    let mut f = shared_housing();
    f.items[0].versions[0].valid_until = Some(noon(0));
    assert_eq!(ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(0)).reason, Reason::ItemExpired);
    assert_eq!(ask(&f, &b, PREVENTION, 1, None, noon(0)).reason, Reason::ItemExpired);
    f.items[0].versions[0].valid_until = None;
    f.items[0].versions[0].erased = true;
    assert_eq!(ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(0)).reason, Reason::ItemExpired);
}

#[test]
fn a_synthesis_is_read_under_the_strictest_of_its_subjects() {
    let b = book();
    let mut f = everybody();
    let mut synthesis = item(1, REFERENTE, Category::Evaluation, Secrecy::Bound);
    synthesis.subjects = vec![Category::Schooling, Category::HealthDetailed];
    f.items.push(synthesis);
    f.shares.push(share(1, REFERENTE, Purpose::Coordination, &[1], &[PREVENTION]));
    let d = ask(&f, &b, PREVENTION, 1, Some(Purpose::Coordination), noon(0));
    assert!(reasons(&d).contains(&Reason::CeilingNever), "health_detailed is N: {:?}", reasons(&d));
}

/// The stay of S1: accord for `stay` that shows version 1 to the director, signed by one parent and the young person.
#[test]
fn gates_5_to_7_agree_with_the_decision_table_whatever_the_pathway() {
    // The facts that the pathway of the test gives are judged by the same rule as the table's 700 rows.
    let b = book();
    let matrix = b.in_force(noon(0)).unwrap().matrix.clone();
    let f = shared_housing();
    for category in Category::ALL {
        for reader in [REFERENTE, NURSE, TEACHER, DIRECTOR] {
            let mut g = everybody();
            g.accords.clone_from(&f.accords);
            g.items.push(item(1, PREVENTION, *category, Secrecy::Bound));
            g.shares.push(share(1, PREVENTION, Purpose::Coordination, &[1], &[reader]));
            let d = ask(&g, &b, reader, 1, Some(Purpose::Coordination), noon(0));
            let table: TableFacts = d.facts.expect("gates 5 to 7 were judged");
            let judged = judge(&matrix, &table);
            if judged.permitted {
                let others: Vec<_> = d.failing.iter().filter(|f| (5..=7).contains(&f.gate)).collect();
                assert!(others.is_empty(), "{category} to {reader}: {others:?}");
            } else {
                assert!(reasons(&d).contains(&judged.reason), "{category} to {reader}");
                assert!(!d.permitted);
            }
        }
    }
}

#[test]
fn law_s14_an_unsigned_organisation_goes_on_for_ninety_days_under_the_stricter_of_both() {
    let v1 = Charter::embedded_demo().unwrap();
    let v2 = Charter::embedded_demo_v2().unwrap();
    let effective = Timestamp::paris_midnight(plus(30));
    let b =
        CharterBook::new(2, vec![edition(1, 1, noon(-100), v1, &[1, 2]), edition(2, 2, effective, v2, &[2])]);
    let housing = |org: u8, now| {
        b.organisation_standing(&organisation(org), now)
            .map(|s| s.matrix.cell(Profession::MissionLocale, Secrecy::NotBound, Category::Housing).need())
    };
    assert_eq!(housing(1, noon(0)), Ok(Need::Category), "published ahead changes nothing yet");
    let day_of = noon(31);
    assert_eq!(housing(1, day_of), Ok(Need::Never), "unsigned: the stricter of both");
    assert_eq!(housing(2, day_of), Ok(Need::Never));
    let standing = b.organisation_standing(&organisation(1), day_of).unwrap();
    assert_eq!(standing.matrix.policy_hashes().len(), 2, "the record carries both hashes");
    let over = Timestamp::paris_midnight(plus(30) + chrono::Duration::days(90));
    assert!(housing(1, over.plus_micros(-1)).is_ok());
    assert_eq!(housing(1, over), Err(Reason::CharterNotSignedOrganisation));
    assert_eq!(standing.valid_until, over);
    assert_eq!(housing(3, day_of), Err(Reason::CharterNotSignedOrganisation), "never signed anything");
}

#[test]
fn law_an_expired_secrecy_status_reads_as_not_bound() {
    let mut a = posted(1, 1, 1, Profession::ReferentPre, Secrecy::Bound);
    a.secrecy_until = Some(noon(1));
    assert_eq!(a.secrecy_at(noon(0)), Secrecy::Bound);
    assert_eq!(a.secrecy_at(noon(1)), Secrecy::NotBound);
    assert_eq!(a.valid_until(noon(0)), noon(1));
}

#[test]
fn a_successor_reads_what_was_shared_with_the_place_it_took() {
    let b = book();
    let mut f = shared_housing();
    let next = posted(22, 1, 1, Profession::ReferentPre, Secrecy::Bound);
    let mut p = takes_part(22, next, Role::Referent, Mandate::Contractual, None);
    p.stands_in_for = Some(place(REFERENTE));
    f.participations.push(p);
    change(&mut f, REFERENTE, |p| p.ended_at = Some(noon(-1)));
    assert!(ask(&f, &b, 22, 1, Some(Purpose::Coordination), noon(0)).permitted);
    assert!(!ask(&f, &b, REFERENTE, 1, Some(Purpose::Coordination), noon(0)).permitted);
}

#[test]
fn a_gate_remembers_every_decision_for_the_record() {
    let b = book();
    let f = shared_housing();
    let me = f.participation(&place(REFERENTE)).unwrap();
    let stamp = SessionStamp { id: SessionId::random(&Fixed(1)).unwrap(), version: 1, expires_at: noon(1) };
    let actor = Actor::authenticated(me.assignment.clone(), stamp);
    let mut gate = Gate::new(&actor, &f, &b, noon(0));
    let (i, v) = f.version(&version(1)).unwrap();
    assert!(gate.item(i, v, Some(Purpose::Coordination)).is_ok());
    assert!(gate.item(i, v, Some(Purpose::Coordination)).is_ok());
    assert!(gate.item(i, v, Some(Purpose::Handover)).is_err());
    assert_eq!(gate.valid_until(), noon(1), "the session ends first");
    let (trail, categories, basis) = gate.into_trail();
    assert_eq!(trail.len(), 2);
    assert_eq!(trail.iter().map(|t| t.objects).sum::<u32>(), 3);
    assert!(categories.contains(&Category::Housing) && !basis.is_empty());
}
