//! Tests of the sheet « Qui a regardé ? » and of the lines that are told later (S12).

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::domain::deferral::{Deferral, DeferralDraft, DeferralMotive, DeferredFor, DeferredLines};
use crate::domain::person::{
    HolderDraft, HolderFacts, Impossibility, ImpossibilityDraft, Motive, PersonFacts,
};
use crate::domain::record::{Action, ResourceKind, Verdict};
use crate::domain::statute::{
    ExceptionMotive, Ground, PriorInformation, SecondPerson, StatuteDraft, StatuteEvent, StatuteEventKind,
    StatuteRecipient, StatutoryRecord,
};
use crate::domain::text::{Paragraph, Text};
use crate::domain::vocabulary::{Function, Mandate, Role, Secrecy};
use crate::ids::{DeferralId, HolderId, ImpossibilityId, ItemVersionId, MissionId, StatuteId};
use crate::service::consultations::tests::Bed;
use crate::service::sheet_names::SheetNamesInput;
use crate::service::structures::{MissionDraft, OrganisationDraft};
use crate::service::{DeferralDecision, DeferralInput, DeferralStanding};
use crate::store::fact::FactKind;
use crate::store::pathway::StatuteBody;

const READ: (Action, ResourceKind) = (Action::Read, ResourceKind::Item);

const fn act(action: Action, resource: ResourceKind) -> Act {
    Act { action, resource }
}

const PRINT: Act = act(Action::Print, ResourceKind::Consultations);

fn parent(bed: &Bed) -> HolderId {
    let id = HolderId::random(bed.t.app.chance()).unwrap();
    let holder = HolderFacts::new(HolderDraft {
        id: id.clone(),
        capacity: Capacity::Parent,
        from: NaiveDate::from_ymd_opt(2012, 5, 1).unwrap(),
        until: None,
        organisation: None,
        proof: None,
    })
    .unwrap();
    bed.fact(FactKind::Holder, id.as_str(), "referente", &holder);
    id
}

fn ask(for_whom: Said) -> SheetAsk {
    SheetAsk { for_whom, from: None, until: None }
}

fn sheet(bed: &Bed, for_whom: Said) -> LookedSheet {
    let call = bed.t.call("referente");
    bed.t.app.looked_sheet(&call, PRINT, &bed.pathway, &ask(for_whom)).unwrap().into_inner()
}

fn seen(sheet: &LookedSheet) -> Vec<(Profession, Vec<Category>)> {
    sheet.items.iter().map(|l| (l.profession, l.categories.clone())).collect()
}

fn code<T>(made: Result<T, ServiceError>) -> &'static str {
    match made {
        Ok(_) => "done",
        Err(ServiceError::Rule { code, .. }) => code,
        Err(ServiceError::AbsentOrRefused) => "absent",
        Err(other) => panic!("{other}"),
    }
}

/// What the record of the last sheet rests on.
fn cited(bed: &Bed) -> Vec<String> {
    let mut snapshot = bed.t.app.store().snapshot().unwrap();
    let mut last = Vec::new();
    let mut index = 0;
    while let Some(body) = snapshot.log_body(index).unwrap() {
        let body = crate::audit::LeafBody::parse(&body).unwrap();
        if body.basis.iter().any(|b| b.starts_with("sheet:")) {
            last = body.basis;
        }
        index += 1;
    }
    last
}

fn input(bed: &Bed, service: &str, whose: DeferredFor) -> DeferralInput {
    let who = bed.t.person(service);
    DeferralInput {
        whose,
        organisation: who.organisation.clone(),
        profession: who.profession,
        purpose: None,
        from: None,
        until: None,
        motive: DeferralMotive::ParentSafety,
        statement: Paragraph::parse("La mère a quitté le domicile.").unwrap(),
    }
}

