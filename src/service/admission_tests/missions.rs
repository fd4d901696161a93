//! Missions of structures, and the affectations that stand on them.

use super::*;

/// THREAT: a mission taken away while somebody states an affectation on it: whichever comes second is judged anew.
#[test]
fn no_affectation_stands_on_a_mission_that_is_gone() {
    let t = Territory::new();
    let administrator = || t.call("administrator");
    let mission = |code: &str| MissionDraft {
        code: Text::parse(code).unwrap(),
        title: Text::parse("Accueil").unwrap(),
    };
    for round in 0..5 {
        let whole = OrganisationDraft {
            code: Text::parse(&format!("ronde{round}")).unwrap(),
            name: Text::parse("Centre social").unwrap(),
            kind: OrganisationKind::Association,
            territory: Text::parse("Val-d'Orme").unwrap(),
            telephone: Phone::parse("0102030405").unwrap(),
            missions: vec![mission("jeunes"), mission("familles")],
        };
        let made = t.app.organisation_create(Author::Session(&administrator()), &whole).unwrap();
        let id = crate::ids::OrganisationId::parse(&made.id).unwrap();
        let read = || t.app.organisation(&administrator(), &id).unwrap().into_inner().organisation;
        let gone = read().missions[1].id.clone();
        let fewer = OrganisationDraft { missions: vec![mission("jeunes")], ..whole };
        let affectation = AssignmentDraft {
            organisation: id.clone(),
            mission: gone,
            ..draft(&t, &t.person("teacher").professional, "mission_locale")
        };
        let ready = std::sync::Barrier::new(2);
        let (stated, removed) = std::thread::scope(|s| {
            let stated = s.spawn(|| {
                ready.wait();
                t.app.assignment_create(Author::Session(&administrator()), &affectation)
            });
            ready.wait();
            let removed = t.app.organisation_update(&administrator(), &id, 1, &fewer);
            (stated.join().unwrap(), removed)
        });
        assert_ne!(stated.is_ok(), removed.is_ok(), "round {round}");
        assert!(read().missions.len() == 2 || stated.is_err());
    }
}
