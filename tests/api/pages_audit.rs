//! S4 through the pages: the auditor's console by its addresses, one record with its receipt, the proof; and « qui a
//! consulté » for the référent.

use relais::audit::note::VerifierKey;
use relais::audit::{SignedCheckpoint, TlogProof};
use relais::clock::Timestamp;

use super::stories::camp;
use super::stories_world::*;
use crate::support::Reply;

/// A page that must open, as people see it.
#[track_caller]
fn page(s: &Story, who: &str, address: &str) -> String {
    let reply = s.get(who, address);
    assert_eq!(reply.status, 200, "{who} {address}: {}", text(&reply));
    let html = text(&reply);
    assert!(html.contains("<!doctype html>"), "{address}");
    html
}

fn form(s: &Story, who: &str, address: &str, body: &str) -> Reply {
    s.of(who)
        .with("Sec-Fetch-Site", "same-origin")
        .with("Content-Type", "application/x-www-form-urlencoded")
        .send("POST", address, Some(body.as_bytes()))
}

/// The addresses of a page that begin so, as a browser reads them.
fn links(html: &str, begins: &str) -> Vec<String> {
    html.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|href| href.replace("&amp;", "&").replace("&#38;", "&"))
        .filter(|href| href.starts_with(begins))
        .collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

const SECRETS: [&str; 8] =
    ["Lina", "Carpentier", "Karima", "traitement", "vêtements", "Girard", "Morel", "0611223344"];

#[test]
fn story_s4_the_auditor_finds_a_night_reading_by_links_and_no_page_has_a_word_or_a_name() {
    let s = Story::begin();
    let c = camp(&s, NADIA);
    assert!(s.reads(PAUL, &c.medicine, "stay"));
    for _ in 0..6 {
        assert!(!s.reads(JULIE, &c.medicine, "coordination"), "a subject that is not hers");
    }
    s.go(Timestamp::paris_midnight(s.today()).plus_seconds(23 * 3600 + 17 * 60));
    assert!(s.reads(PAUL, &c.coat, "stay"));
    s.go_days(1);

    let first = page(&s, IRENE, "/controle");
    assert!(
        first.contains("<svg class=\"chart\"") && first.contains("la nuit, le week-end ou un jour férié"),
        "{first}"
    );
    assert!(first.contains("Au moins 5 refus"), "{first}");
    let night = links(&first, "/controle?").into_iter().find(|l| l.contains("out_of_hours=true")).unwrap();
    let shown = page(&s, IRENE, &night);
    assert!(shown.contains("à 23 h 17") && shown.contains("hors horaires"), "{shown}");
    // By address alone: what a colleague receives.
    let refused = page(&s, IRENE, "/controle?profession=teacher&decision=deny&action=read&from=&to=&rule=");
    assert!(refused.contains("Refusé") && refused.contains("a pas pu consulter"), "{refused}");
    assert!(!refused.contains("> Autorisé</span>"), "only what was asked");
    // All of one pathway, from a record.
    let pathway = links(&shown, "/controle?pathway=").remove(0);
    let of_pathway = page(&s, IRENE, &pathway);
    let record = links(&shown, "/controle/").into_iter().find(|l| l[10..].parse::<u64>().is_ok()).unwrap();
    let whole = page(&s, IRENE, &record);
    assert!(whole.contains("Direction ou animation de séjour") && whole.contains("class=\"exact\""));
    for html in [&first, &shown, &refused, &of_pathway, &whole] {
        for secret in SECRETS.iter().copied().chain([c.pathway.as_str(), c.claire.as_str(), PAUL, JULIE]) {
            assert!(!html.contains(secret), "a page of the auditor holds {secret}");
        }
    }
    // A filter that is not understood is told at its field; nothing is shown as if it had been.
    let wrong = s.get(IRENE, "/controle?actor=Paul+Girard&profession=teacher");
    assert_eq!(wrong.status, 422);
    let wrong = text(&wrong);
    assert!(wrong.contains("e-actor") && !wrong.contains("Trace n°"), "{wrong}");
    let kept = s.get(IRENE, "/controle?cursor=ailleurs");
    assert_eq!(kept.status, 422);
    assert_eq!(s.get(IRENE, "/controle?name=Lina").status, 422);
    // Nobody else, whatever they ask.
    for address in
        ["/controle", "/controle?actor=x", "/controle/preuve", "/controle/preuve/point-de-controle", &record]
    {
        for who in [NADIA, MARC, ALICE] {
            assert_eq!(s.get(who, address).status, 404, "{who} {address}");
        }
    }
    assert_eq!(form(&s, NADIA, "/controle/preuve", "given=").status, 404);
}