fn asks(bed: &Bed, by: &str, input: &DeferralInput) -> Result<DeferralId, ServiceError> {
    let did = act(Action::Create, ResourceKind::Deferral);
    let made = bed.t.app.deferral_ask(&bed.t.call(by), did, &bed.pathway, input)?;
    Ok(DeferralId::parse(&made.id).unwrap())
}

fn decides(bed: &Bed, by: &str, id: &DeferralId, until: Option<(i32, u32, u32)>) -> Result<(), ServiceError> {
    let until = until.map(|(y, m, d)| Day::new(NaiveDate::from_ymd_opt(y, m, d).unwrap()).unwrap());
    let decision = DeferralDecision {
        accepted: until.is_some(),
        until,
        motive: Paragraph::parse("Danger établi.").unwrap(),
    };
    let did = act(Action::Confirm, ResourceKind::Deferral);
    bed.t.app.deferral_decide(&bed.t.call(by), did, id, &decision).map(|_| ())
}

/// The educator of prevention read something of the référente's today.
fn looked_at() -> (Bed, HolderId, HolderId) {
    let bed = Bed::new("referente");
    let (mother, father) = (parent(&bed), parent(&bed));
    let schooling = bed.writes("referente", Category::Schooling);
    bed.opens("prevention", &[(&schooling, Category::Schooling)], Verdict::Permit);
    (bed, mother, father)
}

const PREVENTION: (Profession, [Category; 1]) = (Profession::SpecialisedPrevention, [Category::Schooling]);

fn prevention() -> Vec<(Profession, Vec<Category>)> {
    vec![(PREVENTION.0, PREVENTION.1.to_vec())]
}

#[test]
fn s12_a_sheet_tells_openings_of_content_and_no_paper_that_was_made_for_the_other_parent() {
    let (bed, mother, _) = looked_at();
    let leisure = bed.writes("referente", Category::Leisure);
    let shown = [(&leisure, Category::Leisure)];
    // The notice read with the father, his sheet, an authority holder looked up: not somebody who looked.
    for kind in [ResourceKind::Accord, ResourceKind::Release, ResourceKind::Holder, ResourceKind::Share] {
        bed.records("prevention", &shown, Verdict::Permit, (Action::Print, kind), Purpose::Coordination);
    }
    bed.records("prevention", &shown, Verdict::Deny, READ, Purpose::Coordination);
    assert_eq!(seen(&sheet(&bed, Said::Holder(mother.clone()))), prevention());
    // The list of items shows their words.
    let list = (Action::List, ResourceKind::Item);
    bed.records("prevention", &shown, Verdict::Permit, list, Purpose::Coordination);
    let both = vec![(PREVENTION.0, vec![Category::Schooling, Category::Leisure])];
    assert_eq!(seen(&sheet(&bed, Said::Holder(mother))), both);
    assert_eq!(
        cited(&bed),
        ["sheet:parent:2027-03-02:2027-03-02", "sheet_lines:1", "kept_back:0", "kept_by_law:0"]
    );
}

#[test]
fn s12_two_purposes_or_two_colleagues_of_one_service_on_one_day_are_two_lines_of_a_sheet() {
    let mut bed = Bed::new("referente");
    let mother = parent(&bed);
    bed.join("referent_contested", Mandate::Contractual, Role::Participant);
    let leisure = bed.writes("prevention", Category::Leisure);
    let schooling = bed.writes("prevention", Category::Schooling);
    let read = |who, version, category, purpose| {
        bed.records(who, &[(version, category)], Verdict::Permit, READ, purpose);
    };
    read("referente", &leisure, Category::Leisure, Purpose::Coordination);
    read("referente", &leisure, Category::Leisure, Purpose::Coordination);
    read("referente", &leisure, Category::Leisure, Purpose::Schooling);
    read("referent_contested", &schooling, Category::Schooling, Purpose::Coordination);
    let whole = sheet(&bed, Said::Holder(mother));
    assert!(whole.items.iter().all(|l| l.profession == Profession::ReferentPre));
    let mut lines: Vec<_> = whole.items.iter().map(|l| (l.purpose.unwrap(), l.categories.clone())).collect();
    lines.sort();
    let mut expected = vec![
        (Purpose::Coordination, vec![Category::Leisure]),
        (Purpose::Coordination, vec![Category::Schooling]),
        (Purpose::Schooling, vec![Category::Leisure]),
    ];
    expected.sort();
    assert_eq!(lines, expected);
    assert!(cited(&bed).contains(&"sheet_lines:3".to_owned()), "{:?}", cited(&bed));
}

