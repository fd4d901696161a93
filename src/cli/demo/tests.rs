//! Tests of the demonstration.

use super::*;
use crate::audit::replay::{Period, replay};
use crate::service::sessions::SignIn;
use crate::service::{FactorCode, Login};

fn settings(folder: &Path) -> Settings {
    Settings::read(folder, &std::collections::BTreeMap::new()).unwrap()
}

#[test]
fn the_demonstration_is_made_by_its_people_and_signs_them_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let (clock, chance): (Arc<dyn Clock>, Arc<dyn Chance>) =
        (Arc::new(SystemClock), Arc::new(SystemChance::new()));
    let mut said = Vec::new();
    let known = create(&data, &settings(&data), Arc::clone(&clock), Arc::clone(&chance), &mut said).unwrap();
    assert!(known.accounts.len() >= 16 && known.pathways.len() >= 4);
    assert!(String::from_utf8(said).unwrap().contains("par les imports"));
    // No two people have one way in.
    let mut passwords: Vec<_> = known.accounts.iter().map(|a| &a.password).collect();
    passwords.sort();
    passwords.dedup();
    assert_eq!(passwords.len(), known.accounts.len());

    let store = Store::open(
        &DatabaseAddress::Sqlite(data.join("relais.db")),
        InstanceKind::Demo,
        keyring(&settings(&data), InstanceKind::Demo).unwrap(),
    )
    .unwrap();
    let (app, lane) =
        assemble(store, crate::service::Witnesses::default(), Arc::clone(&clock), chance).unwrap();
    let nadia = known.accounts.iter().find(|a| a.login == "nadia.benali").unwrap();
    let secret = crate::crypto::totp::TotpSecret::from_base32(&nadia.totp_secret).unwrap();
    let ask = SignIn {
        request: crate::ids::RequestId::random(app.chance()).unwrap(),
        login: Login::parse(&nadia.login).unwrap(),
        password: crate::crypto::password::Password::typed(nadia.password.clone()).unwrap(),
        code: FactorCode::parse(&crate::crypto::totp::code(&secret, clock.now()).unwrap()).unwrap(),
        assignment: None,
        network: None,
    };
    let session = app.sign_in(&ask).unwrap();
    assert!(session.assignment.is_some(), "one affectation needs no choice");
    lane.stop();

    // Every decision that made the demonstration gives the same answer again, and every row is what its record wrote.
    let mut log = app.store().log_file().unwrap();
    let mut versions = crate::service::charter_versions(&log.charters().unwrap());
    let mut wrong = Vec::new();
    let count = replay(
        &mut log,
        &mut versions,
        Period::default(),
        &mut |index, d| wrong.push(format!("{index}: {d:?}")),
        &mut |_| {},
    )
    .unwrap();
    assert!(wrong.is_empty() && count.decisions > 5, "{count:?} {wrong:#?}");
    let sum = log.reconcile(&mut |d| wrong.push(d.to_string()), &mut |_| {}).unwrap();
    assert!(wrong.is_empty() && sum.digests > 100, "{sum:?} {wrong:#?}");

    // The other kind is refused, and nothing is touched.
    assert!(
        Store::open(
            &DatabaseAddress::Sqlite(data.join("relais.db")),
            InstanceKind::Real,
            keyring(&settings(&data), InstanceKind::Demo).unwrap(),
        )
        .is_err()
    );
}

#[test]
fn an_address_that_is_not_loopback_needs_expose() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let arguments = DemoArguments { listen: "0.0.0.0:0".parse().unwrap(), json: false, expose: false };
    let refused = run(&arguments, &data, settings(&data), &mut Vec::new()).unwrap_err();
    assert!(refused.to_string().contains("--expose"));
    assert!(!data.exists());
}