#[test]
fn story_s4_a_checkpoint_taken_from_the_page_is_compared_there_later() {
    let s = Story::begin();
    let taken = s.get(IRENE, "/controle/preuve/point-de-controle");
    assert_eq!(taken.status, 200);
    assert!(taken.header("content-disposition").unwrap().contains("point-de-controle-"));
    let note = text(&taken);
    let state = s.read(IRENE, "/api/v1/audit/state");
    let (origin, key) = (state["origin"].as_str().unwrap(), state["vkey"].as_str().unwrap());
    let keys = [VerifierKey::parse(key).unwrap()];
    let size = SignedCheckpoint::parse(&note).unwrap().verify(origin, &keys).unwrap().size();

    s.go_days(31);
    s.read(NADIA, "/api/v1/pathways");
    let pasted = format!("given={}", encoded(&note.replace('\n', "\r\n")));
    let found = form(&s, IRENE, "/controle/preuve", &pasted);
    assert_eq!(found.status, 200, "{}", text(&found));
    let html = text(&found);
    assert!(
        html.contains("Le journal tient.") && html.contains(&format!("les {size} premières traces")),
        "{html}"
    );
    assert!(html.contains("à l'instant") || html.contains("il y a"), "{html}");
    let other = form(&s, IRENE, "/controle/preuve", "given=autre+chose");
    assert_eq!(other.status, 422);
    let slip = text(&other);
    assert!(slip.contains("pas un point de contrôle lisible") && !slip.contains("ne tient pas"), "{slip}");
    // The request itself is in the log, in words.
    let trace = page(&s, IRENE, "/controle?resource=checkpoint&action=search");
    assert!(trace.contains("a vérifié tout le journal"), "{trace}");
    // The receipt of a record holds against its exact text.
    let body = s.read(IRENE, "/api/v1/audit/records/3")["body"].as_str().unwrap().to_owned();
    let receipt = s.get(IRENE, "/controle/3/recu");
    assert!(receipt.header("content-disposition").unwrap().contains("trace-3.proof"));
    TlogProof::parse(&text(&receipt)).unwrap().verify(body.as_bytes(), origin, &keys).unwrap();
    assert_eq!(s.get(IRENE, "/controle/999999").status, 404);
    assert_eq!(s.get(IRENE, "/controle/trois").status, 404);
}

#[test]
fn story_s12_the_referent_prints_who_opened_content_without_names_or_refusals() {
    let s = Story::begin();
    let c = camp(&s, NADIA);
    let address = format!("/parcours/{}/consultations", c.pathway);
    assert!(s.reads(PAUL, &c.medicine, "stay"));
    assert!(!s.reads(JULIE, &c.medicine, "coordination"));
    let html = page(&s, NADIA, &address);
    let list = html.split("<h1>").nth(1).unwrap();
    assert!(
        list.contains("Direction ou animation de séjour") && list.contains("Préparer un séjour"),
        "{list}"
    );
    assert!(list.contains("Santé : le strict nécessaire"), "{list}");
    for absent in ["Enseignant", "Girard", "traitement"] {
        assert!(!list.contains(absent), "{absent}: {list}");
    }
    for who in [SAMIRA, PAUL, IRENE, REMI] {
        assert_eq!(s.get(who, &address).status, 404, "{who}");
    }
}

