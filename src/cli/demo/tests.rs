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

    // It is made without a refusal that nobody tried: an auditor who looks at it first sees what the stories left there.
    let refused = crate::store::log::LogFilter { decision: Some("deny".to_owned()), ..Default::default() };
    let refused = app.store().snapshot().unwrap().log_page(&refused, 100).unwrap();
    assert!(refused.is_empty(), "{refused:#?}");

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
    assert!(wrong.is_empty() && sum.digests > 50 && sum.rows > 100, "{sum:?} {wrong:#?}");

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
fn both_charters_name_the_structures_of_the_territory() {
    for charter in [
        crate::charter::Charter::embedded_demo().unwrap(),
        crate::charter::Charter::embedded_demo_v2().unwrap(),
    ] {
        let named: Vec<&str> = charter.sheet().parties.iter().map(|p| p.name.as_str()).collect();
        // Who controls cooperates with nobody: it is no party.
        for line in territory::ORGANISATIONS.lines().skip(1).filter(|l| !l.starts_with("controle,")) {
            let name = line.split(',').nth(1).unwrap();
            assert!(named.contains(&name), "{name} is no party of {}: {named:?}", charter.version());
        }
    }
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

#[test]
fn two_people_of_the_demonstration_prune_its_log_at_the_command_line() {
    use crate::cli::audit::{AuditCommand, LogOptions, pruning};
    use crate::clock::ManualClock;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: pruning::PruneCommand,
    }

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    // Made five hundred days ago: the commands know this machine's clock only.
    let past: Arc<dyn Clock> = Arc::new(ManualClock::new(SystemClock.now().plus_seconds(-500 * 24 * 3600)));
    let chance: Arc<dyn Chance> = Arc::new(SystemChance::new());
    let known = create(&data, &settings(&data), past, chance, &mut Vec::new()).unwrap();
    let day = |ago: i64| SystemClock.now().plus_seconds(-ago * 24 * 3600).paris_day().to_string();
    let kek = data.join(DEMO_KEK_FILE).to_str().unwrap().to_owned();
    // What the person types: password and code, or another password.
    let run = |words: &[&str], login: &str, password: Option<&str>| {
        let account = known.accounts.iter().find(|a| a.login == login).unwrap();
        let secret = crate::crypto::totp::TotpSecret::from_base32(&account.totp_secret).unwrap();
        let code = crate::crypto::totp::code(&secret, SystemClock.now()).unwrap();
        let typed = format!("{}\n{}\n", password.unwrap_or(&account.password), *code);
        let common = ["--as", login, "--kek-file", &kek];
        let line = Line::try_parse_from(["prune"].iter().chain(words).chain(&common)).unwrap();
        let (mut out, mut asked) = (Vec::new(), Vec::new());
        let done = pruning::run(&line.command, &data, &mut typed.as_bytes(), &mut out, &mut asked);
        let said = String::from_utf8(out).unwrap();
        assert!(!said.contains(&account.password), "{said}");
        done.map(|_| said).map_err(|e| e.to_string())
    };
    let propose = |before: &str| ["propose", "--before", before, "--reason", "Terme échu"].map(str::to_owned);
    let asked = |before: &str, login: &str, password| {
        let words = propose(before);
        run(&words.each_ref().map(String::as_str), login, password)
    };
    assert!(
        asked(&day(400), "irene.vidal", Some("un autre mot de passe")).unwrap_err().contains("mot de passe")
    );
    assert!(asked(&day(400), "nadia.benali", None).unwrap_err().contains("affectation"));
    // A code serves once: each act is that of another person, or comes a step later.
    let said = asked(&day(400), "irene.vidal", None).unwrap();
    assert!(said.contains("En attente d'une seconde personne") && said.contains("Irène Vidal"), "{said}");
    let id = said.trim_end().rsplit(' ').next().unwrap().to_owned();
    let said = run(&["confirm", &id, "--remark", "Relu"], "emile.garnier", None).unwrap();
    assert!(said.starts_with("C'est fait : ") && !said.contains(" 0 traces"), "{said}");

    let mut out = Vec::new();
    let log = LogOptions::default();
    let whole = AuditCommand::Verify { log, checkpoint: None, policy: None, json: false, details: false };
    crate::cli::audit::run(&whole, &data, &mut out, &mut Vec::new()).unwrap();
    let said = String::from_utf8(out).unwrap();
    assert!(said.starts_with("Le journal tient") && said.contains("Élagage (trace n° "), "{said}");
}
