//! Starts that are refused say why, in French, and what to do.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::site::{Site, program};

fn refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    // No sentence of the rooms below, which speak English; only the system's own words, between brackets.
    let (mut french, mut inside) = (String::new(), false);
    for c in said.chars() {
        inside = (inside || c == '(') && c != ')';
        if !inside {
            french.push(c);
        }
    }
    for english in ["the key", "the database", " is not ", " cannot ", "run `"] {
        assert!(!french.contains(english), "`{english}` is in: {said}");
    }
}

fn serve(site: &Site, environment: &[(&str, &str)]) -> Output {
    let mut command = program();
    command.args(["serve", "--data"]).arg(site.data()).envs(environment.iter().copied());
    command.output().unwrap()
}

#[test]
fn a_refused_start_says_in_french_what_is_wrong_and_what_to_do() {
    let site = Site::new();
    refused(&serve(&site, &[]), &["n'existe pas", "relais init"]);
    let kek = site.folder.path().join("kek");
    let kek = kek.to_str().unwrap();
    let mut init = program();
    let made = init
        .args(["init", "--create-key", "--organisation", "Ville", "--territory", "Val", "--telephone"])
        .args(["0102030405", "--admin", "a:Anne Martin:0601020304", "--admin", "b:Bruno Petit:0601020305"])
        .arg("--data")
        .arg(site.data())
        .env("RELAIS_KEK_FILE", kek)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let with = [("RELAIS_KEK_FILE", kek)];
    refused(&serve(&site, &with), &["certs", "relais certs make"]);
    let mut certs = program();
    certs.args(["certs", "make", "--data"]).arg(site.data());
    let made = certs.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    refused(&serve(&site, &[]), &["RELAIS_KEK_FILE", "elle manque"]);
    refused(&serve(&site, &[("RELAIS_LISTNE", "x")]), &["RELAIS_LISTNE", "réglage inconnu"]);
    let other = site.folder.path().join("other");
    std::fs::write(&other, ["0f".repeat(16), "1e".repeat(16)].concat()).unwrap();
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o644)).unwrap();
    let wrong = [("RELAIS_KEK_FILE", other.to_str().unwrap())];
    refused(&serve(&site, &wrong), &["0644", "chmod 600"]);
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).unwrap();
    refused(&serve(&site, &wrong), &["scellée sous la clé", "keys rotate"]);
    let database = site.data().join("relais.db");
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o644)).unwrap();
    refused(&serve(&site, &with), &["lu par d'autres", "chmod 600"]);
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o600)).unwrap();
    // A demonstration's command on a real instance, and a port that is taken.
    let demo = site.run(&["demo", "--json", "--listen", "127.0.0.1:0"]);
    refused(&demo, &["démonstration", "rien n'a été touché"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(&serve(&site, &[with[0], ("RELAIS_LISTEN", &address)]), &["déjà utilisée", "listen"]);
    std::fs::write(&database, b"not a database at all, but long enough to be taken for one at first sight")
        .unwrap();
    refused(&serve(&site, &with), &["la base de données"]);
}

/// THREAT: the people of a demonstration offered at the door of a real instance, or its folder served as one.
#[test]
fn a_demonstration_is_never_served_as_a_real_instance() {
    let site = Site::new();
    drop(site.start());
    let inside = site.data().join("demonstration.kek");
    let with = |kek: &std::path::Path| serve(&site, &[("RELAIS_KEK_FILE", kek.to_str().unwrap())]);
    refused(&with(&inside), &["dans le dossier de données"]);
    let outside = site.folder.path().join("kek");
    std::fs::copy(&inside, &outside).unwrap();
    refused(&with(&outside), &["autre genre", "demo"]);
}