#[test]
fn a_sheet_covers_the_days_that_are_asked_for() {
    let (bed, mother, _) = looked_at();
    bed.t.go_to(2027, 3, 10);
    let day = |d| Day::new(NaiveDate::from_ymd_opt(2027, 3, d).unwrap()).unwrap();
    let of = |from, until| {
        let ask = SheetAsk { for_whom: Said::Holder(mother.clone()), from: Some(from), until: Some(until) };
        bed.t.app.looked_sheet(&bed.t.call("referente"), PRINT, &bed.pathway, &ask)
    };
    assert_eq!(of(day(2), day(2)).unwrap().items.len(), 1);
    assert_eq!(of(day(3), day(9)).unwrap().items.len(), 0);
    assert_eq!(code(of(day(9), day(3))), "empty_period");
}

#[test]
fn law_no_sheet_is_made_for_whom_one_must_not_contact() {
    let (bed, mother, father) = looked_at();
    let manager = bed.t.person("pre_manager").assignment.clone();
    let today = bed.t.clock.now().paris_day();
    let danger = Impossibility::new(ImpossibilityDraft {
        holder: father.clone(),
        motive: Motive::ContactWouldEndanger,
        decided_by: manager,
        decided_as: Function::Manager,
        decided_at: bed.t.clock.now(),
        from: today,
        until: NaiveDate::from_ymd_opt(2027, 6, 1).unwrap(),
    })
    .unwrap();
    let id = ImpossibilityId::random(bed.t.app.chance()).unwrap();
    bed.fact(FactKind::Impossibility, id.as_str(), "pre_manager", &danger);
    let call = || bed.t.call("referente");
    let refused = bed.t.app.looked_sheet(&call(), PRINT, &bed.pathway, &ask(Said::Holder(father.clone())));
    assert_eq!(code(refused), "no_sheet_for_this_person");
    let readers = bed.t.app.sheet_readers(&call(), PRINT, &bed.pathway).unwrap().into_inner().0;
    assert_eq!(readers, ["young_person", mother.as_str()]);
    // Who knows no holder hands no paper to « un parent » then, and is not told why.
    let place = &bed.participations["aemo"];
    let of = |whom| bed.t.app.looked_sheet_of_service(&bed.t.call("aemo_manager"), PRINT, place, &ask(whom));
    assert_eq!(code(of(Said::Parent)), "ask_the_circle");
    assert_eq!(code(of(Said::YoungPerson)), "done");
    assert_eq!(code(of(Said::Holder(mother))), "absent");
}

#[test]
fn law_c_civ_414_at_eighteen_the_sheet_is_for_the_young_person_alone() {
    let (bed, mother, _) = looked_at();
    let young = PersonFacts::new(NaiveDate::from_ymd_opt(2012, 5, 1), None, false).unwrap();
    assert_eq!(young.majority_day(), NaiveDate::from_ymd_opt(2030, 5, 1));
    let of = |whom: Said| bed.t.app.looked_sheet(&bed.t.call("referente"), PRINT, &bed.pathway, &ask(whom));
    bed.t.go_to(2030, 4, 30);
    assert_eq!(code(of(Said::Holder(mother.clone()))), "done");
    bed.t.go_to(2030, 5, 1);
    assert_eq!(code(of(Said::Holder(mother))), "young_person_alone");
    assert_eq!(code(of(Said::YoungPerson)), "done");
    let readers = bed.t.app.sheet_readers(&bed.t.call("referente"), PRINT, &bed.pathway).unwrap();
    assert_eq!(readers.0, ["young_person"]);
}