#[test]
fn story_s4_the_auditor_takes_records_away_in_every_form_and_each_export_is_a_record() {
    let s = Story::begin();
    let c = camp(&s, NADIA);
    assert!(s.reads(PAUL, &c.medicine, "stay"));
    let html = page(&s, IRENE, "/controle/emporter");
    assert!(html.contains("92 jours") && html.contains("FHIR"), "{html}");
    let day = s.day(0);
    for (form_code, media) in [
        ("csv", "text/csv; charset=utf-8"),
        ("jsonl", "application/x-ndjson"),
        ("fhir", "application/fhir+ndjson"),
        ("ocsf", "application/x-ndjson"),
    ] {
        let taken =
            form(&s, IRENE, "/controle/emporter", &format!("format={form_code}&from={day}&until={day}"));
        assert_eq!(taken.status, 200, "{}", text(&taken));
        assert_eq!(taken.header("content-type").unwrap(), media);
        assert!(taken.header("content-disposition").unwrap().contains("journal-"));
        let body = text(&taken);
        assert!(body.lines().count() > 10, "{form_code}");
        for secret in SECRETS.iter().copied().chain([c.pathway.as_str(), c.claire.as_str(), PAUL, JULIE]) {
            assert!(!body.contains(secret), "an export as {form_code} holds {secret}");
        }
        // What was given is what the record of the export says.
        let search = serde_json::json!({ "resource": "log_export", "decision": "permit" });
        let found = s.post(IRENE, "/api/v1/audit/records/search", search).json();
        let index = found["items"][0]["index"].as_u64().unwrap();
        let record = s.read(IRENE, &format!("/api/v1/audit/records/{index}"));
        let digest = relais::crypto::hash::sha256(&[body.as_bytes()]);
        let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        assert!(record["body"].as_str().unwrap().contains(&format!("sha256={hex}")), "{record}");
    }
    let wrong = form(&s, IRENE, "/controle/emporter", &format!("format=csv&from={day}&until=2026-01-01"));
    assert_eq!(wrong.status, 422);
    assert!(text(&wrong).contains("avant le premier"));
    for who in [NADIA, MARC, ALICE] {
        assert_eq!(s.get(who, "/controle/emporter").status, 404, "{who}");
        let asked = format!("format=csv&from={day}&until={day}");
        assert_eq!(form(&s, who, "/controle/emporter", &asked).status, 404, "{who}");
    }
}

#[test]
fn story_s4_the_report_of_a_month_is_a_page_and_a_note_that_the_key_signed() {
    let s = Story::begin();
    let c = camp(&s, NADIA);
    assert!(s.reads(PAUL, &c.medicine, "stay"));
    let month = s.day(0)[..7].to_owned();
    let early = s.get(IRENE, &format!("/controle/rapport?mois={month}"));
    assert_eq!(early.status, 422);
    assert!(text(&early).contains("pas fini"), "{}", text(&early));
    s.go_days(31);
    let html = page(&s, IRENE, &format!("/controle/rapport?mois={month}"));
    assert!(html.contains("Le journal tient") && html.contains("Aucun contenu"), "{html}");
    let taken = s.get(IRENE, &format!("/controle/rapport/note?mois={month}"));
    assert_eq!(taken.status, 200, "{}", text(&taken));
    let note = text(&taken);
    let state = s.read(IRENE, "/api/v1/audit/state");
    let keys = [VerifierKey::parse(state["vkey"].as_str().unwrap()).unwrap()];
    let read = relais::audit::note::Note::parse(&note).unwrap();
    assert!(read.verify(&keys).is_ok() && read.text().contains(&month), "{note}");
    assert!(SignedCheckpoint::parse(&note).is_err());
    for secret in SECRETS.iter().copied().chain([c.pathway.as_str(), c.claire.as_str(), PAUL, "2027d:"]) {
        assert!(!html.contains(secret) && !note.contains(secret), "the report holds {secret}");
    }
    for who in [NADIA, MARC, ALICE] {
        assert_eq!(s.get(who, "/controle/rapport").status, 404, "{who}");
        assert_eq!(s.get(who, &format!("/controle/rapport/note?mois={month}")).status, 404, "{who}");
    }
}