#[test]
fn only_the_referent_makes_the_sheet_of_the_pathway() {
    let (bed, ..) = looked_at();
    for name in ["prevention", "aemo", "outsider", "auditor", "pre_manager", "pre_secretary"] {
        let made = bed.t.app.looked_sheet(&bed.t.call(name), PRINT, &bed.pathway, &ask(Said::YoungPerson));
        assert_eq!(code(made), "absent", "{name}");
    }
}

#[test]
fn law_a_line_is_kept_back_by_a_second_person_said_on_the_sheet_and_comes_back_on_its_day() {
    let (bed, mother, father) = looked_at();
    let asked = input(&bed, "prevention", DeferredFor::Holder(father.clone()));
    let id = asks(&bed, "referente", &asked).unwrap();
    // Asked is not decided.
    assert_eq!(seen(&sheet(&bed, Said::Holder(father.clone()))), prevention());
    for name in ["referente", "prevention_manager", "aemo_manager", "pre_secretary", "administrator"] {
        assert_eq!(code(decides(&bed, name, &id, Some((2027, 3, 20)))), "absent", "{name}");
    }
    assert_eq!(code(decides(&bed, "pre_manager", &id, Some((2027, 4, 2)))), "review_day");
    decides(&bed, "pre_manager", &id, Some((2027, 3, 20))).unwrap();
    let his = sheet(&bed, Said::Holder(father.clone()));
    assert_eq!(seen(&his), []);
    let review_on = NaiveDate::from_ymd_opt(2027, 3, 20).unwrap();
    assert_eq!(his.kept_back, Some(KeptBack { lines: 1, review_on }));
    assert!(his.kept_back_told().unwrap().contains("1 ligne ne figure pas ici"));
    let deferral = format!("deferral:{}", id.as_str());
    assert!(cited(&bed).contains(&deferral) && cited(&bed).contains(&"kept_back:1".to_owned()));
    // Nobody else's sheet lacks anything, or says that something is missing.
    for whom in [Said::Holder(mother), Said::YoungPerson] {
        let other = sheet(&bed, whom);
        assert_eq!((seen(&other), other.kept_back), (prevention(), None));
    }
    bed.t.go_to(2027, 3, 19);
    assert!(sheet(&bed, Said::Holder(father.clone())).items.is_empty());
    bed.t.go_to(2027, 3, 20);
    let again = sheet(&bed, Said::Holder(father));
    assert_eq!((seen(&again), again.kept_back), (prevention(), None));
    assert_eq!(code(decides(&bed, "pre_manager", &id, Some((2027, 4, 1)))), "deferral_over");
}

#[test]
fn a_deferral_is_ended_by_whoever_makes_the_sheet_and_listed_without_its_words() {
    let (bed, _, father) = looked_at();
    let id = asks(&bed, "referente", &input(&bed, "prevention", DeferredFor::Parents)).unwrap();
    decides(&bed, "pre_manager", &id, Some((2027, 3, 20))).unwrap();
    let list = |name: &str| {
        let did = act(Action::List, ResourceKind::Deferral);
        bed.t.app.deferral_list(&bed.t.call(name), did, &bed.pathway).map(Disclosed::into_inner)
    };
    assert_eq!(list("referente").unwrap().items[0].standing, DeferralStanding::KeptBack);
    assert_eq!(code(list("prevention")), "absent");
    let ends =
        |name: &str| bed.t.app.deferral_end(&bed.t.call(name), act(Action::End, ResourceKind::Deferral), &id);
    assert_eq!(code(ends("prevention")), "absent");
    ends("referente").unwrap();
    assert_eq!(list("referente").unwrap().items[0].standing, DeferralStanding::Over);
    assert_eq!(seen(&sheet(&bed, Said::Holder(father))), prevention());
    assert_eq!(code(ends("referente")), "deferral_over");
}

#[test]
fn law_a_review_before_the_day_keeps_the_line_back_longer_or_tells_it() {
    let (bed, _, father) = looked_at();
    let id = asks(&bed, "referente", &input(&bed, "prevention", DeferredFor::Everybody)).unwrap();
    decides(&bed, "pre_manager", &id, Some((2027, 3, 20))).unwrap();
    let awaited = |kind| {
        let did = act(Action::List, ResourceKind::Statute);
        let all = bed.t.app.decisions_awaited(&bed.t.call("pre_manager"), did).unwrap();
        all.items.iter().filter(|d| d.kind == kind).count()
    };
    assert_eq!(awaited(crate::service::AwaitedKind::DeferralReview), 0);
    bed.t.go_to(2027, 3, 14);
    assert_eq!(awaited(crate::service::AwaitedKind::DeferralReview), 1);
    let today = bed.t.app.today(&bed.t.call("referente")).unwrap();
    assert!(today.waiting.iter().any(|w| w.kind == crate::service::today::Waiting::DeferralEnds));
    decides(&bed, "pre_manager", &id, Some((2027, 4, 10))).unwrap();
    bed.t.go_to(2027, 4, 1);
    assert!(sheet(&bed, Said::Holder(father.clone())).items.is_empty());
    decides(&bed, "pre_manager", &id, None).unwrap();
    assert_eq!(seen(&sheet(&bed, Said::Holder(father))), prevention());
}

#[test]
fn threat_a_manager_does_not_decide_on_the_own_looking() {
    let mut bed = Bed::new("referente");
    bed.join("pre_manager", Mandate::Contractual, Role::Participant);
    let id = asks(&bed, "referente", &input(&bed, "pre_manager", DeferredFor::Everybody)).unwrap();
    assert_eq!(code(decides(&bed, "pre_manager", &id, Some((2027, 3, 20)))), "second_person_needed");
}

#[test]
fn s11_a_hidden_service_hands_out_its_own_sheet_and_nothing_is_said_of_what_it_keeps_back() {
    let bed = Bed::new("referente");
    let mother = parent(&bed);
    let open = bed.writes("prevention", Category::Leisure);
    let hers = bed.writes("aemo", Category::Family);
    bed.opens("aemo", &[(&open, Category::Leisure)], Verdict::Permit);
    bed.opens("prevention", &[(&open, Category::Leisure)], Verdict::Permit);
    bed.opens("prevention", &[(&hers, Category::Family), (&open, Category::Leisure)], Verdict::Permit);
    // The référente may not know of the measure: nothing on her sheet, whatever anybody keeps back.
    assert_eq!(
        seen(&sheet(&bed, Said::Holder(mother.clone()))),
        [(Profession::SpecialisedPrevention, vec![Category::Leisure])]
    );
    let place = &bed.participations["aemo"];
    let of = |name: &str| {
        let call = bed.t.call(name);
        bed.t.app.looked_sheet_of_service(&call, PRINT, place, &ask(Said::Parent)).map(Disclosed::into_inner)
    };
    for name in ["pre_manager", "prevention_manager", "aemo", "aemo_colleague", "referente", "auditor"] {
        assert_eq!(code(of(name)), "absent", "{name}");
    }
    let own = of("aemo_manager").unwrap();
    assert!(own.of_one_service);
    assert!(seen(&own).contains(&(Profession::Aemo, vec![Category::Leisure])));
    // As her request leaves it: nobody names her by an accord here, so she could not ask.
    assert_eq!(code(asks(&bed, "aemo", &input(&bed, "aemo", DeferredFor::Everybody))), "absent");
    let id = DeferralId::random(bed.t.app.chance()).unwrap();
    let her = bed.t.person("aemo").clone();
    let asked = Deferral::new(DeferralDraft {
        id: id.clone(),
        asked_by: her.assignment.clone(),
        asker: her.professional.clone(),
        organisation: her.organisation.clone(),
        asked_at: bed.t.clock.now(),
        maker: SheetMaker::Service { organisation: her.organisation.clone(), mission: her.mission.clone() },
        whose: DeferredFor::Everybody,
        lines: DeferredLines {
            organisation: her.organisation.clone(),
            profession: her.profession,
            purpose: None,
            from: None,
            until: None,
        },
        motive: DeferralMotive::JudicialAct,
    });
    bed.fact(FactKind::Deferral, id.as_str(), "aemo", &asked.unwrap());
    decides(&bed, "aemo_manager", &id, Some((2027, 3, 20))).unwrap();
    let kept = of("aemo_manager").unwrap();
    assert!(!seen(&kept).iter().any(|(p, _)| *p == Profession::Aemo));
    assert_eq!(kept.kept_back, None, "nothing is said");
    assert!(cited(&bed).contains(&"kept_back:1".to_owned()), "and the log counts it");
    // The référente's list of requests has none of it.
    let did = act(Action::List, ResourceKind::Deferral);
    let list = bed.t.app.deferral_list(&bed.t.call("referente"), did, &bed.pathway).unwrap();
    assert!(list.items.is_empty());
}

/// Two services of one organisation: the manager of one learns nothing of what the other keeps back on its own sheets.
#[test]
fn threat_a_manager_of_another_mission_neither_sees_nor_decides_what_a_hidden_service_asked() {
    let bed = Bed::new("referente");
    let her = bed.t.person("aemo").clone();
    let asked = |mission: MissionId| {
        let id = DeferralId::random(bed.t.app.chance()).unwrap();
        let deferral = Deferral::new(DeferralDraft {
            id: id.clone(),
            asked_by: her.assignment.clone(),
            asker: her.professional.clone(),
            organisation: her.organisation.clone(),
            asked_at: bed.t.clock.now(),
            maker: SheetMaker::Service { organisation: her.organisation.clone(), mission },
            whose: DeferredFor::Everybody,
            lines: DeferredLines {
                organisation: her.organisation.clone(),
                profession: her.profession,
                purpose: None,
                from: None,
                until: None,
            },
            motive: DeferralMotive::JudicialAct,
        });
        bed.fact(FactKind::Deferral, id.as_str(), "aemo", &deferral.unwrap());
        id
    };
    let theirs = asked(MissionId::random(bed.t.app.chance()).unwrap());
    let awaited = || {
        let did = act(Action::List, ResourceKind::Statute);
        let all = bed.t.app.decisions_awaited(&bed.t.call("aemo_manager"), did).unwrap();
        all.items.iter().map(|d| d.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(awaited(), Vec::<String>::new());
    assert_eq!(code(decides(&bed, "aemo_manager", &theirs, Some((2027, 3, 20)))), "absent");
    // The same of her own mission is hers to decide.
    let own = asked(her.mission.clone());
    assert_eq!(awaited(), [own.as_str()]);
    assert_eq!(code(decides(&bed, "aemo_manager", &own, Some((2027, 3, 20)))), "done");
}

#[test]
fn s11_asking_about_a_service_that_is_hidden_is_answered_like_one_that_never_looked() {
    let (bed, mother, _) = looked_at();
    for service in ["aemo", "mission_locale"] {
        let id = asks(&bed, "referente", &input(&bed, service, DeferredFor::Everybody)).unwrap();
        decides(&bed, "pre_manager", &id, Some((2027, 3, 20))).unwrap();
    }
    let whole = sheet(&bed, Said::Holder(mother));
    assert_eq!((seen(&whole), whole.kept_back), (prevention(), None));
    let ask_as = |name: &str| asks(&bed, name, &input(&bed, "prevention", DeferredFor::Everybody));
    for name in ["prevention", "outsider", "pre_manager"] {
        assert_eq!(code(ask_as(name)), "absent", "{name}");
    }
}

/// A statutory record of the educator of prevention, whose parents are not informed by decision of her manager.
fn statute(bed: &Bed, to: &str, version: &ItemVersionId) {
    let (author, recipient) = (bed.t.person("prevention"), bed.t.person(to));
    let now: Timestamp = bed.t.clock.now();
    let id = StatuteId::random(bed.t.app.chance()).unwrap();
    let person = PersonFacts::new(NaiveDate::from_ymd_opt(2012, 5, 1), None, false).unwrap();
    let draft = StatuteDraft {
        id: id.clone(),
        sharer: author.assignment.clone(),
        sharer_professional: author.professional.clone(),
        sharer_organisation: author.organisation.clone(),
        ground: Ground::Danger,
        necessity_stated: true,
        parents: PriorInformation::ContraryToInterest { motive: ExceptionMotive::Reprisals },
        child: PriorInformation::Given { on: now.paris_day() },
        items: [version.clone()].into(),
        recipients: [StatuteRecipient {
            participation: bed.participations[to].clone(),
            professional: recipient.professional.clone(),
        }]
        .into(),
        recorded_at: now,
    };
    let manager = bed.t.person("prevention_manager");
    let by = SecondPerson {
        assignment: manager.assignment.clone(),
        professional: manager.professional.clone(),
        organisation: manager.organisation.clone(),
        function: Function::Manager,
        secrecy: Secrecy::Bound,
    };
    let decided =
        StatuteEvent { at: now, seq: 0, kind: StatuteEventKind::ExceptionDecided { by, accepted: true } };
    let body = StatuteBody {
        record: StatutoryRecord::new(draft, &person).unwrap(),
        events: vec![decided],
        author: bed.participations["prevention"].clone(),
    };
    bed.fact(FactKind::Statute, id.as_str(), "prevention", &body);
}

#[test]
fn law_l226_2_2_what_parents_are_not_told_is_on_no_parents_sheet_while_the_exception_is_in_force() {
    let bed = Bed::new("referente");
    let mother = parent(&bed);
    let family = bed.writes("prevention", Category::Family);
    statute(&bed, "referente", &family);
    bed.records("referente", &[(&family, Category::Family)], Verdict::Permit, READ, Purpose::Protection);
    let hers = || sheet(&bed, Said::Holder(mother.clone()));
    assert_eq!((seen(&hers()), hers().kept_back), (vec![], None));
    assert!(cited(&bed).contains(&"kept_by_law:1".to_owned()));
    // The child was informed: that sheet tells it.
    let line = vec![(Profession::ReferentPre, vec![Category::Family])];
    assert_eq!(seen(&sheet(&bed, Said::YoungPerson)), line);
    bed.t.go_to(2027, 4, 2);
    assert_eq!(seen(&hers()), line, "over without a review: told");
}

#[test]
fn law_l226_2_2_who_is_no_party_to_a_record_sees_no_trace_of_it_while_parents_are_not_told() {
    let mut bed = Bed::new("referente");
    bed.join("nurse", Mandate::Contractual, Role::Participant);
    let family = bed.writes("prevention", Category::Family);
    statute(&bed, "nurse", &family);
    bed.records("nurse", &[(&family, Category::Family)], Verdict::Permit, READ, Purpose::Protection);
    assert!(bed.seen_by("referente").is_empty());
    bed.t.go_to(2027, 4, 2);
    assert_eq!(bed.seen_by("referente"), vec![(Profession::SchoolHealth, vec![Category::Family])]);
}

fn names(bed: &Bed, by: &str, of: &str, named: bool) -> Result<(), ServiceError> {
    let id = bed.t.person(of).organisation.clone();
    let did = act(Action::Update, ResourceKind::Organisation);
    bed.t.app.sheet_names_decide(&bed.t.call(by), did, &id, SheetNamesInput { named }).map(drop)
}

fn named_on(sheet: &LookedSheet) -> Vec<Option<&str>> {
    sheet.items.iter().map(|line| line.name.as_deref()).collect()
}

#[test]
fn law_c_579_21_a_name_stands_on_a_sheet_only_from_the_day_on_which_its_own_structure_decided_so() {
    let bed = Bed::new("referente");
    let mother = parent(&bed);
    let schooling = bed.writes("referente", Category::Schooling);
    bed.opens("prevention", &[(&schooling, Category::Schooling)], Verdict::Permit);
    assert_eq!(named_on(&sheet(&bed, Said::Holder(mother.clone()))), [None], "without a decision: nobody");
    bed.t.go_to(2027, 3, 5);
    // Others decide nothing for the structure: not the lead's manager, not a colleague, not an administrator.
    for other in ["pre_manager", "prevention", "administrator"] {
        assert_eq!(code(names(&bed, other, "prevention", true)), "absent", "{other}");
    }
    assert_eq!(code(names(&bed, "prevention_manager", "prevention", true)), "done");
    let before = sheet(&bed, Said::Holder(mother.clone()));
    assert_eq!(named_on(&before), [None], "what was read before colleagues could know stays without a name");
    assert!(!cited(&bed).iter().any(|b| b.starts_with("sheet_named:")));
    // Sheets know days only: the day of the decision is not named, neither before it nor after.
    bed.opens("prevention", &[(&schooling, Category::Schooling)], Verdict::Permit);
    assert_eq!(named_on(&sheet(&bed, Said::Holder(mother.clone()))), [None, None]);
    bed.t.go_to(2027, 3, 6);
    bed.opens("prevention", &[(&schooling, Category::Schooling)], Verdict::Permit);
    let after = sheet(&bed, Said::Holder(mother.clone()));
    assert_eq!(named_on(&after), [Some("Prénom prevention"), None, None], "latest day first");
    assert!(cited(&bed).contains(&"sheet_named:1".to_owned()), "{:?}", cited(&bed));
    // Deciding it again moves nothing; taking it back holds for every sheet from then on.
    bed.t.go_to(2027, 3, 7);
    names(&bed, "prevention_manager", "prevention", true).unwrap();
    assert_eq!(named_on(&sheet(&bed, Said::Holder(mother.clone()))), [Some("Prénom prevention"), None, None]);
    names(&bed, "prevention_manager", "prevention", false).unwrap();
    assert_eq!(named_on(&sheet(&bed, Said::Holder(mother))), [None, None, None]);
}

#[test]
fn correcting_a_structure_leaves_what_its_manager_decided_on_names() {
    let bed = Bed::new("referente");
    names(&bed, "pre_manager", "pre_manager", true).unwrap();
    let id = bed.t.person("pre_manager").organisation.clone();
    let stored = bed.t.app.store().snapshot().unwrap().organisation_fetch(&id).unwrap().unwrap();
    let from = stored.words.names_on_sheets_from;
    assert!(from.is_some());
    let draft = OrganisationDraft {
        code: Text::parse(&stored.words.code).unwrap(),
        name: Text::parse("Un autre nom").unwrap(),
        kind: stored.kind,
        territory: Text::parse("Val-d'Orme").unwrap(),
        telephone: Phone::parse("0102030405").unwrap(),
        missions: stored
            .words
            .missions
            .iter()
            .map(|m| MissionDraft {
                code: Text::parse(&m.code).unwrap(),
                title: Text::parse(&m.title).unwrap(),
            })
            .collect(),
    };
    bed.t.app.organisation_update(&bed.t.call("pre_manager"), &id, stored.version, &draft).unwrap();
    let stored = bed.t.app.store().snapshot().unwrap().organisation_fetch(&id).unwrap().unwrap();
    assert_eq!((stored.words.name.as_str(), stored.words.names_on_sheets_from), ("Un autre nom", from));
}
